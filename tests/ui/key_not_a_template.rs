//! Keys that are neither a template nor make a key.

#![allow(unused_variables)]

use cache_runtime::{cached, invalidates};

const USER_KEY: &str = "user:<id>";

mod keys {
    pub const USER: &str = "user:<id>";
}

#[cached(key = USER_KEY, ttl = 60)]
async fn by_constant(id: i64) -> String {
    todo!()
}

#[cached(key = keys::USER, ttl = 60)]
async fn by_path(id: i64) -> String {
    todo!()
}

#[cached(key = concat!("user:", "<id>"), ttl = 60)]
async fn by_macro(id: i64) -> String {
    todo!()
}

#[invalidates(key = USER_KEY, pattern = concat!("user:", "*"))]
async fn rename(id: i64) {}

#[cached(key = id, ttl = 60)]
async fn is_a_parameter(id: i64) -> String {
    id.to_string()
}

fn main() {}
