use std::rc::Rc;

use cache_runtime::write_behind;

#[write_behind(queue = "rows")]
async fn save_rows(rows: Vec<String>) {
    let shared = Rc::new(rows);
    std::future::ready(()).await;
    drop(shared);
}

fn main() {}
