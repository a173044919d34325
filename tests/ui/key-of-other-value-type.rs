#![allow(unused_variables)]

use cache_runtime::{Key, cached};

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

fn name_key(id: i64) -> Key<String> {
    get_user_key(&id)
}

fn main() {}
