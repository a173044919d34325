//! Large values, which have a connection of their own.
//!
//! The bytes of one connection are in one order: behind a value of 50 MB, every other call would
//! wait for as long as that takes, and a breaker would take the server for one that is down. So a
//! value above [`LARGE`] is sent by a second connection, and so is the question for a key that is
//! known to hold one; the breaker, which judges the first one, does not hear of it.
//!
//! A key that nothing is known of is read by the first connection. In a process that has never seen
//! a large value, the command is a `GET`, or an `MGET` for many. If a large value comes of it,
//! calls get a new first connection as soon as one of them has waited in vain. From then on, the
//! command is a `GETRANGE` that brings no more than it takes to tell that a value is large, which
//! is then read by the second connection. A `GETRANGE` costs the server about a sixth more than a
//! `GET`, which is why it is not the rule.
//!
//! The second connection is made when it is first needed, to the same server, and ends with the
//! first.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};

use arc_swap::ArcSwap;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::time::timeout_at;

use crate::record::{self, KeyHash};
use crate::store::redis::connection::dial::{Driver, Watch, dial, log_in};
use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::link::{Link, Server};
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::supervisor::Plan;
use crate::store::{Name, StoreError, StoreResult};
use crate::support::budget::Deadline;

/// In bytes: as much as a link of 1 Gbit/s takes in 10 ms.
pub(in crate::store) const LARGE: usize = 1 << 20;
/// The same for a script.
pub(in crate::store) const LARGEST: &[u8] = b"1048576";
/// Large values that are on their way at once, on one server: each is in memory several times.
pub(in crate::store) const AT_ONCE: usize = 4;
/// Calls in a row without an answer after which the second connection is made anew.
const STRIKES: u32 = 8;
/// The most keys that are remembered as large.
const REMEMBERED: usize = 4096;

/// The second connection of a link, if it has been needed.
#[derive(Debug, Default)]
pub(in crate::store) struct Bulk {
    open: tokio::sync::Mutex<Option<Open>>,
    /// Calls in a row that were not answered in time.
    strikes: AtomicU32,
}

#[derive(Debug)]
struct Open {
    connection: MultiplexedConnection,
    has_ended: Arc<AtomicBool>,
    _driver: Driver,
}

/// Says that a connection has ended.
struct Ended(Arc<AtomicBool>);

impl Watch for Ended {}

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl Bulk {
    /// The connection, which is made if there is none.
    async fn connection(&self, link: &Link, plan: &Plan) -> Result<MultiplexedConnection, Cause> {
        let mut open = self.open.lock().await;
        let is_of_use =
            |open: &&Open| !open.has_ended.load(Relaxed) && self.strikes.load(Relaxed) < STRIKES;
        if let Some(open) = open.as_ref().filter(is_of_use) {
            return Ok(open.connection.clone());
        }
        *open = None;
        self.strikes.store(0, Relaxed);
        let Plan { access, settings, .. } = plan;
        let stream = dial(&link.endpoint, access.tls, settings.connect_timeout).await?;
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = Ended(Arc::clone(&has_ended));
        let (mut connection, driver) = log_in(stream, access, ended).await?;
        // The name may stand for another server by now.
        let server = Server::ask(&mut connection, access, &settings.client_name).await?;
        if server.origin != link.server.origin {
            return Err(Cause::Topology("another server than before"));
        }
        *open = Some(Open { connection: connection.clone(), has_ended, _driver: driver });
        Ok(connection)
    }
}

/// The keys that are known to hold large values. A key that is taken for one costs a detour, no
/// more.
///
/// Every hit looks here, so looking takes no lock; a change, which is rare, copies the set.
#[derive(Debug, Default)]
pub(in crate::store) struct LargeKeys {
    keys: ArcSwap<HashSet<u64>>,
    /// Whether there has ever been one. In most programs there is none, and hits look no further.
    are_expected: AtomicBool,
}

impl LargeKeys {
    /// Whether a key that nothing is known of may hold a large value.
    fn are_expected(&self) -> bool {
        self.are_expected.load(Relaxed)
    }

    /// From now on, keys that nothing is known of may hold large values.
    pub(in crate::store) fn expect(&self) {
        self.are_expected.store(true, Relaxed);
    }

    fn contain(&self, KeyHash(key): KeyHash) -> bool {
        self.are_expected() && self.keys.load().contains(&key)
    }

    /// Takes note of what was found in a key. A lease or a fence says nothing of the values before
    /// and after it.
    pub(in crate::store) fn note_record(&self, key: KeyHash, record: &[u8]) {
        if record.len() > LARGE || (self.are_expected() && record::holds_value(record)) {
            self.note(key, record.len());
        }
    }

    /// Takes note of the size of the value that a key holds, or is to hold.
    pub(in crate::store) fn note(&self, key: KeyHash, size: usize) {
        let is_large = size > LARGE;
        if self.contain(key) == is_large {
            return;
        }
        let KeyHash(key) = key;
        self.expect();
        self.keys.rcu(|keys| {
            let mut keys = HashSet::clone(keys);
            if is_large {
                if keys.len() >= REMEMBERED
                    && let Some(other) = keys.iter().next().copied()
                {
                    keys.remove(&other);
                }
                keys.insert(key);
            } else {
                keys.remove(&key);
            }
            keys
        });
    }
}

impl Session<'_> {
    /// Whether a key is known to hold a large value, which is read by the second connection.
    pub(in crate::store) fn is_large(&self, name: Name<'_>) -> bool {
        self.node().large_keys().contain(name.hash) && !self.is_asking()
    }

    /// Whether a key that nothing is known of may hold a large value.
    pub(in crate::store) fn expects_large(&self) -> bool {
        self.node().large_keys().are_expected() && !self.is_asking()
    }

    /// Sends a command that is large, or whose reply is, by the second connection.
    pub(in crate::store) async fn call_in_bulk(
        &mut self,
        command: &Cmd,
        by: Deadline,
    ) -> StoreResult<Value> {
        let (node, link) = (self.node(), self.link().ok_or(StoreError::Down)?);
        let _turn = node.bulk_turns().wait(by).await?;
        let plan = node.plan();
        let connection = timeout_at(by, link.bulk.connection(&link, &plan)).await;
        let mut connection =
            connection.map_err(|_| StoreError::TimedOut)?.map_err(|_| StoreError::Down)?;
        match timeout_at(by, Box::pin(connection.send_packed_command(command))).await {
            Ok(Ok(reply)) => {
                link.bulk.strikes.store(0, Relaxed);
                Ok(reply)
            }
            Ok(Err(_)) => Err(StoreError::Lost),
            Err(_) => {
                link.bulk.strikes.fetch_add(1, Relaxed);
                Err(StoreError::TimedOut)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_know_the_same_bound() {
        assert_eq!(str::from_utf8(LARGEST).ok(), Some(&*LARGE.to_string()));
    }
}
