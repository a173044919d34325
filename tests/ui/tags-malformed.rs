#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

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

fn main() {}
