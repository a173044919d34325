//! `error_ttl = ..`

use std::time::Duration;

use cache_runtime::cached;

#[cached(key = "user:<id>", ttl = 60, error_ttl = |_| (id > 0).then_some(Duration::from_secs(5)))]
async fn uses_parameter(id: i64) -> Result<String, String> {
    Ok(id.to_string())
}

struct Missing;

#[cached(key = "user:<id>", ttl = 60, error_ttl = |_| Some(Duration::from_secs(5)))]
async fn get_user(id: i64) -> Result<String, Missing> {
    Ok(id.to_string())
}

#[cached(key = "user:<id>", ttl = 60, error_ttl = |_| Some(Duration::from_secs(5)))]
async fn find_user(id: i64) -> Option<String> {
    Some(id.to_string())
}

fn main() {}
