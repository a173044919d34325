//! A load by hand returns what the key stores, alone or in a `Result`.

use cache_runtime::{Cache, cached};

#[cached(key = "name:<id>", ttl = 60)]
async fn name(id: i64) -> Result<String, std::io::Error> {
    Ok(id.to_string())
}

async fn load(cache: &Cache) {
    cache.get_or_load(&name_key(&7), || async { 7_u64 }).await;
    // What a function returns is what a load may return.
    _ = cache.get_or_load(&name_key(&7), || name(7)).await;
}

fn main() {
    drop(load(&Cache::in_memory()));
}
