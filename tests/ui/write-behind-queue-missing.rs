use cache_runtime::write_behind;

#[write_behind(batch = 500)]
async fn save_rows(rows: Vec<String>) {
    let _ = rows;
}

fn main() {}
