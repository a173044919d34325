//! Entries in Redis.
//!
//! | layer | knows |
//! |---|---|
//! | [`RedisStore`] | which server a key belongs to |
//! | `commands`, `many`, `batch`, `sweep` | the commands and scripts of one operation on one connection |
//! | `session`, `script` | how commands are sent and what their replies can be |
//! | `node`, `breaker`, `supervisor` | whether there is a connection, and how there will be one again |
//! | `source`, `link`, `dial`, `gather`, `tls`, `url` | where the server is and how to get in |

mod backoff;
mod batch;
mod breaker;
mod cause;
mod commands;
mod dial;
mod gather;
mod link;
mod many;
mod node;
mod percent;
mod script;
mod sentinel;
mod session;
mod source;
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
use self::node::Node;
use self::sentinel::Sentinels;
use self::source::Source;
use self::url::{Malformed, Target, Topology};
use super::{Acquired, Deadline, Ended, Fill, Name, StoreResult};
use crate::cache::Failover;
use crate::error::{Error, ErrorKind};
use crate::token::Token;

/// How patient and how large a connection is.
#[derive(Clone, Debug)]
struct Settings {
    /// What operators see in `CLIENT LIST`; no spaces.
    client_name: String,
    /// For name resolution, TCP, TLS and log-in together; also the longest wait for a sign of life.
    connect_timeout: Duration,
    /// A server that takes longer than this for a `PING` is of no use to callers.
    prompt: Duration,
    /// Calls under way at once; more are refused.
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

/// The store in Redis. Nothing happens before the first call.
#[derive(Debug)]
pub(crate) struct RedisStore {
    node: Node,
}

impl RedisStore {
    /// A store behind a URL. Only a malformed URL is an error.
    pub(crate) fn connect(url: &str, failover: Failover) -> Result<Self, Error> {
        let distrust = failover == Failover::Distrust;
        Target::parse(url)
            .and_then(|target| Self::new(target, Settings { distrust, ..Settings::default() }))
            .map_err(|malformed| Error::new(ErrorKind::Config, malformed.to_string()))
    }

    fn new(target: Target, settings: Settings) -> Result<Self, Malformed> {
        let Target { topology, access } = target;
        let source = match topology {
            Topology::Single(endpoint) => Source::Fixed(endpoint),
            Topology::Sentinel { sentinels, master } => {
                Source::Primary(Sentinels { sentinels, master })
            }
            Topology::Cluster(_) => return Err(Malformed::new("clusters are not supported yet")),
        };
        Ok(Self { node: Node::new(source, access, settings) })
    }

    /// The record of a key.
    pub(crate) async fn get(&self, name: Name<'_>, by: Deadline) -> StoreResult<Option<Bytes>> {
        self.node.session(by).await?.get(name, by).await
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
        self.node.session(by).await?.acquire(name, token, lease, reject, by).await
    }

    /// Stores a value where the lease of its own token still stands.
    pub(crate) async fn fill(&self, name: Name<'_>, fill: Fill, by: Deadline) -> StoreResult<bool> {
        self.node.session(by).await?.fill(name, fill, by).await
    }

    /// Replaces the value whose token is `seen`, and no other.
    pub(crate) async fn refresh(
        &self,
        name: Name<'_>,
        seen: Token,
        fill: Fill,
        by: Deadline,
    ) -> StoreResult<bool> {
        self.node.session(by).await?.refresh(name, seen, fill, by).await
    }

    /// Gives up the lease of `token`.
    pub(crate) async fn release(
        &self,
        name: Name<'_>,
        token: Token,
        by: Deadline,
    ) -> StoreResult<bool> {
        self.node.session(by).await?.release(name, token, by).await
    }

    /// Keeps the lease of `token` for another `lease`.
    pub(crate) async fn renew(
        &self,
        name: Name<'_>,
        token: Token,
        lease: Duration,
        by: Deadline,
    ) -> StoreResult<bool> {
        self.node.session(by).await?.renew(name, token, lease, by).await
    }

    /// Removes values and leases, but lifts nobody's fence. One result for each name.
    pub(crate) async fn invalidate(
        &self,
        names: &[Name<'_>],
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<()>> {
        match self.node.session(by).await {
            Ok(mut session) => session.invalidate(names, hold_off, by).await,
            Err(error) => vec![Err(error); names.len()],
        }
    }

    /// Puts up a writer's fence. False: the value is gone, but the fence is not up.
    pub(crate) async fn begin(
        &self,
        names: &[Name<'_>],
        writer: Token,
        fence: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        match self.node.session(by).await {
            Ok(mut session) => session.begin(names, writer, fence, by).await,
            Err(error) => vec![Err(error); names.len()],
        }
    }

    /// Lifts a writer's fence.
    pub(crate) async fn end(
        &self,
        names: &[Name<'_>],
        writer: Token,
        hold_off: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Ended>> {
        match self.node.session(by).await {
            Ok(mut session) => session.end(names, writer, hold_off, by).await,
            Err(error) => vec![Err(error); names.len()],
        }
    }

    /// Lifts a writer's fence and stores its value, if no other writer has overlapped.
    pub(crate) async fn end_with(
        &self,
        name: Name<'_>,
        writer: Token,
        fill: Fill,
        by: Deadline,
    ) -> StoreResult<Ended> {
        self.node.session(by).await?.end_with(name, writer, fill, by).await
    }

    /// Removes every key that matches the glob `pattern` and is ours; how many those were.
    pub(crate) async fn invalidate_matching(
        &self,
        pattern: &str,
        hold_off: Duration,
        by: Deadline,
    ) -> StoreResult<u64> {
        self.node.session(by).await?.invalidate_matching(pattern, hold_off, by).await
    }

    /// Calls `told` whenever another primary is about to answer than before.
    pub(crate) fn on_succession(&self, told: impl Fn() + Send + Sync + 'static) {
        self.node.on_succession(told);
    }

    /// State of the breaker.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.node.snapshot()
    }

    /// Waits until the breaker or the connection has changed since `seen`.
    pub(crate) async fn changed(&self, seen: Snapshot) -> Snapshot {
        self.node.changed(seen).await
    }
}
