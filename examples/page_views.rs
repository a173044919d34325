//! Page views, written behind and counted exactly once: `cargo run --example page_views`, or with a
//! server `CACHE_URL=redis://127.0.0.1 cargo run --example page_views`.
//!
//! A view is acknowledged once it is in the queue, and is delivered at least once. Counting it
//! twice would be wrong, so the sink stores how far it has got next to its counters, in the same
//! transaction.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_runtime::queue::Position;
use cache_runtime::{Batch, Cache, write_behind};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Serialize, Deserialize)]
struct View {
    page: String,
    count: i64,
}

impl View {
    /// Merges two views of the same page into one.
    fn add(&mut self, newer: &Self) {
        self.count += newer.count;
    }
}

#[write_behind(
    queue = "page-views",
    key = "<view.page>",
    merge = View::add,
    linger = "20ms",
    partitions = 4
)]
async fn save_views(db: &SqlitePool, views: Batch<View>) -> Result<()> {
    let mut tx = db.begin().await?;
    let (partition, delivered) = (views.partition(), views.pushed());
    let stored = "SELECT position FROM progress WHERE partition = ?";
    let stored: Option<String> =
        sqlx::query_scalar(stored).bind(partition).fetch_one(&mut *tx).await?;
    // Everything up to here has been counted. A text that does not parse must not pass for the
    // beginning: it is an error.
    let stored = stored.map(|text| text.parse::<Position>()).transpose()?;

    let views = views.after(stored);
    let (new, position) = (views.pushed(), views.position());
    let rows = views.into_items();
    println!("{delivered:>6} views, {new:>4} of them new, in {:>2} rows", rows.len());
    for view in rows {
        let add = "INSERT INTO page VALUES (?, ?)
                   ON CONFLICT DO UPDATE SET views = views + excluded.views";
        sqlx::query(add).bind(view.page).bind(view.count).execute(&mut *tx).await?;
    }
    // `None` for a view that bypassed the queue because the server could not be reached.
    if let Some(position) = position {
        let store = "UPDATE progress SET position = ? WHERE partition = ?";
        sqlx::query(store).bind(position.to_string()).bind(partition).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    trouble()
}

/// The worst that can happen to a sink: it fails after everything has been committed.
fn trouble() -> Result<()> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    match CALLS.fetch_add(1, Ordering::Relaxed) % 3 {
        1 => Err("the connection was lost after the commit".into()),
        _ => Ok(()),
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::var("CACHE_URL").unwrap_or_else(|_| "memory:".to_owned());
    // Every run has a database of its own, so it needs a queue of its own too.
    let namespace = format!("page_views:{}", std::process::id());
    Cache::builder().namespace(namespace).connect(&url)?.install();
    let db = website().await?;

    let (stop, stopped) = oneshot::channel::<()>();
    let worker = save_views_worker(&db).run(async { _ = stopped.await });
    let worker = tokio::spawn(worker);

    // Anywhere, in any number of processes.
    let mut visitors = JoinSet::new();
    for visitor in 0..100 {
        visitors.spawn(async move {
            for click in 0..20 {
                let page = format!("/{}", (visitor + click) % 10);
                save_views_queue().push(View { page, count: 1 }).await?;
            }
            Result::Ok(())
        });
    }
    visitors.join_all().await.into_iter().collect::<Result<()>>()?;

    // A worker that stops leaves what is in the queue to other workers. Here there are none, so
    // wait until it is empty.
    while waiting().await? > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    _ = stop.send(());
    worker.await?;

    let counted = "SELECT name, views FROM page ORDER BY name";
    let counted: Vec<(String, i64)> = sqlx::query_as(counted).fetch_all(&db).await?;
    for (page, views) in &counted {
        println!("{page:>6} {views}");
    }
    assert!(counted.len() == 10 && counted.iter().all(|(_, views)| *views == 200));
    println!("2,000 views, each counted once");
    Ok(())
}

/// How many views have not reached the database.
async fn waiting() -> Result<u64> {
    let length = save_views_queue().length().await?;
    Ok(length.waiting + length.pending)
}

async fn website() -> Result<SqlitePool> {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    let sql = "CREATE TABLE page (name TEXT PRIMARY KEY, views INTEGER);
               CREATE TABLE progress (partition INTEGER PRIMARY KEY, position TEXT);
               INSERT INTO progress (partition) VALUES (0), (1), (2), (3)";
    sqlx::raw_sql(sql).execute(&db).await?;
    Ok(db)
}
