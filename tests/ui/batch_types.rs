//! The types of ids and values of a batch.

#![allow(unused_variables)]

use std::collections::{HashMap, HashSet, VecDeque};

use cache_runtime::cached;

#[cached(batch(id in ids), key = "user:<id>", ttl = 60)]
async fn by_number(ids: i64) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids), key = "user:<id>", ttl = 60)]
async fn in_a_queue(ids: VecDeque<i64>) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids), key = "user:<id>", ttl = 60)]
async fn in_a_set(ids: &[i64]) -> HashSet<String> {
    HashSet::new()
}

#[cached(batch(id in ids), key = "user:<id>", ttl = 60)]
async fn by_place(ids: &[i64]) -> Result<Vec<String>, String> {
    Ok(Vec::new())
}

#[derive(Debug)]
struct Id(i64);

#[cached(batch(id in ids), key = "user:<id.0>", ttl = 60)]
async fn by_id(ids: Vec<Id>) -> Vec<(Id, String)> {
    Vec::new()
}

#[cached(batch(id in ids), key = "user:<id>", ttl = 60)]
async fn by_another_id(ids: &[i64]) -> HashMap<u8, String> {
    HashMap::new()
}

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
