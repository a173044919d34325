#![allow(unused_variables)]

use cache_runtime::{cached, write_behind, write_through};

#[cached(ttl = 60, skip(db: &Pool))]
async fn typed_skip(id: i64) -> String {
    todo!()
}

#[cached(ttl = 60, lock("5s"))]
async fn unnamed_wait(id: i64) -> String {
    todo!()
}

#[cached(ttl = 60, unless = true, error_ttl = "5s")]
async fn no_closures(id: i64) -> Result<String, String> {
    todo!()
}

#[write_through(get_user(id), ttl = 60)]
async fn ttl_of_a_write(id: i64) -> String {
    todo!()
}

#[write_behind("rows")]
async fn unnamed_queue(rows: Vec<String>) {}

#[write_behind(queue = "rows", key = "<row>", merge = |older, newer| newer)]
async fn merge_by_closure(rows: Vec<String>) {}

fn main() {}
