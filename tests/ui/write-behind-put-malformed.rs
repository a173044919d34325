use cache_runtime::{cached, write_behind};

#[cached(key = "count:<id>", ttl = 60)]
async fn count(id: i64) -> i64 {
    id
}

#[write_behind(queue = "counts", key = "<pair.0>", put(count(pair.0)), put(count = 1), put)]
async fn save_counts(counts: Vec<(i64, i64)>) {
    let _ = counts;
}

fn main() {}
