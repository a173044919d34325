#![allow(unused_variables)]

use std::collections::HashMap;

use cache_runtime::cached;

#[cached(batch(id in ids, chunk = 0), key = "user:<id>", ttl = 60)]
async fn of_nothing(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids, chunk = 500, concurrent = 0), key = "user:<id>", ttl = 60)]
async fn never(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids, concurrent = 2), key = "user:<id>", ttl = 60)]
async fn of_one_chunk(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids, chunks = 500), key = "user:<id>", ttl = 60)]
async fn misspelt(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

fn main() {}
