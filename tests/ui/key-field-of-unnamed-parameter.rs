#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

#[cached(key = "user:<of.id>", ttl = 60)]
async fn get_user((of, _): Both) -> Result<User, Error> {
    todo!()
}

fn main() {}
