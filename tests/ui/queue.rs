//! The options of `#[write_behind]`.

use cache_runtime::write_behind;

#[write_behind(batch = 500)]
async fn queue_missing(rows: Vec<String>) {
    let _ = rows;
}

#[write_behind(queue = "")]
async fn save_empty(rows: Vec<String>) {
    let _ = rows;
}

#[write_behind(queue = "page views {1}")]
async fn save_spaces(rows: Vec<String>) {
    let _ = rows;
}

const NAME: &str = "rows";

#[write_behind(queue = NAME)]
async fn save_constant(rows: Vec<String>) {
    let _ = rows;
}

#[write_behind(queue = "rows", max_lenght = 100, retries = 5)]
async fn option_unknown(rows: Vec<String>) {
    let _ = rows;
}

#[write_behind(
    queue = "rows",
    batch = 0,
    partitions = 1000,
    max_len = "100",
    max_attempts = -1,
    replicas = 0,
    linger = 0,
    on_unavailable = "wait",
)]
async fn numbers(rows: Vec<String>) {
    let _ = rows;
}

#[write_behind(queue = "a", version = "2")]
async fn text(items: Vec<u64>) {
    drop(items);
}

#[write_behind(queue = "b", version = -1)]
async fn negative(items: Vec<u64>) {
    drop(items);
}

#[write_behind(queue = "c", version = 2, version = 3)]
async fn twice(items: Vec<u64>) {
    drop(items);
}

#[write_behind(queue = "d", strict_values)]
async fn strict(items: Vec<u64>) {
    drop(items);
}

fn main() {}
