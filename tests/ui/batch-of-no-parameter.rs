#![allow(unused_variables)]

use std::collections::HashMap;

use cache_runtime::cached;

#[cached(batch(id in idz), key = "user:<id>", ttl = 60)]
async fn get_users(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids.iter()), key = "user:<id>", ttl = 60)]
async fn find_users(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch, key = "user:<id>", ttl = 60)]
async fn all_users(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

fn main() {}
