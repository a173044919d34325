#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

#[cached(key = "<id>", ttl = 60)]
async fn get<T, const N: usize>(id: i64) -> Result<[T; N], Error> {
    todo!()
}

fn main() {}
