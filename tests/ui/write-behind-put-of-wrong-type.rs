use cache_runtime::{cached, write_behind};

#[cached(key = "count:<id>", ttl = 60)]
async fn count(id: i64) -> i64 {
    id
}

#[write_behind(queue = "counts", key = "<pair.0>", put(count(pair.0) = pair.1))]
async fn save_counts(counts: Vec<(i64, String)>) {
    let _ = counts;
}

fn main() {}
