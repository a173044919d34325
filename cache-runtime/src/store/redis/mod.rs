//! Entries in Redis.
//!
//! | layer | knows |
//! |---|---|
//! | [`RedisStore`] | the operations of the protocol |
//! | `router`, `cluster` | which server a key belongs to |
//! | `commands`, `many`, `batch`, `stamp`, `sweep` | the commands and scripts of one operation on one connection |
//! | `session`, `script` | how commands are sent and what their replies can be |
//! | `node`, `breaker`, `supervisor` | whether there is a connection, and how there will be one again |
//! | `source`, `link`, `dial`, `gather`, `tls`, `url` | where the server is and how to get in |

mod backoff;
mod batch;
mod breaker;
mod calls;
mod cause;
mod cluster;
mod commands;
mod concurrently;
mod dial;
mod gather;
mod link;
mod many;
mod node;
mod percent;
mod queue;
mod router;
mod script;
mod sentinel;
mod session;
mod source;
mod split;
mod stamp;
mod succession;
mod supervisor;
mod sweep;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;
pub(crate) mod url;

use std::time::Duration;

use bytes::Bytes;

use self::breaker::Snapshot;
pub(crate) use self::cluster::Redirection;
pub(crate) use self::queue::Line as QueueLine;
use self::router::{Router, route};
#[cfg(test)]
pub(crate) use self::script::altered;
use self::split::split;
use self::url::Target;
use super::{Acquired, Deadline, End, Ended, Fill, Name, Stamped, StoreResult};
use crate::cache::Failover;
use crate::error::{Error, ErrorKind};
use crate::token::Token;

/// However patient callers are, a server that takes longer than this for a `PING` is lost.
const LONGEST_PROMPT: Duration = Duration::from_secs(5);

/// How patient and how large a connection is.
#[derive(Clone, Debug)]
struct Settings {
    /// What operators see in `CLIENT LIST`; no spaces.
    client_name: String,
    /// For name resolution, TCP, TLS and log-in together; also the longest wait for a sign of life.
    connect_timeout: Duration,
    /// A server that takes longer than this for a `PING` is of no use to callers.
    prompt: Duration,
    /// The most calls that run at once; further ones are refused.
    max_in_flight: usize,
    /// Records of another primary than the present one count as none.
    distrust: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            client_name: "cache".to_owned(),
            connect_timeout: Duration::from_secs(1),
            prompt: Duration::from_millis(50),
            max_in_flight: 4096,
            distrust: false,
        }
    }
}

impl Settings {
    /// Where callers wait longer than by default, a slower server is of use to them.
    fn within(budget: Duration) -> Self {
        let least = Self::default();
        let prompt = (budget / 2).clamp(least.prompt, LONGEST_PROMPT);
        Self { prompt, connect_timeout: least.connect_timeout.max(2 * prompt), ..least }
    }
}

/// The store in Redis. Nothing happens before the first call.
#[derive(Debug)]
pub(crate) struct RedisStore {
    router: Router,
}

impl RedisStore {
    /// A store behind a URL, for callers that wait as long as `budget`. Only a malformed URL is an error.
    pub(crate) fn connect(url: &str, budget: Duration, failover: Failover) -> Result<Self, Error> {
        let distrust = failover == Failover::Distrust;
        Target::parse(url)
            .map(|target| Self::new(target, Settings { distrust, ..Settings::within(budget) }))
            .map_err(|malformed| Error::new(ErrorKind::Config, malformed.to_string()))
    }

    fn new(target: Target, settings: Settings) -> Self {
        Self { router: Router::new(target, settings) }
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
        split!(self, names.to_vec(), by, |session, names| session.stamp(names, need, by))
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
        split!(self, names.to_vec(), by, |session, names| session.invalidate(names, hold_off, by))
    }

    /// Puts up a writer's fence. False: the value is gone, but the fence is not up.
    pub(crate) async fn begin(
        &self,
        names: &[Name<'_>],
        writer: Token,
        fence: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        split!(self, names.to_vec(), by, |session, names| session.begin(names, writer, fence, by))
    }

    /// Lifts a writer's fence, and stores its values, each if no other writer has overlapped.
    pub(crate) async fn end(
        &self,
        ends: Vec<End<'_>>,
        writer: Token,
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Ended>> {
        split!(self, ends, by, |session, ends| session.end(ends, writer, hold_off, by))
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
