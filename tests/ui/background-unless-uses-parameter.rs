use cache_runtime::cached;

#[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = "10m", unless = |name| *name == guest, skip(guest))]
async fn get_user(id: i64, guest: String) -> String {
    let _ = guest;
    id.to_string()
}

fn main() {}
