//! Everything at once: many items, and whatever may fail fails.
//!
//! Two queues. Steps of counters are no whole values: their sink stores the position beside the
//! rows, and each step must be the one after the step before. Values of rows are whole: their sink
//! is guarded by versions, and a push that finds Redis down writes its row directly.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cache_runtime::queue::Position;
use cache_runtime::stats::QueueLength;
use cache_runtime::{Batch, Cache, Error, ErrorKind, write_behind};
use cache_testing::LIMIT;
use cache_testing::barrier::eventually;
use cache_testing::children::{self, Child, Parent, this_test};
use cache_testing::redis::{Data, RedisServer};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use tokio::task::JoinSet;
use tokio::time::sleep;

const COUNTERS: u64 = 60;
const ROWS: u64 = 40;
/// Pushed for each counter, and for each row.
const EACH: u64 = 1000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    id: u64,
    number: u64,
}

/// A file that every process opens.
#[derive(Clone, Debug)]
pub struct Database {
    pool: SqlitePool,
    /// While this exists, sinks fail.
    fault: PathBuf,
}

#[derive(Debug)]
pub struct Failed(String);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}

const SCHEMA: &str = "
    CREATE TABLE counter (id INTEGER PRIMARY KEY, count INTEGER NOT NULL);
    CREATE TABLE position (queue TEXT, partition INTEGER, position TEXT, PRIMARY KEY (queue, partition));
    CREATE TABLE row (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, version INTEGER NOT NULL);
    CREATE TABLE violation (what TEXT);
    CREATE TRIGGER never_back BEFORE UPDATE ON row
        WHEN NEW.version <= OLD.version OR NEW.number < OLD.number
        BEGIN INSERT INTO violation VALUES ('row ' || OLD.id || ': ' || NEW.number || ' over ' || OLD.number); END;
";

impl Database {
    async fn create(directory: &Path) -> Self {
        let database = Self::open(directory).await;
        sqlx::raw_sql(SCHEMA).execute(&database.pool).await.unwrap();
        database
    }

    async fn open(directory: &Path) -> Self {
        // Nothing has to survive the machine.
        let options = SqliteConnectOptions::new()
            .filename(directory.join("database"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(LIMIT)
            .synchronous(SqliteSynchronous::Off);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        Self { pool, fault: directory.join("fault") }
    }

    fn check(&self) -> Result<(), Failed> {
        if self.fault.exists() { Err(Failed("the database is down".to_owned())) } else { Ok(()) }
    }

    async fn number(&self, sql: &'static str) -> u64 {
        let number: i64 = sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap();
        number.cast_unsigned()
    }

    /// How much has arrived, of all items or newer ones of their rows.
    async fn progress(&self) -> u64 {
        let counted = self.number("SELECT coalesce(sum(count), 0) FROM counter").await;
        counted + self.number("SELECT coalesce(sum(number), 0) FROM row").await
    }
}

/// Increments, exactly once.
#[write_behind(
    queue = "counters",
    key = "<event.id>",
    merge = none,
    linger = "5ms",
    lease = "1s",
    push_timeout = "30s",
    on_unavailable = "error"
)]
pub async fn count(db: &Database, events: Batch<Event>) -> Result<(), Failed> {
    db.check()?;
    let (partition, mut tx) = (i64::from(events.partition()), db.pool.begin().await?);
    // Written first, so that the transaction waits for others now, and not when it has read.
    let begin = "INSERT INTO position VALUES ('counters', ?, '') ON CONFLICT DO NOTHING";
    sqlx::query(begin).bind(partition).execute(&mut *tx).await?;
    let select = "SELECT position FROM position WHERE queue = 'counters' AND partition = ?";
    let stored: String = sqlx::query_scalar(select).bind(partition).fetch_one(&mut *tx).await?;
    let events = events.after(stored.parse::<Position>().ok());
    if events.is_empty() {
        return Ok(());
    }
    let position = events.position().map(|position| position.to_string());
    let known: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id, count FROM counter").fetch_all(&mut *tx).await?;
    let mut counts: std::collections::BTreeMap<i64, i64> = known.into_iter().collect();
    for Event { id, number } in events.into_items() {
        let count = counts.entry(id.cast_signed()).or_default();
        *count += 1;
        if count.cast_unsigned() != number {
            let what = format!("counter {id}: step {number} came as the {count}th");
            sqlx::query("INSERT INTO violation VALUES (?)").bind(what).execute(&mut *tx).await?;
        }
    }
    let counts = serde_json::to_string(&counts).map_err(|error| Failed(error.to_string()))?;
    let store =
        "INSERT INTO counter SELECT CAST(key AS INTEGER), value FROM json_each(?) WHERE true
        ON CONFLICT (id) DO UPDATE SET count = excluded.count";
    sqlx::query(store).bind(counts).execute(&mut *tx).await?;
    let end = "UPDATE position SET position = ? WHERE queue = 'counters' AND partition = ?";
    sqlx::query(end).bind(position).bind(partition).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Whole values, guarded by their versions.
#[write_behind(
    queue = "rows",
    key = "<value.id>",
    linger = "5ms",
    lease = "1s",
    push_timeout = "500ms"
)]
pub async fn save(db: &Database, values: Batch<Event>) -> Result<(), Failed> {
    db.check()?;
    let rows: Vec<_> =
        values.into_iter().map(|row| (row.item.id, row.item.number, row.version)).collect();
    let rows = serde_json::to_string(&rows).map_err(|error| Failed(error.to_string()))?;
    let store = "INSERT INTO row
        SELECT value->>0, value->>1, value->>2 FROM json_each(?) WHERE true
        ON CONFLICT (id) DO UPDATE SET number = excluded.number, version = excluded.version
        WHERE row.version < excluded.version";
    sqlx::query(store).bind(rows).execute(&db.pool).await?;
    Ok(())
}

#[derive(Debug, Serialize, Deserialize)]
struct Orders {
    url: String,
    directory: PathBuf,
}

/// A process that delivers.
async fn deliver(mut parent: Parent) {
    let Orders { url, directory } = parent.setup();
    let (cache, db) = (Cache::connect(&url).unwrap(), Database::open(&directory).await);
    cache.install();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let workers = [count_worker(&db), save_worker(&db)].map(|worker| {
        let mut stopped = stopped.clone();
        tokio::spawn(worker.run(async move { drop(stopped.wait_for(|stop| *stop).await) }))
    });
    parent.expect("stop").await;
    stop.send(true).unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
}

/// Pushes until it is pushed: what is certainly not in the queue is pushed again, and so is a row
/// that the sink did not take directly, in whichever of the two it may be.
async fn push(queue: &cache_runtime::Queue<Event>, event: Event) -> Result<(), Error> {
    loop {
        match queue.push(event.clone()).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                sleep(Duration::from_millis(10)).await;
            }
            Err(error) if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Sink) => {
                sleep(Duration::from_millis(10)).await;
            }
            result => return result,
        }
    }
}

/// Waits for the database to hold so much, as long as it gets more.
async fn progress(db: &Database, goal: u64) {
    let (mut last, mut since) = (0, Instant::now());
    loop {
        let now = db.progress().await;
        if now >= goal {
            return;
        }
        if now > last {
            (last, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < LIMIT, "nothing arrives any more after {now} of {goal}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_turned_back() {
    if let Some(parent) = children::parent() {
        return deliver(parent).await;
    }
    let server = RedisServer::builder().durable().start().await;
    let directory = tempfile::tempdir().unwrap();
    let db = Database::create(directory.path()).await;
    let cache = Cache::connect(&server.url()).unwrap();
    cache.install();
    // Not run: pushes go to its sink where Redis is down.
    let _direct = save_worker(&db);

    let orders = Orders { url: server.url(), directory: directory.path().to_owned() };
    let test = this_test!();
    let mut workers = [0, 1].map(|index| Child::spawn(&test, index, &orders));
    let mut pushes = JoinSet::new();
    for id in 0..COUNTERS + ROWS {
        pushes.spawn(async move {
            let queue = if id < COUNTERS { count_queue() } else { save_queue() };
            for number in 1..=EACH {
                push(&queue, Event { id, number }).await.unwrap();
            }
        });
    }

    let all = (COUNTERS + ROWS) * EACH;
    for fault in 1..=9 {
        progress(&db, all * fault / 10).await;
        match fault {
            1 | 3 | 5 | 7 | 9 => {
                let worker = &mut workers[usize::from(fault % 4 == 1)];
                worker.kill().await;
                *worker = Child::spawn(&test, 0, &orders);
            }
            2 | 4 => {
                server.kill();
                let direct = || cache.stats().queue("rows").map_or(0, |queue| queue.direct);
                let before = direct();
                eventually!(direct() > before || pushes.is_empty());
                server.restart(Data::Kept).await;
            }
            6 => {
                std::fs::write(&db.fault, "").unwrap();
                // What is asked for is a time.
                sleep(Duration::from_secs(5)).await;
                std::fs::remove_file(&db.fault).unwrap();
            }
            _ => {}
        }
    }
    while let Some(pushed) = pushes.join_next().await {
        pushed.unwrap();
    }
    progress(&db, all).await;
    // What was in doubt may be in the queue, although a row got it directly: it is delivered before
    // anything is compared.
    for queue in [count_queue(), save_queue()] {
        eventually!(queue.length().await.is_ok_and(|length| length == QueueLength::default()));
    }
    for mut worker in workers {
        worker.say("stop").await;
        worker.finish().await;
    }

    let violations: Vec<String> =
        sqlx::query_scalar("SELECT what FROM violation").fetch_all(&db.pool).await.unwrap();
    assert_eq!(violations, <[String; 0]>::default());
    assert_eq!(db.number("SELECT min(count) FROM counter").await, EACH);
    assert_eq!(db.number("SELECT max(count) FROM counter").await, EACH);
    assert_eq!(db.number("SELECT count(*) FROM counter").await, COUNTERS);
    assert_eq!(db.number("SELECT min(number) FROM row").await, EACH);
    assert_eq!(db.number("SELECT count(*) FROM row").await, ROWS);
    let stats = cache.stats();
    let (counters, rows) = (stats.queue("counters").unwrap(), stats.queue("rows").unwrap());
    assert_eq!(counters.pushed, COUNTERS * EACH);
    assert_eq!((counters.direct, rows.pushed + rows.direct), (0, ROWS * EACH));
}
