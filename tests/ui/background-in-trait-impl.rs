use cache_runtime::cached;

trait Users {
    async fn find(&self, id: i64) -> String;
}

#[derive(Clone)]
struct Service;

impl Users for Service {
    #[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = "10m", companion = false)]
    async fn find(&self, id: i64) -> String {
        id.to_string()
    }
}

fn main() {}
