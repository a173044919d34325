//! What the attributes can stand at.

#![allow(unused_variables)]

use cache_runtime::{cached, invalidates, write_through};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Error;

#[cached(key = "user:<id>", ttl = 60)]
struct Cached;

#[cached(key = "user:<id>", ttl = 60)]
fn not_async(id: i64) -> Result<User, Error> {
    todo!()
}

trait Users {
    #[cached(key = "user:<id>", ttl = 60)]
    async fn without_body(id: i64) -> Result<User, Error>;
}

#[cached(key = "user:<id>", ttl = 60)]
async fn user(id: i64) -> String {
    todo!()
}

#[invalidates(user(id))]
#[cached(key = "renamed:<id>", ttl = 60)]
async fn rename(id: i64) -> String {
    todo!()
}

#[write_through(user(id))]
#[cache_runtime::cached(key = "stored:<id>", ttl = 60)]
async fn store(id: i64) -> String {
    todo!()
}

#[invalidates(user(id))]
#[cfg_attr(not(test), cached(key = "sometimes:<id>", ttl = 60))]
async fn sometimes(id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[invalidates(get_user(id))]
fn invalidates_not_async(id: i64) -> Result<(), Error> {
    todo!()
}

#[write_through(get_user(user.id))]
fn write_through_not_async(user: User) -> Result<User, Error> {
    todo!()
}

fn main() {}
