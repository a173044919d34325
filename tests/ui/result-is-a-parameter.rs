#![allow(unused_variables)]

use cache_runtime::{cached, invalidates};

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

#[invalidates(get_user(result.id))]
async fn merge_user(result: User) -> Result<User, Error> {
    todo!()
}

fn main() {}
