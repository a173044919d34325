use cache_runtime::cached;

#[derive(Clone)]
struct Client;

#[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = "10m", skip(client))]
async fn get_user(client: &mut Client, id: i64) -> String {
    let _ = client;
    id.to_string()
}

fn main() {}
