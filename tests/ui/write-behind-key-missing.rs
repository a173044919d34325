use cache_runtime::{cached, write_behind};

#[cached(key = "count:<id>", ttl = 60)]
async fn count(id: i64) -> i64 {
    id
}

fn add(one: i64, other: i64) -> i64 {
    one + other
}

#[write_behind(queue = "counts", merge = add, put(count(7) = 1))]
async fn save_counts(counts: Vec<i64>) {
    let _ = counts;
}

fn main() {}
