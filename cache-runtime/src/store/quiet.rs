//! The time after a server's start, or a change of primary, in which nothing is stored.
//!
//! A server that comes back empty, or a promoted replica, does not know what a writer could not
//! deliver: that waits in the journal of the writer's process, which may reconnect later than
//! others. Without a quiet time:
//!
//! | process A | process B |
//! |---|---|
//! | reconnects; a read misses and loads version 0 | is between two attempts to connect |
//! | stores version 0 | commits version 1; its invalidation goes to the journal; the write returns |
//! | serves version 0 to reads that began after that | reconnects, and delivers the journal |
//!
//! So a process that reconnects stores nothing until every other one can have reconnected and have
//! delivered what it had not. It still reads, and it still invalidates: what is in the store was
//! acknowledged by that server itself.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::time::Duration;

use tokio::time::Instant;

/// No pause between two attempts to connect is longer. Short, since it lengthens the quiet time of
/// all processes: an attempt in vain costs next to nothing.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How long a process may take to deliver its journal once it has reconnected.
const DELIVERY: Duration = Duration::from_millis(500);

/// How long it takes until every process has reconnected, where an attempt takes at most `attempt`:
/// one that began just before the server was there may last that long, in vain, and a pause
/// follows.
pub(crate) const fn span(attempt: Duration) -> Duration {
    attempt.saturating_add(LONGEST_PAUSE).saturating_add(DELIVERY)
}

/// Whether there is a quiet time, at one server.
#[derive(Debug)]
pub(crate) struct Quiet {
    created: Instant,
    /// When it is over, in milliseconds since `created`.
    until: AtomicU64,
}

impl Default for Quiet {
    fn default() -> Self {
        Self { created: Instant::now(), until: AtomicU64::new(0) }
    }
}

impl Quiet {
    /// Begins a quiet time, or makes the present one longer.
    pub(crate) fn begin(&self, span: Duration) {
        let until = self.created.elapsed().saturating_add(span).as_millis();
        self.until.fetch_max(u64::try_from(until).unwrap_or(u64::MAX), AcqRel);
    }

    pub(crate) fn is_on(&self) -> bool {
        let until = self.until.load(Acquire);
        until != 0 && self.created.elapsed().as_millis() < u128::from(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_by_itself_and_is_never_made_shorter() {
        let quiet = Quiet::default();
        assert!(!quiet.is_on());
        quiet.begin(Duration::from_secs(2));
        quiet.begin(Duration::from_secs(1));
        tokio::time::advance(Duration::from_millis(1_999)).await;
        assert!(quiet.is_on());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!quiet.is_on());
    }
}
