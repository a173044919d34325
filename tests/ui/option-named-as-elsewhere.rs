#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

#[cached(key = "user:<id>", expire = 60)]
async fn get_user(id: i64) -> User {
    todo!()
}

fn main() {}
