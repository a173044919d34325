//! What is loaded where a value is missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::super::subject::User;

/// Loads that took time, in this process.
pub(crate) static LOADS: AtomicU64 = AtomicU64::new(0);

/// How a user is loaded.
#[derive(Clone, Debug)]
pub(crate) enum Load {
    /// Costs nothing.
    Free,
    /// Takes so long.
    Slow(Duration),
    /// Reads the database.
    From(Arc<Database>),
    /// The same, but takes until it is told to end.
    Held(Arc<Database>),
}

/// A row, and a reader that has read it and does not go on.
#[derive(Debug, Default)]
pub(crate) struct Database {
    version: AtomicU64,
    was_read: Notify,
    may_end: Notify,
}

impl Load {
    pub(crate) async fn user(self, id: u64) -> User {
        match self {
            Self::Free => User::new(id),
            Self::Slow(body) => {
                LOADS.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(body).await;
                User::new(id)
            }
            Self::From(database) => database.read(),
            Self::Held(database) => {
                let user = database.read();
                database.was_read.notify_one();
                database.may_end.notified().await;
                user
            }
        }
    }
}

impl Database {
    /// A user whose id is the version of the row.
    pub(crate) fn read(&self) -> User {
        User::new(self.version.load(Ordering::SeqCst))
    }

    pub(crate) fn write(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) async fn was_read(&self) {
        self.was_read.notified().await;
    }

    /// Lets the reader end.
    pub(crate) fn let_end(&self) {
        self.may_end.notify_one();
    }
}
