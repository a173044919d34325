//! The key of an item, and what needs it.

use cache_runtime::{cached, write_behind};

#[cached(key = "count:<id>", ttl = 60)]
async fn count(id: i64) -> i64 {
    id
}

fn add(one: i64, other: i64) -> i64 {
    one + other
}

#[write_behind(queue = "counts", merge = add, put(count(7) = 1))]
async fn key_missing(counts: Vec<i64>) {
    let _ = counts;
}

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

#[derive(serde::Serialize, serde::Deserialize)]
struct View {
    page: String,
    seconds: f64,
}

#[write_behind(queue = "views", key = "<view.pages>")]
async fn save_views(views: Vec<View>) {
    let _ = views;
}

#[write_behind(queue = "seconds", key = "<view.seconds>")]
async fn save_seconds(views: Vec<View>) {
    let _ = views;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Count {
    page: String,
    count: u64,
}

impl Count {
    fn add(self, other: &Self) -> Self {
        Self { count: self.count + other.count, ..self }
    }
}

#[write_behind(queue = "views", key = "<view.page>", merge = Count::add)]
async fn merge_of_wrong_type(views: Vec<Count>) {
    let _ = views;
}

#[write_behind(queue = "counts", key = "<pair.0>", put(count(pair.0)), put(count = 1), put)]
async fn put_malformed(counts: Vec<(i64, i64)>) {
    let _ = counts;
}

#[write_behind(queue = "counts", key = "<pair.0>", put(count(pair.0) = pair.1))]
async fn put_of_wrong_type(counts: Vec<(i64, String)>) {
    let _ = counts;
}

fn main() {}
