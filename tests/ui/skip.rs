//! `skip(..)`

#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

#[cached(key = "user:<id>", ttl = 60, skip(db, id))]
async fn parameter_in_key(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, skip(dp))]
async fn unknown_parameter(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, skip = db)]
async fn without_parentheses(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
