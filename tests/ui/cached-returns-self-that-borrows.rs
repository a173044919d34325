use std::borrow::Cow;

use cache_runtime::cached;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Page<'a> {
    text: Cow<'a, str>,
}

impl<'a> Page<'a> {
    #[cached(key = "page:<id>", ttl = 60)]
    async fn find(id: i64) -> Result<Self, String> {
        Ok(Self { text: Cow::Owned(id.to_string()) })
    }
}

// This is how to write it.
impl Page<'static> {
    #[cached(key = "static:<id>", ttl = 60)]
    async fn find_static(id: i64) -> Result<Self, String> {
        Ok(Self { text: Cow::Owned(id.to_string()) })
    }
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Row<Entity>(Entity);

impl<Entity> Row<Entity>
where
    Entity: Clone + Send + Sync + serde::Serialize + serde::de::DeserializeOwned,
{
    #[cached(key = "row:<Self>:<id>", ttl = 60)]
    async fn find(id: i64) -> Option<Entity> {
        let _ = id;
        None
    }
}

fn main() {}
