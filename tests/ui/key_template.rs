//! What cannot be a template.

#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

#[cached(key = "", ttl = 60, skip(id))]
async fn empty(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<>", ttl = 60, skip(id))]
async fn empty_placeholder(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id", ttl = 60)]
async fn unclosed_placeholder(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id + 1>", ttl = 60)]
async fn expression_in_placeholder(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<org><id>", ttl = 60)]
async fn nothing_between_placeholders(org: i64, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>a", ttl = 60)]
async fn placeholder_runs_into_text(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>:*", ttl = 60)]
async fn with_star(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user <id>", ttl = 60)]
async fn with_whitespace(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "{user:<id>", ttl = 60)]
async fn hash_tag_never_closed(id: i64) -> User {
    todo!()
}

#[cached(key = "user}:<id>", ttl = 60)]
async fn hash_tag_never_begun(id: i64) -> User {
    todo!()
}

#[cached(key = "{}:<id>", ttl = 60)]
async fn of_an_empty_hash_tag(id: i64) -> User {
    todo!()
}

#[cached(key = "{user}:{<id>}", ttl = 60)]
async fn two_hash_tags(id: i64) -> User {
    todo!()
}

#[cached(key = "~tag:<org>:<id>", ttl = 60)]
async fn begins_like_a_tag(db: &Pool, org: i64, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "wb:{users:<id>}", ttl = 60)]
async fn begins_like_a_queue(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>!r", ttl = 60)]
async fn ends_in_r(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>!s", ttl = 60)]
async fn ends_in_s(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
