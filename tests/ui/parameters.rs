//! Every parameter is in the key, or left out on purpose.

#![allow(unused_variables)]

use std::collections::HashMap;

use cache_runtime::{cached, write_behind};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

#[cached(key = "user:<id>", ttl = 60)]
async fn parameter_in_neither_key_nor_skip(db: &Pool, org: &str, id: i64) -> Result<User, Error> {
    todo!()
}

struct Audit;

#[cached(ttl = 60)]
async fn automatic(#[cfg(unix)] shard: u8, id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = 60, skip(audit))]
async fn in_the_background(#[cfg(unix)] audit: &Audit, id: i64) -> String {
    todo!()
}

#[cached(batch(id in ids), key = "user:<id>", ttl = 60, skip(audit))]
async fn of_many(#[cfg(unix)] audit: &Audit, ids: &[i64]) -> HashMap<i64, String> {
    todo!()
}

#[write_behind(queue = "rows")]
async fn save(#[cfg(unix)] audit: &Audit, rows: Vec<String>) {
    todo!()
}

#[cached(key = "<id>", ttl = 60)]
async fn type_parameter_not_in_key<T, const N: usize>(id: i64) -> Result<[T; N], Error> {
    todo!()
}

struct Repo<Row>(Row);

impl<Row: serde::Serialize + serde::de::DeserializeOwned> Repo<Row> {
    #[cached(key = "row:<id>", ttl = 60)]
    async fn find(id: i64) -> Option<Row> {
        todo!()
    }

    #[cached(key = "row:<Self>:<id>", ttl = 60)]
    async fn find_of_each(id: i64) -> Option<Row> {
        todo!()
    }
}

fn main() {}
