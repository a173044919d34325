#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

#[cached(key = "user:<id>", ttl = 60, max_concurrent_loads = 0)]
async fn get_user(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
