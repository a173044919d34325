#![allow(unused_variables)]

use cache_runtime::{cached, invalidates, write_through};

#[cached(key = "user:<id>", ttl = 60)]
async fn user(id: i64) -> String {
    todo!()
}

#[invalidates(user(id))]
#[cached(key = "renamed:<id>", ttl = 60)]
async fn rename(id: i64) -> String {
    todo!()
}

#[write_through(user(id))]
#[cache_runtime::cached(key = "stored:<id>", ttl = 60)]
async fn store(id: i64) -> String {
    todo!()
}

#[invalidates(user(id))]
#[cfg_attr(not(test), cached(key = "sometimes:<id>", ttl = 60))]
async fn sometimes(id: i64) -> String {
    todo!()
}

fn main() {}
