#![allow(unused_variables)]

use std::collections::HashMap;

use cache_runtime::{cached, write_behind};

struct Audit;

#[cached(ttl = 60)]
async fn automatic(#[cfg(unix)] shard: u8, id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = 60, skip(audit))]
async fn in_the_background(#[cfg(unix)] audit: &Audit, id: i64) -> String {
    todo!()
}

#[cached(batch(id in ids), key = "user:<id>", ttl = 60, skip(audit))]
async fn of_many(#[cfg(unix)] audit: &Audit, ids: &[i64]) -> HashMap<i64, String> {
    todo!()
}

#[write_behind(queue = "rows")]
async fn save(#[cfg(unix)] audit: &Audit, rows: Vec<String>) {
    todo!()
}

fn main() {}
