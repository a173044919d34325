//! `none_ttl = ..`

use cache_runtime::cached;

#[cached(key = "user:<id>", ttl = 60, none_ttl = 10)]
async fn get_user(id: i64) -> String {
    id.to_string()
}

#[cached(key = "name:<id>", ttl = 60, none_ttl = 10)]
async fn get_name(id: i64) -> Result<String, String> {
    Ok(id.to_string())
}

type DbResult<T> = Result<T, String>;

#[cached(key = "names:<id>", ttl = 60, none_ttl = 10)]
async fn get_names(id: i64) -> DbResult<Vec<String>> {
    Ok(vec![id.to_string()])
}

#[cached(key = "any:<T>:<id>", ttl = 60, none_ttl = 10)]
async fn get_any<T>(id: i64) -> DbResult<T>
where
    T: From<i64> + serde::Serialize + serde::de::DeserializeOwned,
{
    Ok(id.into())
}

#[cached(key = "full-name:<id>", ttl = 60, none_ttl = 10, stale_while_revalidate = 10)]
async fn get_full_name(id: i64) -> String {
    id.to_string()
}

fn main() {}
