use cache_runtime::write_behind;

struct Db;

#[write_behind(queue = "a", key = "<rows.id>")]
async fn save_by_batch(rows: Vec<(i64, String)>) {
    let _ = rows;
}

#[write_behind(queue = "b", key = "<db.name>:<row.0>")]
async fn save_by_database(db: &Db, rows: Vec<(i64, String)>) {
    let _ = (db, rows);
}

#[write_behind(queue = "c", key = "<row.0>:<rwo.1>")]
async fn save_misspelt(rows: Vec<(i64, String)>) {
    let _ = rows;
}

#[write_behind(queue = "d", key = "all")]
async fn save_all(rows: Vec<(i64, String)>) {
    let _ = rows;
}

fn main() {}
