use cache_runtime::cached;

#[cached(key = "user:<id>", ttl = 60, early = 0)]
async fn get_user(id: i64) -> String {
    id.to_string()
}

fn main() {}
