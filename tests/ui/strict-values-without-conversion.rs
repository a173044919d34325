#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Error;

#[cached(key = "user:<id>", ttl = 60, strict_values)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "infallible:<id>", ttl = 60, strict_values)]
async fn infallible(id: i64) -> User {
    todo!()
}

fn main() {}
