//! The settings of connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::cache::{self, Failover};
use crate::failure::Failures;

/// However patient callers are, a server that takes longer than this for a `PING` is lost.
const LONGEST_PROMPT: Duration = Duration::from_secs(5);

/// How often a server is asked for a sign of life: often enough that no router forgets the connection, of which some do
/// after half a minute.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How patient and how large a connection is.
#[derive(Clone, Debug)]
pub(in crate::store::redis) struct Settings {
    /// What operators see in `CLIENT LIST`; in a form that the server takes.
    pub(super) client_name: String,
    /// For name resolution, TCP, TLS and log-in together; also the longest wait for a sign of life.
    pub(super) connect_timeout: Duration,
    /// A server that takes longer than this for a `PING` is of no use to callers.
    pub(super) prompt: Duration,
    /// The most calls that are in flight at once; further ones wait in line.
    pub(super) max_in_flight: usize,
    /// Records of another primary than the present one count as none.
    pub(super) distrust: bool,
    /// How often a server is asked for a sign of life, whether or not it is called.
    pub(super) heartbeat: Duration,
    /// A connection is not used without a sign of life that is younger than this.
    pub(super) trusted_for: Duration,
    /// How old a connection may become.
    pub(super) max_age: Option<Duration>,
    /// Where connections live; on the runtime of whoever needs one first, if this does not say.
    pub(super) runtime: Option<Handle>,
    /// Of all the servers together.
    pub(super) failures: Arc<Failures>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            client_name: "cache".to_owned(),
            connect_timeout: Duration::from_secs(1),
            prompt: Duration::from_millis(50),
            max_in_flight: 4096,
            distrust: false,
            heartbeat: HEARTBEAT,
            trusted_for: HEARTBEAT + HEARTBEAT / 2,
            max_age: None,
            runtime: None,
            failures: Arc::default(),
        }
    }
}

impl Settings {
    /// Those that are meant by the settings of a cache.
    pub(super) fn of(settings: &cache::Settings) -> Self {
        let cache::Settings { max_in_flight, failover, max_connection_age, .. } = *settings;
        Self {
            client_name: settings.client_name.clone(),
            max_in_flight,
            distrust: failover == Failover::Distrust,
            max_age: max_connection_age,
            runtime: settings.connections_on.clone(),
            ..Self::within(settings.budget)
        }
    }

    /// Where callers wait longer than by default, a slower server is of use to them.
    pub(super) fn within(budget: Duration) -> Self {
        let least = Self::default();
        let prompt = (budget / 2).clamp(least.prompt, LONGEST_PROMPT);
        Self { prompt, connect_timeout: least.connect_timeout.max(2 * prompt), ..least }
    }

    /// The runtime for the tasks of a connection; none where there is no runtime.
    pub(super) fn runtime(&self) -> Option<Handle> {
        self.runtime.clone().or_else(|| Handle::try_current().ok())
    }

    /// How long a connection is kept that has been replaced: calls take no longer.
    pub(super) fn farewell(&self) -> Duration {
        2 * self.connect_timeout
    }

    /// How long a write waits for an attempt to connect: one that takes longer will hardly succeed.
    pub(super) fn patience(&self) -> Duration {
        2 * self.prompt
    }
}
