use cache_runtime::write_behind;

struct Repository;

impl Repository {
    #[write_behind(queue = "rows")]
    async fn save(&self, rows: Vec<String>) {
        let _ = rows;
    }
}

#[write_behind(queue = "generic")]
async fn save_generic<T: Clone, const N: usize>(rows: Vec<T>) {
    let _ = rows;
}

#[write_behind(queue = "sync")]
fn save_sync(rows: Vec<String>) {
    let _ = rows;
}

fn main() {}
