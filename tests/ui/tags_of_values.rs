//! Tags that a closure makes of the value: what rustc says of the closure itself.

#![allow(unused_variables)]

use cache_runtime::{cached, tag};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
    score: f64,
}

struct Error;

#[cached(key = "a:<id>", ttl = 60, tags = |user: &User| [tag!("user:<user.name>")])]
async fn no_such_field(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "b:<id>", ttl = 60, tags = |user: &User| [tag!("user:<user>")])]
async fn no_part_of_a_key(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "c:<id>", ttl = 60, tags = |user: &User| user.id)]
async fn no_tags(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "d:<id>", ttl = 60, tags = |user: &User| [format!("user:{}", user.id)])]
async fn text_is_no_tag(id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "e:<id>", ttl = 60, tags = |id: &i64| [tag!("user:<id>")])]
async fn of_another_type(id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
