//! The database, a file that every process opens, and the functions over it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use cache_runtime::{Cache, Key, Tag, cached, invalidates, write_through};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use tokio::time::sleep;

use crate::dice::Dice;
use crate::history::Time;
use crate::now;

/// Few, so that operations meet.
pub const ROWS: u64 = 6;

/// What is cached. The id tells a value that belongs to another key.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub id: u64,
    pub version: u64,
}

/// A body's own error.
#[derive(Debug)]
pub struct Failed;

impl From<cache_runtime::Error> for Failed {
    fn from(_: cache_runtime::Error) -> Self {
        Self
    }
}

/// The file, and the dice for how long its operations take.
#[derive(Clone, Debug)]
pub struct Database {
    pool: SqlitePool,
    dice: Dice,
}

impl Database {
    /// Makes the file with its rows, at version 0.
    pub async fn create(path: &Path) -> Self {
        let database = Self::open(path, Dice::new(0)).await;
        let sql = "CREATE TABLE row (id INTEGER PRIMARY KEY, version INTEGER NOT NULL DEFAULT 0)";
        sqlx::query(sql).execute(&database.pool).await.unwrap();
        for id in 0..ROWS {
            let insert = sqlx::query("INSERT INTO row (id) VALUES (?)").bind(id.cast_signed());
            insert.execute(&database.pool).await.unwrap();
        }
        database
    }

    pub async fn open(path: &Path, dice: Dice) -> Self {
        // Nothing has to survive the machine.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Off);
        Self { pool: SqlitePool::connect_with(options).await.unwrap(), dice }
    }

    /// The version that is committed now.
    pub async fn version(&self, id: u64) -> u64 {
        let select = sqlx::query_scalar("SELECT version FROM row WHERE id = ?");
        let version: i64 = select.bind(id.cast_signed()).fetch_one(&self.pool).await.unwrap();
        version.cast_unsigned()
    }

    /// A load: the row is read at its beginning, and is what it was then.
    async fn load(&self, id: u64) -> Result<Row, Failed> {
        let version = self.version(id).await;
        sleep(self.dice.span(if self.dice.percent(2) { 300 } else { 6 })).await;
        if self.dice.percent(5) { Err(Failed) } else { Ok(Row { id, version }) }
    }

    /// The body of a write; what it made. Its fence, if it has one, is up.
    async fn update(&self, id: u64, trace: &Trace) -> u64 {
        trace.fenced_so_far();
        sleep(self.dice.span(4)).await;
        let version = self.bump(id).await;
        trace.committed(now(), version);
        sleep(self.dice.span(6)).await;
        version
    }

    /// Makes a new version, which is committed when this returns. Dropped half-way it may be committed later.
    pub async fn bump(&self, id: u64) -> u64 {
        let pool = self.pool.clone();
        let update = tokio::spawn(async move {
            let update = "UPDATE row SET version = version + 1 WHERE id = ? RETURNING version";
            let update = sqlx::query_scalar(update).bind(id.cast_signed());
            // All rows: a statement commits when it has come to its end, not with the first row.
            update.fetch_all(&pool).await
        });
        let versions: Vec<i64> = update.await.unwrap().unwrap();
        versions[0].cast_unsigned()
    }
}

/// What the body of a write tells the recorder, also when its future is dropped.
#[derive(Clone, Debug)]
pub struct Trace {
    cache: Cache,
    told: Arc<Mutex<Told>>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// The journal was empty when the body began: no fence was refused.
    pub nothing_journalled: bool,
    pub committed: Option<(Time, u64)>,
}

impl Trace {
    pub fn of(cache: &Cache) -> Self {
        Self { cache: cache.clone(), told: Arc::default() }
    }

    pub fn told(&self) -> Told {
        *self.told.lock().unwrap()
    }

    fn fenced_so_far(&self) {
        self.told.lock().unwrap().nothing_journalled = self.cache.stats().journal_depth == 0;
    }

    fn committed(&self, time: Time, version: u64) {
        self.told.lock().unwrap().committed = Some((time, version));
    }
}

/// Rows of odd number have a tag, which their writes invalidate in place of the key.
const fn is_tagged(id: u64) -> bool {
    id % 2 == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as the attribute makes them")]
fn row_key(id: &u64) -> Key<Row> {
    let key = Key::<Row>::builder().text("row:").part(id).done();
    if is_tagged(*id) { key.tag("rows").tag(group(*id)) } else { key }
}

fn group(id: u64) -> Tag {
    Tag::builder().text("group:").part(&id).done()
}

/// What the writes of a row invalidate: its key, or its tag.
fn keys(id: u64) -> Option<Key<Row>> {
    (!is_tagged(id)).then(|| row_key(&id))
}

fn tags(id: u64) -> Option<Tag> {
    is_tagged(id).then(|| group(id))
}

/// What may be deleted from outside to the same effect.
pub fn deletable(id: u64) -> Vec<String> {
    let entry = format!("test:row:{id}");
    if is_tagged(id) { vec![entry, format!("test:~tag:group:{id}")] } else { vec![entry] }
}

#[cached(key = row_key(&id), ttl = "1h")]
pub async fn row(db: &Database, id: u64) -> Result<Row, Failed> {
    db.load(id).await
}

#[cached(key = row_key(&id), ttl = "1h", lock)]
pub async fn locked_row(db: &Database, id: u64) -> Result<Row, Failed> {
    db.load(id).await
}

#[invalidates(each(key in keys(id)) key = key.clone(), each(tag in tags(id)) tag = tag)]
pub async fn write(db: &Database, id: u64, trace: &Trace) -> Result<(), Failed> {
    db.update(id, trace).await;
    Ok(())
}

#[invalidates(
    each(key in keys(id)) key = key.clone(),
    each(tag in tags(id)) tag = tag,
    fence = "strict"
)]
pub async fn write_strictly(db: &Database, id: u64, trace: &Trace) -> Result<(), Failed> {
    db.update(id, trace).await;
    Ok(())
}

#[invalidates(
    each(key in keys(id)) key = key.clone(),
    each(tag in tags(id)) tag = tag,
    fence = "off"
)]
pub async fn write_unfenced(db: &Database, id: u64, trace: &Trace) -> Result<(), Failed> {
    db.update(id, trace).await;
    Ok(())
}

#[write_through(row(id))]
pub async fn write_and_store(db: &Database, id: u64, trace: &Trace) -> Result<Row, Failed> {
    Ok(Row { id, version: db.update(id, trace).await })
}

#[write_through(row(id) = Row { id, version: *result }, fence = "strict")]
pub async fn store_strictly(db: &Database, id: u64, trace: &Trace) -> Result<u64, Failed> {
    Ok(db.update(id, trace).await)
}

/// Commits, and then fails.
#[invalidates(each(key in keys(id)) key = key.clone(), each(tag in tags(id)) tag = tag)]
pub async fn write_and_fail(db: &Database, id: u64, trace: &Trace) -> Result<(), Failed> {
    db.update(id, trace).await;
    Err(Failed)
}

pub async fn write_by_hand(db: &Database, id: u64, trace: &Trace) -> Result<(), Failed> {
    db.update(id, trace).await;
    let invalidated = match tags(id) {
        Some(_) => trace.cache.invalidate_tag("rows").await,
        None => trace.cache.invalidate(&row_key(&id)).await,
    };
    invalidated.map_err(Failed::from)
}
