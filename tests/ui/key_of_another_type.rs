//! A key knows the type of its value.

#![allow(unused_variables)]

use cache_runtime::{Cache, Key, cached};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Error;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

fn name_key(id: i64) -> Key<String> {
    get_user_key(&id)
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_name(id: i64) -> Result<String, String> {
    todo!()
}

#[cached(key = get_name_key(&id), ttl = 60)]
async fn find_name(id: i64) -> Result<Option<String>, String> {
    todo!()
}

#[cached(key = get_name_key(&id), ttl = 60, stale_while_revalidate = 60)]
async fn count_names(id: i64) -> u64 {
    todo!()
}

// A load by hand returns what the key stores, alone or in a `Result`.
#[cached(key = "title:<id>", ttl = 60)]
async fn title(id: i64) -> Result<String, std::io::Error> {
    Ok(id.to_string())
}

async fn load(cache: &Cache) {
    cache.get_or_load(&title_key(&7), || async { 7_u64 }).await;
    // What a function returns is what a load may return.
    _ = cache.get_or_load(&title_key(&7), || title(7)).await;
}

fn main() {
    drop(load(&Cache::in_memory()));
}
