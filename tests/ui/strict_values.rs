//! `strict_values` and `lossy_values`

use cache_runtime::cached;

#[cached(key = "user:<id>", ttl = 60, strict_values, lossy_values)]
async fn both(id: i64) -> i64 {
    id
}

#[cached(key = "user:<id>", ttl = 60, strict_values = true)]
async fn with_value(id: i64) -> i64 {
    id
}

#[cached(key = "user:<id>", ttl = 60, strict_value)]
async fn misspelt(id: i64) -> i64 {
    id
}

fn main() {}
