use cache_runtime::cached;

struct Pool;

#[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = "10m")]
async fn get_user(db: &Pool, id: i64) -> String {
    let _ = db;
    id.to_string()
}

fn main() {}
