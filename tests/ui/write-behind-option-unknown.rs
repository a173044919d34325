use cache_runtime::write_behind;

#[write_behind(queue = "rows", max_lenght = 100, retries = 5)]
async fn save_rows(rows: Vec<String>) {
    let _ = rows;
}

fn main() {}
