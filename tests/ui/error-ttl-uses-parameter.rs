use std::time::Duration;

use cache_runtime::cached;

#[cached(key = "user:<id>", ttl = 60, error_ttl = |_| (id > 0).then_some(Duration::from_secs(5)))]
async fn get_user(id: i64) -> Result<String, String> {
    Ok(id.to_string())
}

fn main() {}
