use cache_runtime::write_behind;

struct Transaction;

#[write_behind(queue = "rows")]
async fn save_rows(tx: &mut Transaction, rows: Vec<String>) -> Result<(), String> {
    let _ = (tx, rows);
    Ok(())
}

fn main() {}
