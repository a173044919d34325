//! `tags = [..]`

#![allow(unused_variables)]

use cache_runtime::{cached, tag};

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

#[cached(key = "f:<id>", ttl = 60, tags = ["users", |user: &User| [tag!("user:<user.id>")], |_: &User| []])]
async fn two_closures(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "g:<id>", ttl = 60, tags = |user: &User, id: i64| [tag!("user:<id>")])]
async fn two_parameters(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "h:<org>:<id>", ttl = 60, tags = |user: &User| [tag!("org:<user.id>").join(org)])]
async fn of_a_parameter(org: i64, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = get_user_key(&id), ttl = 60, tags = |user: &User| [tag!("user:<user.id>")])]
async fn told_of_a_shared_key(id: i64) -> Result<User, Error> {
    todo!()
}

fn templates(user: &User) -> [cache_runtime::Tag; 3] {
    [tag!("user:<user.id"), tag!("user *"), tag!(user)]
}

fn main() {}
