#![allow(unused_variables)]

use cache_runtime::cached;

#[cached(key = "user:{id}", ttl = 60)]
async fn in_braces(id: i64) -> String {
    todo!()
}

#[cached(key = "user:{}", ttl = 60)]
async fn by_position(id: i64) -> String {
    todo!()
}

#[cached(key = format!("user:{id}"), ttl = 60)]
async fn by_macro(id: i64) -> String {
    todo!()
}

#[cached(key = 7, ttl = 60)]
async fn by_number(id: i64) -> String {
    todo!()
}

fn main() {}
