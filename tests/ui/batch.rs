//! `batch(..)`

#![allow(unused_variables)]

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use cache_runtime::{Key, cached};

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

#[cached(batch(id in ids), key = "users", ttl = 60)]
async fn key_without_id_get_users(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids), key = "users:<ids>", ttl = 60)]
async fn key_without_id_find_users(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids), key = users_key(), ttl = 60)]
async fn key_without_id_all_users(ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids), key = "user:<id>", ttl = 60)]
async fn org_users(org: i64, ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

fn users_key() -> Key<String> {
    Key::<String>::builder().text("users").done()
}

struct Buffer;

#[cached(batch(id in ids), key = "user:<id>", ttl = 60, skip(buffer))]
async fn lent(buffer: &mut Buffer, ids: &[i64]) -> HashMap<i64, String> {
    HashMap::new()
}

#[cached(batch(id in ids), key = "user:<id>", ttl = 60, skip(buffer))]
async fn given(buffer: Buffer, ids: &[i64]) -> HashMap<i64, String> {
    drop(buffer);
    HashMap::new()
}

impl Buffer {
    #[cached(batch(id in ids), key = "user:<id>", ttl = 60)]
    async fn changed(&mut self, ids: &[i64]) -> HashMap<i64, String> {
        HashMap::new()
    }

    #[cached(batch(id in ids), key = "user:<id>", ttl = 60)]
    fn boxed<'a>(
        &'a self,
        ids: &'a [i64],
    ) -> Pin<Box<dyn Future<Output = HashMap<i64, String>> + Send + 'a>> {
        Box::pin(async move { HashMap::new() })
    }
}

fn main() {}
