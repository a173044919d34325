//! The database, a file that every process opens, and what its writes tell.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};

use cache_runtime::Cache;
use cache_testing::LIMIT;
use cache_testing::dice::Dice;
use cache_testing::history::Time;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::now;

/// Few, so that operations meet.
pub const ROWS: u64 = 2 * HALF;
const HALF: u64 = 4;
/// How many rows an operation on some of them has.
const SOME: u64 = 3;

/// Rows whose turn comes one after the other, at the same time in all processes. Their writes may
/// be dropped, which keeps a row out of the cache for a fence's length: until its next turn.
const PASSING: u64 = 64;
/// How long a turn lasts, in nanoseconds.
const TURN: Time = 200_000_000;

/// All rows.
pub const ALL: u64 = ROWS + PASSING;

/// The row whose turn it is.
pub fn passing() -> u64 {
    ROWS + now() / TURN % PASSING
}

/// Whether the row has turns.
pub const fn is_passing(id: u64) -> bool {
    id >= ROWS
}

/// Rows of the second half are mostly read by functions that look at the age of their entries.
pub const fn is_aged(id: u64) -> bool {
    id >= HALF && !is_passing(id)
}

/// A row and the next ones of its half; a row that has turns is alone.
pub fn neighbours(id: u64) -> Vec<u64> {
    if is_passing(id) {
        return vec![id];
    }
    (0..SOME).map(|next| id / HALF * HALF + (id + next) % HALF).collect()
}

/// What is cached. The id tells a value that belongs to another key.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub id: u64,
    pub version: u64,
}

/// A body's own error.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
        for id in 0..ALL {
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
            .busy_timeout(LIMIT)
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
    pub async fn load(&self, id: u64) -> Result<Row, Failed> {
        let version = self.version(id).await;
        self.linger().await.map(|()| Row { id, version })
    }

    /// A load of many rows.
    pub async fn load_all(&self, ids: &[u64]) -> Result<HashMap<u64, Row>, Failed> {
        let mut rows = HashMap::new();
        for id in ids {
            rows.insert(*id, Row { id: *id, version: self.version(*id).await });
        }
        self.linger().await.map(|()| rows)
    }

    /// Sometimes for long, sometimes in vain.
    async fn linger(&self) -> Result<(), Failed> {
        sleep(self.dice.span(if self.dice.percent(2) { 300 } else { 6 })).await;
        if self.dice.percent(5) { Err(Failed) } else { Ok(()) }
    }

    /// The body of a write; what it made. Its fence, if it has one, is up.
    pub async fn update(&self, id: u64, trace: &Trace) -> u64 {
        let version = self.statement(id, trace).await.unwrap();
        sleep(self.dice.span(6)).await;
        version
    }

    /// Sends a statement to the database, which goes on with it whether or not somebody waits for
    /// the version that it makes. Sometimes it takes long.
    pub fn statement(&self, id: u64, trace: &Trace) -> JoinHandle<u64> {
        trace.begins();
        let (db, trace) = (self.clone(), trace.clone());
        tokio::spawn(async move {
            let long = db.dice.percent(if is_passing(id) { 50 } else { 10 });
            sleep(db.dice.span(if long { 60 } else { 4 })).await;
            let version = db.bump(id).await;
            trace.commits(id, version);
            version
        })
    }

    /// Makes a new version, which is committed when this returns. Dropped half-way it may be
    /// committed later.
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
    pub cache: Cache,
    told: Arc<Mutex<Told>>,
    /// Statements that the database has received and not yet committed.
    running: Arc<watch::Sender<usize>>,
}

#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Whether the journal was empty when the body began: no fence was refused. None if it did not
    /// begin.
    pub nothing_journalled: Option<bool>,
    /// When which row was committed, and the version that this made.
    pub committed: BTreeMap<u64, (Time, u64)>,
}

impl Trace {
    pub fn of(cache: &Cache) -> Self {
        Self { cache: cache.clone(), told: Arc::default(), running: Arc::default() }
    }

    pub fn told(&self) -> Told {
        self.told.lock().unwrap().clone()
    }

    /// A statement of the body; the first tells, of a body that writes several rows.
    fn begins(&self) {
        let is_empty = || self.cache.stats().journal_depth == 0;
        self.told.lock().unwrap().nothing_journalled.get_or_insert_with(is_empty);
        self.running.send_modify(|running| *running += 1);
    }

    /// Waits until the database has committed what it has received.
    pub async fn ended(&self) {
        self.running.subscribe().wait_for(|running| *running == 0).await.unwrap();
    }

    fn commits(&self, id: u64, version: u64) {
        self.told.lock().unwrap().committed.insert(id, (now(), version));
        self.running.send_modify(|running| *running -= 1);
    }
}
