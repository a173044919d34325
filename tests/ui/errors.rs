//! Errors of the cache that the function has to return.

#![allow(unused_variables)]

use cache_runtime::{cached, invalidates, write_through};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Error;

struct Pool;

#[cached(key = "user:<id>", ttl = 60, strict_values)]
async fn strict_values(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "infallible:<id>", ttl = 60, strict_values)]
async fn infallible(id: i64) -> User {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, shed_after = "1s")]
async fn shed_after(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, stale_if_error = "1h")]
async fn stale_if_error(id: i64) -> String {
    id.to_string()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[invalidates(get_user(id), fence = "strict")]
async fn rename_strictly(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[write_through(get_user(user.id), fence = "strict")]
async fn save_strictly(user: User) -> Result<User, Error> {
    todo!()
}

fn main() {}
