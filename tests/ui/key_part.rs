//! What can be a part of a key.

#![allow(unused_variables)]

use std::collections::HashMap;

use cache_runtime::{KeyPart, cached};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

#[derive(KeyPart)]
struct Point {
    name: String,
    x: f64,
}

#[derive(KeyPart)]
enum Filter {
    All,
    By(HashMap<String, String>),
}

#[derive(KeyPart)]
struct Celsius(f32);

#[derive(KeyPart)]
union Either {
    a: u8,
    b: i8,
}

#[derive(KeyPart)]
#[key_part(skip)]
struct Skipping(u8);

struct Search;

struct NaiveDate;

#[cached(key = "users:<filter>", ttl = 60)]
async fn find_users(filter: Search) -> Result<Vec<User>, Error> {
    todo!()
}

#[cached(ttl = 60)]
async fn all_users(db: &Pool, page: u32) -> Result<Vec<User>, Error> {
    todo!()
}

struct Day;

#[cached(key = "day:<day:display>", ttl = 60)]
async fn day(day: Day) -> Result<User, Error> {
    todo!()
}

#[cached(key = "all", ttl = 60)]
async fn on(day: NaiveDate) -> Result<User, Error> {
    todo!()
}

fn main() {}
