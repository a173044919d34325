use cache_runtime::cached;

struct Service;

impl Service {
    #[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = "10m")]
    async fn find(&self, id: i64) -> String {
        id.to_string()
    }
}

fn main() {}
