#![allow(unused_variables)]

use cache_runtime::invalidates;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

async fn count_users(id: i64) -> i64 {
    todo!()
}

#[invalidates(count_users(id))]
async fn rename_user(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

fn main() {}
