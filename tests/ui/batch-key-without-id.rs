#![allow(unused_variables)]

use std::collections::HashMap;

use cache_runtime::{Key, cached};

#[cached(batch(id in ids), key = "users", ttl = 60)]
async fn get_users(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids), key = "users:<ids>", ttl = 60)]
async fn find_users(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids), key = users_key(), ttl = 60)]
async fn all_users(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids), key = "user:<id>", ttl = 60)]
async fn org_users(org: i64, ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

fn users_key() -> Key<String> {
    Key::<String>::builder().text("users").done()
}

fn main() {}
