//! Values that an option cannot have.

#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

#[cached(key = "user:<id>", ttl = 60, budget = "50")]
async fn budget_without_unit(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, shed_after = 0)]
async fn shed_after_zero(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, load_timeout = "2s")]
async fn load_timeout_without_window(id: i64) -> Result<String, String> {
    Ok(id.to_string())
}

#[cached(key = "user:<id>", ttl = 60, early = 0)]
async fn early_zero(id: i64) -> String {
    id.to_string()
}

#[cached(key = "user:<id>", ttl = 60, jitter = 10)]
async fn jitter_out_of_range(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, max_concurrent_loads = 0)]
async fn max_concurrent_loads_zero(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, codec = Messagepack)]
async fn codec_unknown(db: &Pool, id: i64) -> Result<User, Error> {
    todo!()
}

fn main() {}
