//! What a write reads before its body.

#![allow(unused_variables)]

use cache_runtime::{cached, invalidates, write_behind, write_through};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
    name: String,
}

struct Pool;

struct Error;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "name:<name>", ttl = 60)]
async fn get_by_name(name: &str) -> Result<User, Error> {
    todo!()
}

#[invalidates(get_user(id), before = get_user(id))]
async fn used_by_no_target(id: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(key = "name:<before.name>")]
async fn not_read(id: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_by_name(&before.name), before = get_user(id).await)]
async fn awaited(id: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_by_name(before), before = "name")]
async fn text(id: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_by_name(&before.name), before = get_user(result.id))]
async fn over_the_result(id: i64) -> Result<User, Error> {
    todo!()
}

#[invalidates(key = "name:<before.name>:<result.id>", before = get_user(id))]
async fn mixed_with_the_result(id: i64) -> Result<User, Error> {
    todo!()
}

#[invalidates(get_user(*before), before = get_user(id))]
async fn a_parameter(id: i64, before: i64) -> Result<(), Error> {
    todo!()
}

#[write_through(get_user(before.id) = before.clone(), before = get_user(id))]
async fn stored(id: i64) -> Result<(), Error> {
    todo!()
}

#[write_behind(queue = "users", before = get_user(1))]
async fn sink(users: Vec<User>) -> Result<(), Error> {
    todo!()
}

fn main() {}
