use cache_runtime::write_behind;

struct Db;

#[write_behind(queue = "a")]
async fn save_one(db: &Db, row: String) {
    let _ = (db, row);
}

#[write_behind(queue = "b")]
async fn save_first(rows: Vec<String>, db: &Db) {
    let _ = (db, rows);
}

#[write_behind(queue = "c")]
async fn save_slice(rows: &[String]) {
    let _ = rows;
}

#[write_behind(queue = "d")]
async fn save_nothing() {}

#[write_behind(queue = "e")]
async fn save_borrowed(rows: Vec<&str>) {
    let _ = rows;
}

fn main() {}
