#![allow(unused_variables)]

use std::collections::HashMap;

use cache_runtime::cached;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> String {
    id.to_string()
}

#[cached(batch(id in ids), key = get_user_key(id), ttl = 60, none_ttl = 10)]
async fn get_users(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids), key = get_user_key(id), ttl = 60)]
async fn get_numbers(ids: &[i64]) -> HashMap<i64, u8> {
    HashMap::new()
}

#[cached(batch(id in ids), key = "name:<id>", ttl = 60)]
async fn get_names(ids: &[i64]) -> HashMap<i64, Option<String>> {
    HashMap::new()
}

fn main() {}
