//! The database: SQLite, at the price of a server.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::seed::{self, Size};

/// Which database, and what a statement costs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file; several processes may open it.
    pub path: PathBuf,
    /// How many statements can be at work at once.
    pub connections: u32,
    /// How long each of them occupies its connection beyond what SQLite takes.
    pub statement: Duration,
    /// What is put into a new file.
    pub size: Size,
}

/// A bounded pool of connections, in each of which every statement takes its time.
///
/// A statement of SQLite takes some microseconds of this process, and no network lies between; a
/// service that has its database elsewhere waits for it, and shares it with others. So each
/// statement sleeps inside its connection first. What is bounded then is what is bounded there: how
/// many statements the database answers in a second.
#[derive(Clone, Debug)]
pub(crate) struct DbPool {
    pool: SqlitePool,
    statement: Duration,
    statements: Arc<AtomicU64>,
}

impl DbPool {
    /// Opens the file, and fills it if it is new.
    pub(crate) async fn open(settings: &Settings) -> sqlx::Result<Self> {
        // Nothing has to survive the machine.
        let options = SqliteConnectOptions::new()
            .filename(&settings.path)
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
        Ok(Self { pool, statement: settings.statement, statements: Arc::default() })
    }

    /// A connection for so many statements, which have taken their time when this returns.
    pub(crate) async fn connection(&self, statements: u32) -> sqlx::Result<PoolConnection<Sqlite>> {
        let connection = self.pool.acquire().await?;
        self.statements.fetch_add(u64::from(statements), Ordering::Relaxed);
        for _ in 0..statements {
            tokio::time::sleep(self.statement).await;
        }
        Ok(connection)
    }

    /// How many statements there were.
    pub(crate) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Waits until all connections are closed.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A directory for a database, which is removed in the end.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new directory, of this process alone.
    ///
    /// # Errors
    ///
    /// Of the file system.
    pub fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("blog-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies among other temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
