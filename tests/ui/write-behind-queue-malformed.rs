use cache_runtime::write_behind;

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

fn main() {}
