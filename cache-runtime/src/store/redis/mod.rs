//! Entries in Redis.
//!
//! | layer | knows |
//! |---|---|
//! | [`topology`] | which server a key belongs to |
//! | [`commands`] | the commands and scripts of each request on one connection |
//! | `session`, `pieces`, `script`, `supported`, `refusal` | how commands are sent and what their replies can be |
//! | `large`, `bulk` | which values have a connection of their own |
//! | `turns`, `admission` | how many calls are in flight at once, and whose turn is next |
//! | `node`, `breaker`, `supervisor` | whether there is a connection, and how there will be one again |
//! | `plan`, `discovery`, `link`, `server`, `dial`, `sockets`, `tls`, `url` | where the server is and how to get in |
//! | `multiplexer` | how commands and replies of many callers share a connection |
//! | `wire` | what a server's bytes mean |

pub(crate) mod commands;
pub(crate) mod connection;
pub(crate) mod script;
#[cfg(test)]
mod tests;
pub(crate) mod topology;
pub(crate) mod url;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::commands::ServerInfo;
pub(crate) use self::commands::scan::Sweep;
use self::connection::breaker::{Phase, Snapshot};
pub(crate) use self::connection::settings::ConnectionSettings;
pub(crate) use self::topology::cluster::Redirection;
use self::topology::router::Router;
use self::url::ServerUrl;
use crate::error::{Cause, Failure, Failures};
use crate::error::{Error, ErrorKind};
use crate::metrics::ServerStats;
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
    pub(crate) fn connect(url: &str, mut settings: ConnectionSettings) -> Result<Self, Error> {
        let url = ServerUrl::parse(url);
        let mut url = url.map_err(|it| Error::new(ErrorKind::Config, it.to_string()))?;
        let given = mem::take(&mut settings.password).into_text();
        if given.is_some() && url.access.password.as_deref().unwrap_or_default().is_empty() {
            url.access.password = given;
        }
        Ok(Self::new(url, settings))
    }

    fn new(url: ServerUrl, settings: ConnectionSettings) -> Self {
        let (address, patience) = (url.to_string(), 2 * settings.connect_timeout);
        let failures = Arc::clone(&settings.failures);
        Self { router: Router::new(url, settings), address, patience, failures }
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

    /// Has `observer` called before the first command reaches a newly promoted primary.
    pub(crate) fn on_failover(&self, observer: impl Fn() + Send + Sync + 'static) {
        self.router.on_failover(observer);
    }

    /// What each server was asked for, as far as it is known.
    pub(crate) fn servers(&self) -> Vec<ServerStats> {
        self.router.servers()
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
