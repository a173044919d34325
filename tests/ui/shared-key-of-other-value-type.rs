#![allow(unused_variables)]

use cache_runtime::cached;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<String, String> {
    todo!()
}

#[cached(key = get_user_key(&id), ttl = 60)]
async fn find_user(id: i64) -> Result<Option<String>, String> {
    todo!()
}

#[cached(key = get_user_key(&id), ttl = 60, stale_while_revalidate = 60)]
async fn count_users(id: i64) -> u64 {
    todo!()
}

fn main() {}
