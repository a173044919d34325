use cache_runtime::write_behind;

struct Silent;

type Outcome = Result<u64, String>;

#[write_behind(queue = "a")]
async fn save_and_count(rows: Vec<String>) -> Result<u64, String> {
    Ok(rows.len() as u64)
}

#[write_behind(queue = "b")]
async fn save_all(rows: Vec<String>) -> bool {
    rows.is_empty()
}

#[write_behind(queue = "c")]
async fn save_by_alias(rows: Vec<String>) -> Outcome {
    Ok(rows.len() as u64)
}

#[write_behind(queue = "d")]
async fn save_silently(rows: Vec<String>) -> Result<(), Silent> {
    drop(rows);
    Ok(())
}

fn main() {}
