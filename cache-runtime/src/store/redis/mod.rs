//! Entries in Redis.
//!
//! | layer | knows |
//! |---|---|
//! | [`RedisStore`] | the operations of the protocol |
//! | `router`, `cluster` | which server a key belongs to |
//! | `reading`, `commands`, `many`, `batch`, `stamp`, `sweep`, `without_scripts` | the commands and scripts of one operation on one connection |
//! | `session`, `pieces`, `script`, `scripting`, `refusal` | how commands are sent and what their replies can be |
//! | `bulk` | which values have a connection of their own |
//! | `turns`, `admission` | how many calls are in flight at once, and whose turn is next |
//! | `node`, `breaker`, `supervisor` | whether there is a connection, and how there will be one again |
//! | `source`, `link`, `dial`, `sockets`, `gather`, `replies`, `tls`, `url` | where the server is and how to get in |

pub(crate) mod commands;
pub(crate) mod connection;
pub(in crate::store) mod script;
#[cfg(test)]
mod tests;
pub(crate) mod topology;
pub(crate) mod url;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use self::commands::pieces::Pieces;
pub(crate) use self::commands::scan::Sweep;
use self::connection::breaker::{Phase, Snapshot};
pub(crate) use self::connection::settings::Settings;
#[cfg(test)]
pub(crate) use self::script::altered;
pub(crate) use self::topology::cluster::Redirection;
use self::topology::router::{Router, route};
use self::topology::scatter::split;
use self::url::Target;
use crate::error::cause::{Cause, Failure, Failures};
use crate::error::{Error, ErrorKind};
use crate::record::token::Token;
pub(crate) use crate::store::queue::redis::Line as QueueLine;
use crate::store::{Acquired, End, Ended, Fill, Name, Stamped, StoreResult};
use crate::support::budget::Deadline;

/// The store in Redis. Nothing happens before the first call.
#[derive(Debug)]
pub(crate) struct RedisStore {
    pub(in crate::store) router: Router,
    address: String,
    /// How long a sign of life may take, together with the connection for it.
    patience: Duration,
    failures: Arc<Failures>,
}

impl RedisStore {
    /// A store behind a URL. Only a malformed URL is an error.
    pub(crate) fn connect(url: &str, settings: Settings) -> Result<Self, Error> {
        Target::parse(url)
            .map(|target| Self::new(target, settings))
            .map_err(|malformed| Error::new(ErrorKind::Config, malformed.to_string()))
    }

    fn new(target: Target, settings: Settings) -> Self {
        let (address, patience) = (target.to_string(), 2 * settings.connect_timeout);
        let failures = Arc::clone(&settings.failures);
        Self { router: Router::new(target, settings), address, patience, failures }
    }

    /// Where the servers are, without credentials.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The latest failure of any server.
    pub(crate) fn last_failure(&self) -> Option<Failure> {
        self.failures.last()
    }

    /// The program is about to end.
    pub(crate) fn ending(&self) {
        self.failures.end();
    }

    /// Why operations find no connection, if they find none.
    pub(crate) fn cause(&self) -> Option<Cause> {
        let is_refusing = matches!(self.snapshot().phase, Phase::Open | Phase::HalfOpen);
        self.last_failure().filter(|_| is_refusing).map(|failure| failure.cause)
    }

    /// Asks every server for a sign of life, and connects to those that there is no connection to.
    pub(crate) async fn ping(&self) -> Result<(), Cause> {
        self.router.ping(Deadline::now() + self.patience).await
    }

    /// The record of a key.
    pub(crate) async fn get(&self, name: Name<'_>, by: Deadline) -> StoreResult<Option<Bytes>> {
        route!(self, name, by, |session| session.get(name, by))
    }

    /// The stamps of some tags, which are made where there are none. One result for each name.
    pub(crate) async fn stamp(
        &self,
        names: &[Name<'_>],
        need: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Stamped>> {
        let pieces = Pieces::new(by);
        split!(self, names.to_vec(), by, |session, names| session.stamp(names, need, pieces))
    }

    /// The time of the server that has a key.
    pub(crate) async fn now_ms(&self, name: Name<'_>, by: Deadline) -> StoreResult<u64> {
        route!(self, name, by, |session| session.now_ms(by))
    }

    /// The value, or the lease. A value whose token is `reject` does not count.
    pub(crate) async fn acquire(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        reject: Option<Token>,
        by: Deadline,
    ) -> StoreResult<Acquired> {
        route!(self, name, by, |session| session.acquire(name, token, lease, reject, by))
    }

    /// Stores a value where the lease of its own token still stands.
    pub(crate) async fn fill(
        &self,
        name: Name<'_>,
        mut fill: Fill,
        by: Deadline,
    ) -> StoreResult<bool> {
        route!(self, name, by, |session| session.fill(name, &mut fill, by))
    }

    /// Replaces the value whose token is `seen`, and no other.
    pub(crate) async fn refresh(
        &self,
        name: Name<'_>,
        seen: Token,
        mut fill: Fill,
        by: Deadline,
    ) -> StoreResult<bool> {
        route!(self, name, by, |session| session.refresh(name, seen, &mut fill, by))
    }

    /// Gives up the lease of `token`.
    pub(crate) async fn release(
        &self,
        name: Name<'_>,
        token: Token,
        by: Deadline,
    ) -> StoreResult<bool> {
        route!(self, name, by, |session| session.release(name, token, by))
    }

    /// Keeps the lease of `token` for another `lease`.
    pub(crate) async fn renew(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        by: Deadline,
    ) -> StoreResult<bool> {
        route!(self, name, by, |session| session.renew(name, token, lease, by))
    }

    /// Removes values and leases, but lifts nobody's fence. One result for each name.
    pub(crate) async fn invalidate(
        &self,
        names: &[Name<'_>],
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<()>> {
        let pieces = Pieces::new(by);
        split!(
            self,
            names.to_vec(),
            by,
            urgently | session,
            names | session.invalidate(names, hold_off, pieces)
        )
    }

    /// Puts up a writer's fence. False: the value is gone, but the fence is not up.
    pub(crate) async fn begin(
        &self,
        names: &[Name<'_>],
        writer: Token,
        fence: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        // All of the fences must stand when the body begins, and they are renewed only while it runs.
        let pieces = Pieces::new(by).within(fence / 3);
        split!(
            self,
            names.to_vec(),
            by,
            urgently | session,
            names | session.begin(names, writer, fence, pieces)
        )
    }

    /// Lifts a writer's fence, and stores its values, each if no other writer has overlapped.
    pub(crate) async fn end(
        &self,
        ends: Vec<End<'_>>,
        writer: Token,
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Ended>> {
        let pieces = Pieces::new(by);
        split!(
            self,
            ends,
            by,
            urgently | session,
            ends | session.end(ends, writer, hold_off, pieces)
        )
    }

    /// Calls `told` whenever a different primary than before is about to answer.
    pub(crate) fn on_succession(&self, told: impl Fn() + Send + Sync + 'static) {
        self.router.on_succession(told);
    }

    /// State of the breaker.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.router.snapshot()
    }

    /// Waits until the breaker or the connection has changed since `seen`.
    pub(crate) async fn changed(&self, seen: Snapshot) -> Snapshot {
        self.router.changed(seen).await
    }
}
