//! `tags = [..]`

#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

#[cached(key = "user:<org>:<id>", ttl = 60, tags = ["org:<org>", "users", "org:<org>"])]
async fn given_twice(db: &Pool, org: i64, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "a:<id>", ttl = 60, tags = "org")]
async fn a(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "b:<id>", ttl = 60, tags = [])]
async fn b(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "c:<id>", ttl = 60, tags = ["", "org:<id", "org *"])]
async fn c(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "d:<id>", ttl = 60, tags = [org_tag(id)])]
async fn d(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "e:<id>", ttl = 60, tag = "org")]
async fn e(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = get_user_key(&id), ttl = 60, tags = ["users"])]
async fn of_a_shared_key(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, tags = ["org:<org>"])]
async fn parameter_not_in_key(db: &Pool, org: i64, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<org>:<id>", ttl = 60, tags = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
])]
async fn too_many(db: &Pool, org: i64, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<org>:<id>", ttl = 60, tags = ["org:<ogr>", "user:<idd>"])]
async fn unknown_parameter(db: &Pool, org: i64, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<org>:<id>", ttl = 60, tags = ["org:<result.id>"])]
async fn with_result(db: &Pool, org: i64, id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
