#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = get_user_key(&id), ttl = 60, tags = ["users"])]
async fn find_user(id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
