//! What rustc says of the closure of an alias.

#![allow(unused_variables)]

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

#[cached(key = "a:<name>", ttl = 60, entry = |org: &Org| get_user_key(&org.id))]
async fn takes_another(name: &str) -> Result<User, Error> {
    todo!()
}

#[cached(key = "b:<name>", ttl = 60, entry = |user: &User| get_org_key(&user.id))]
async fn leads_to_another(name: &str) -> Result<User, Error> {
    todo!()
}

#[cached(key = "c:<name>", ttl = 60, entry = |user: &User| get_user_key(&user.id))]
async fn may_find_nothing(name: &str) -> Result<Option<User>, Error> {
    todo!()
}

#[cached(key = "d:<name>", ttl = 60, entry = |user: &User| user.id)]
async fn makes_no_key(name: &str) -> Result<User, Error> {
    todo!()
}

fn main() {}
