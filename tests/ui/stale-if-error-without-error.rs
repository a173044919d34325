use cache_runtime::cached;

#[cached(key = "user:<id>", ttl = 60, stale_if_error = "1h")]
async fn get_user(id: i64) -> String {
    id.to_string()
}

fn main() {}
