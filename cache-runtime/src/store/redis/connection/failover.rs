//! Notices when a different primary answers than before, or one that has just started.
//!
//! Replication is asynchronous: a promoted replica, or a server restarted from disk, may not know
//! of an invalidation that its predecessor had acknowledged. Observers are notified before the
//! first call reaches the successor. Nor does it know of invalidations that other processes could
//! not deliver meanwhile: a [quiet time](crate::store::quiet) begins.
//!
//! | connection | quiet time |
//! |---|---|
//! | to the primary of the last one | none: it was only the connection that was lost |
//! | to another primary, or to one that does not say who it is | yes |
//! | the first of this process, after attempts in vain | yes: others may have failed as well |
//! | the first, and this process is older than the server | yes: so may others be, and have been connected before |
//! | the first, and the server is older | none |
//!
//! The last row is not quite certain: of a server that restarted a moment before this process
//! began, it cannot know that it was a restart. If it had to wait for that reason, nothing would be
//! cached in the first seconds of every server, that of a test included. What is left is a write of
//! another process that is cut off from the server in the very moment; any other delivers its
//! invalidation before it returns ([`attempts`](crate::store::redis::connection::breaker)).

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::record::Origin;
use crate::store::quiet::Quiet;
use crate::store::redis::connection::server::Server;

/// How exactly servers say since when they have been running.
const RESOLUTION: Duration = Duration::from_secs(1);

type Observer = Box<dyn Fn() + Send + Sync>;

pub(in crate::store) struct FailoverWatch {
    created: Instant,
    past: Mutex<Past>,
    observer: OnceLock<Observer>,
    pub(in crate::store) quiet: Quiet,
}

/// What there was before the next connection.
#[derive(Debug, Default)]
struct Past {
    last: Option<Origin>,
    /// An attempt to connect was in vain.
    missed: bool,
}

impl Default for FailoverWatch {
    fn default() -> Self {
        Self {
            created: Instant::now(),
            past: Mutex::default(),
            observer: OnceLock::new(),
            quiet: Quiet::default(),
        }
    }
}

impl FailoverWatch {
    /// Has `on_failover` called before the first call reaches a newly promoted primary. Only the
    /// first observer counts.
    pub(in crate::store) fn observe(&self, on_failover: impl Fn() + Send + Sync + 'static) {
        _ = self.observer.set(Box::new(on_failover));
    }

    /// An attempt to connect has failed.
    pub(in crate::store) fn attempt_failed(&self) {
        self.past().missed = true;
    }

    /// This server is about to be published. Whether a quiet time begins, which lasts for `span`.
    pub(in crate::store) fn connected(&self, server: &Server, span: Duration) -> bool {
        let former =
            std::mem::replace(&mut *self.past(), Past { last: Some(server.origin), missed: false });
        let is_other = |last| last != server.origin || server.is_anonymous();
        let is_successor = former.last.is_some_and(is_other);
        let is_younger = || server.age.is_some_and(|age| self.created.elapsed() > age + RESOLUTION);
        let begins = match former.last {
            Some(_) => is_successor,
            None => former.missed || is_younger(),
        };
        if begins {
            self.quiet.begin(span);
        }
        // Before the caller publishes the connection: what the observer does has an effect on the
        // first call that reaches the successor.
        if is_successor && let Some(on_failover) = self.observer.get() {
            on_failover();
        }
        begins
    }

    fn past(&self) -> std::sync::MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FailoverWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailoverWatch").field("past", &self.past).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;
    use crate::store::redis::script::supported::Scripting;

    const SPAN: Duration = Duration::from_secs(60);

    fn server(origin: u8, age: u64) -> Server {
        Server {
            origin: Origin([origin; 8]),
            age: Some(Duration::from_secs(age)),
            is_primary: true,
            scripting: Scripting::default(),
            sets_and_gets: AtomicBool::new(true),
        }
    }

    /// As in the table above; and how often observers were told.
    #[test]
    fn a_quiet_time_begins_where_others_may_have_something_to_deliver() {
        let first = |age, missed, lived| {
            let failovers = FailoverWatch {
                created: Instant::now().checked_sub(Duration::from_secs(lived)).unwrap(),
                ..FailoverWatch::default()
            };
            if missed {
                failovers.attempt_failed();
            }
            (failovers.connected(&server(1, age), SPAN), failovers.quiet.is_on())
        };
        assert_eq!(first(0, false, 0), (false, false), "both are new");
        assert_eq!(first(100, false, 10), (false, false), "the server was there before");
        assert_eq!(first(0, false, 10), (true, true), "it was not");
        assert_eq!(first(100, true, 10), (true, true), "or it could not be reached");

        let (failovers, calls) = (FailoverWatch::default(), Arc::new(AtomicU32::new(0)));
        let count = Arc::clone(&calls);
        failovers.observe(move || _ = count.fetch_add(1, Ordering::Relaxed));
        let begins = |origin| failovers.connected(&server(origin, 0), SPAN);
        assert!(!begins(1));
        failovers.attempt_failed();
        assert!(!begins(1), "the same one");
        assert!(begins(2), "another one");
        assert!(begins(0) && begins(0), "it does not say which");
        assert!(begins(2));
        assert!(!begins(2));
        assert_eq!(calls.load(Ordering::Relaxed), 4);
    }
}
