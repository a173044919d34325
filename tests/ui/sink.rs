//! What a sink can be.

use std::rc::Rc;

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

#[write_behind(queue = "rows")]
async fn sink_not_send(rows: Vec<String>) {
    let shared = Rc::new(rows);
    std::future::ready(()).await;
    drop(shared);
}

struct Context<'a>(&'a str);

trait Sender {}

struct State(Db);

#[write_behind(queue = "a")]
async fn save_mutably(log: &mut Vec<String>, rows: Vec<String>) {
    let _ = (log, rows);
}

#[write_behind(queue = "b")]
async fn save_borrowing(context: Context<'_>, rows: Vec<String>) {
    let _ = (context.0, rows);
}

#[write_behind(queue = "c")]
async fn save_to_object(sender: &dyn Sender, rows: Vec<String>) {
    let _ = (sender, rows);
}

#[write_behind(queue = "d")]
async fn save_to_opaque(sender: impl Sender, rows: Vec<String>) {
    let _ = (sender, rows);
}

#[write_behind(queue = "e")]
async fn save_pattern(State(db): State, rows: Vec<String>) {
    let _ = (db, rows);
}

#[write_behind(queue = "f")]
async fn save_uncloneable(db: &Db, rows: Vec<String>) {
    let _ = (db, rows);
}

#[write_behind(queue = "g")]
async fn save_uncloneable_value(db: Db, rows: Vec<String>) {
    let _ = (db, rows);
}

fn main() {}
