#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

#[cached(key = "~tag:<org>:<id>", ttl = 60)]
async fn get_user(db: &Pool, org: i64, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "wb:{users:<id>}", ttl = 60)]
async fn get_queued(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>!r", ttl = 60)]
async fn get_refreshed(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>!s", ttl = 60)]
async fn get_beside(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
