use cache_runtime::write_behind;

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
async fn save_rows(rows: Vec<String>) {
    let _ = rows;
}

fn main() {}
