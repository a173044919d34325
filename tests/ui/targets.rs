//! Targets and options of `#[invalidates]`.

#![allow(unused_variables)]

use cache_runtime::{cached, invalidates, write_through};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

#[invalidates(only_ok)]
async fn missing(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_user)]
async fn not_a_call(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[invalidates("user:<id>")]
async fn key_without_name(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[invalidates(key = "user:<idx>")]
async fn key_unknown_parameter(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[invalidates(tag = "org:<ogr>", tag = org_tag(org), tag)]
async fn tag_unknown_parameter(org: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(pattern = USERS)]
async fn pattern_not_a_template(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[invalidates(pattern = "user:<id>*")]
async fn pattern_matches_longer_values(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[invalidates(get_user(result.id))]
async fn result_is_a_parameter(result: User) -> Result<User, Error> {
    todo!()
}

#[invalidates(each(_ids) get_user(id))]
async fn rename(_ids: &[i64]) {}

#[invalidates(each(id in _ids))]
async fn merge(_ids: &[i64]) {}

#[invalidates(each(id in _ids) key = "user:<idx>")]
async fn block(_ids: &[i64]) {}

#[invalidates(batch(id in ids) get_user(id))]
async fn each_elsewhere(ids: &[i64]) {}

#[write_through(each(id in ids) get_user(id) = id)]
async fn count(ids: &[i64]) {}

#[invalidates(get_user(id), fence = "strikt")]
async fn fence_unknown(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_user(id), only_okay)]
async fn option_unknown(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

fn main() {}
