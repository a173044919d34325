//! Functions whose values stand in the entries of other functions.

#![allow(unused_variables)]

use std::collections::HashMap;

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Org {
    id: i64,
}

struct Error;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "org:<id>", ttl = 60)]
async fn get_org(id: i64) -> Result<Org, Error> {
    todo!()
}

#[cached(key = "a:<name>", ttl = 60, entry = get_user_key)]
async fn no_closure(name: &str) -> Result<User, Error> {
    todo!()
}

#[cached(key = "b:<name>", ttl = 60, entry = |user| get_user_key(&user.id))]
async fn no_type(name: &str) -> Result<User, Error> {
    todo!()
}

#[cached(key = "c:<name>", ttl = 60, entry = |user: &User| get_user_key(name))]
async fn a_parameter(name: &str) -> Result<User, Error> {
    todo!()
}

#[cached(key = get_user_key(&id), ttl = 60, entry = |user: &User| get_user_key(&user.id))]
async fn the_key_of_another(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(
    key = "d:<name>",
    ttl = 60,
    codec = Json,
    version = 2,
    tags = |user: &User| ["users"],
    stale_if_error = 60,
    entry = |user: &User| get_user_key(&user.id),
)]
async fn what_is_the_entitys(name: &str) -> Result<User, Error> {
    todo!()
}

#[cached(
    key = "e:<name>",
    ttl = 60,
    batch(name in names),
    entry = |user: &User| get_user_key(&user.id),
)]
async fn batch(names: &[String]) -> Result<HashMap<String, User>, Error> {
    todo!()
}

fn main() {}
