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

#[invalidates(get_usr(id))]
async fn rename_user(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

fn main() {}
