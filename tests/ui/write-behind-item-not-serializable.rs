use cache_runtime::write_behind;

struct Row;

#[write_behind(queue = "rows")]
async fn save_rows(rows: Vec<Row>) {
    let _ = rows;
}

fn main() {}
