//! `ttl = ..`

#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

#[cached(key = "user:<id>")]
async fn missing(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 0)]
async fn zero(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 1h)]
async fn unquoted(id: i64) -> User {
    todo!()
}

#[cached(key = "user:<id>", ttl = "5 min")]
async fn unknown_unit(id: i64) -> User {
    todo!()
}

#[cached(key = "user:<id>", ttl = "60")]
async fn no_unit(id: i64) -> User {
    todo!()
}

#[cached(key = "user:<id>", ttl = 1.5)]
async fn fraction(id: i64) -> User {
    todo!()
}

#[cached(key = "user:<id>", ttl = -1)]
async fn negative(id: i64) -> User {
    todo!()
}

#[cached(key = "user:<id>", ttl = "9999999w")]
async fn endless(id: i64) -> User {
    todo!()
}

#[cached(key = "user:<id>", ttl = |user: &User| if id == 0 { SHORT } else { user.ttl() })]
async fn closure_uses_parameter(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
