use cache_runtime::cached;

#[cached(key = id, ttl = 60)]
async fn get_name(id: i64) -> String {
    id.to_string()
}

fn main() {}
