use cache_runtime::cached;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

type Outcome<T> = Result<T, String>;

#[cached(key = "<T>:<id>", ttl = 60)]
async fn find<T: From<i64> + Serialize + DeserializeOwned>(id: i64) -> Outcome<T> {
    Ok(id.into())
}

#[derive(Serialize, Deserialize)]
struct SearchResult<T>(Vec<T>);

#[cached(key = "search:<T>:<id>", ttl = 60)]
async fn search<T: From<i64> + Serialize + DeserializeOwned>(id: i64) -> SearchResult<T> {
    SearchResult(vec![id.into()])
}

fn main() {}
