#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

#[cached(key = "user:<org>:<id>", ttl = 60, tags = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
])]
async fn get_user(db: &Pool, org: i64, id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
