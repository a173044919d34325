use cache_runtime::cached;

#[cached(key = "user:<id>", ttl = 60, load_timeout = "2s")]
async fn get_user(id: i64) -> Result<String, String> {
    Ok(id.to_string())
}

fn main() {}
