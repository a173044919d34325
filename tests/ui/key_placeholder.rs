//! Placeholders that stand for nothing, and options that they do not have.

#![allow(unused_variables)]

use cache_runtime::{cached, invalidates};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

#[cached(key = "user:<idx>", ttl = 60)]
async fn unknown_parameter(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<of.id>", ttl = 60)]
async fn field_of_unnamed_parameter((of, _): Both) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id:hsah>", ttl = 60)]
async fn hash_misspelt(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

struct Person {
    name: String,
}

#[cached(key = "user:<name:upper>", ttl = 60)]
async fn by_name(db: &Pool, name: &str) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id:lower>", ttl = 60)]
async fn by_id(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<name:hash:lower>", ttl = 60)]
async fn by_hash(db: &Pool, name: &str) -> Result<User, Error> {
    todo!()
}

#[invalidates(tag = "user:<person.name:trim:trim>")]
async fn rename(db: &Pool, person: &Person) -> Result<(), Error> {
    todo!()
}

#[invalidates(key = "user:<person:lower>")]
async fn remove(db: &Pool, person: &Person) -> Result<(), Error> {
    todo!()
}

fn main() {}
