#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

#[cached(key = "name:<id>", ttl = 60)]
async fn get_name(db: &Pool, id: i64) {}

fn main() {}
