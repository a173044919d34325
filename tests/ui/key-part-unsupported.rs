#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

struct Filter;
struct NaiveDate;

#[cached(key = "users:<filter>", ttl = 60)]
async fn find_users(filter: Filter) -> Result<Vec<User>, Error> {
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
