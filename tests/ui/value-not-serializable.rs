#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;
struct Error;

struct Row;

#[cached(key = "row:<id>", ttl = 60)]
async fn get_row(id: i64) -> Result<Row, Error> {
    todo!()
}

fn main() {}
