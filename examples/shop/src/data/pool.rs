//! The database: SQLite, at the price of a server.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::task_local;

use crate::data::seed::{self, Size};

task_local! {
    /// How many queries a piece of work has asked by itself.
    static OF_WORK: Cell<u64>;
}

/// Says how many queries a piece of work asks by itself.
pub(crate) async fn counting<T>(work: impl Future<Output = T>) -> (T, u64) {
    let counted = async { (work.await, OF_WORK.with(Cell::get)) };
    OF_WORK.scope(Cell::new(0), counted).await
}

/// Which database, and what a query costs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file; without one there is a new database in each run, which goes in the end.
    pub path: Option<PathBuf>,
    /// How many queries can be at work at once.
    pub connections: u32,
    /// How long each of them occupies its connection beyond what SQLite takes.
    pub query: Duration,
    /// What is put into a new file.
    pub size: Size,
}

/// A bounded pool of connections, on each of which every query takes its time.
///
/// A query of SQLite takes some microseconds of this process, and no network lies between; a shop
/// whose database is elsewhere waits for it, and shares it with others. So each query sleeps on its
/// connection first. What is bounded then is what is bounded there: how many queries the database
/// answers in a second.
#[derive(Clone, Debug)]
pub(crate) struct DbPool {
    pool: SqlitePool,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Counters {
    queries: AtomicU64,
    /// In microseconds.
    query: AtomicU64,
}

impl DbPool {
    /// Opens the file, and fills it if it is new.
    pub(crate) async fn open(path: PathBuf, settings: &Settings) -> sqlx::Result<Self> {
        // Nothing has to survive the machine.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(60))
            .synchronous(SqliteSynchronous::Off);
        let pool = SqlitePoolOptions::new()
            .max_connections(settings.connections)
            .acquire_timeout(Duration::from_secs(60))
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        seed::fill(&pool, settings.size).await?;
        let counters = Counters { queries: AtomicU64::new(0), query: AtomicU64::new(0) };
        let db = Self { pool, counters: Arc::new(counters) };
        db.set_cost(settings.query);
        Ok(db)
    }

    /// A connection for one query, which has taken its time when this returns.
    pub(crate) async fn query(&self) -> sqlx::Result<PoolConnection<Sqlite>> {
        self.queries(1).await
    }

    /// A connection for so many queries, or for one that costs as much as so many.
    pub(crate) async fn queries(&self, many: u32) -> sqlx::Result<PoolConnection<Sqlite>> {
        let connection = self.pool.acquire().await?;
        self.counters.queries.fetch_add(u64::from(many), Ordering::Relaxed);
        // An error means that nobody wants to know.
        let _ = OF_WORK.try_with(|asked| asked.set(asked.get() + u64::from(many)));
        let each = Duration::from_micros(self.counters.query.load(Ordering::Relaxed));
        tokio::time::sleep(each * many).await;
        Ok(connection)
    }

    /// How many queries there were.
    pub(crate) fn asked(&self) -> u64 {
        self.counters.queries.load(Ordering::Relaxed)
    }

    /// Changes what a query costs from now on.
    pub(crate) fn set_cost(&self, query: Duration) {
        let us = u64::try_from(query.as_micros()).unwrap_or(u64::MAX);
        self.counters.query.store(us, Ordering::Relaxed);
    }

    /// Waits until all connections are closed.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
