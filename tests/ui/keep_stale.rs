//! Targets whose stale values are kept.

#![allow(unused_variables)]

use cache_runtime::{cached, invalidates, write_through};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Error;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "users:<org>", ttl = 60, stale_while_revalidate = 60)]
async fn list_users(org: i64) -> Result<Vec<User>, Error> {
    todo!()
}

#[invalidates(list_users(org), pattern = "users:<org>:*", keep_stale)]
async fn pattern(org: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(keep_stale(each(id in ids) pattern = "users:<id>:*"))]
async fn pattern_inside(ids: &[i64]) -> Result<(), Error> {
    todo!()
}

#[invalidates(list_users(org), keep_stale, fence = "strict")]
async fn strict(org: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_user(org), keep_stale(list_users(org)), hold_off = "2s")]
async fn held_off(org: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(keep_stale())]
async fn nothing(org: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(each(id in ids) keep_stale(get_user(id)))]
async fn inside_of_each(ids: &[i64]) -> Result<(), Error> {
    todo!()
}

#[write_through(get_user(id), keep_stale)]
async fn alone_beside_a_value(id: i64) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(id), invalidates(list_users(1), keep_stale))]
async fn alone_in_a_group(id: i64) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(id), keep_stale(list_users(1)))]
async fn beside_a_value(id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
