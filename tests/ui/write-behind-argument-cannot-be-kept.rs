use cache_runtime::write_behind;

struct Db;
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
