#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

#[cached(key = "{user:<id>", ttl = 60)]
async fn never_closed(id: i64) -> User {
    todo!()
}

#[cached(key = "user}:<id>", ttl = 60)]
async fn never_begun(id: i64) -> User {
    todo!()
}

#[cached(key = "{}:<id>", ttl = 60)]
async fn empty(id: i64) -> User {
    todo!()
}

#[cached(key = "{user}:{<id>}", ttl = 60)]
async fn two(id: i64) -> User {
    todo!()
}

fn main() {}
