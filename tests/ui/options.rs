//! Mistakes that can be made with any option.

#![allow(unused_variables)]

use cache_runtime::{cached, write_behind, write_through};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

#[cached(key = "user:<id>", ttl = 60, ttl = 90)]
async fn given_twice(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", tll = 60)]
async fn unknown(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", expire = 60)]
async fn named_as_elsewhere(id: i64) -> User {
    todo!()
}

#[cached("user:<id>", ttl = 60)]
async fn without_name(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl)]
async fn without_value(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>" ttl = 60)]
async fn without_comma(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, lock = true)]
async fn with_needless_value(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(ttl = 60, skip(db: &Pool))]
async fn typed_skip(id: i64) -> String {
    todo!()
}

#[cached(ttl = 60, lock("5s"))]
async fn unnamed_wait(id: i64) -> String {
    todo!()
}

#[cached(ttl = 60, unless = true, error_ttl = "5s")]
async fn no_closures(id: i64) -> Result<String, String> {
    todo!()
}

#[write_through(get_user(id), ttl = 60)]
async fn ttl_of_a_write(id: i64) -> String {
    todo!()
}

#[write_behind("rows")]
async fn unnamed_queue(rows: Vec<String>) {}

#[write_behind(queue = "rows", key = "<row>", merge = |older, newer| newer)]
async fn merge_by_closure(rows: Vec<String>) {}

#[cached(key = "user:<idx>", lokc, jitter = 10, skip(dp))]
async fn several_mistakes(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
