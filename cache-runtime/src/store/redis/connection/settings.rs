//! The settings of connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::error::Failures;
use crate::metrics::ObserverHandle;
use crate::support::secret::Secret;

/// However patient callers are, a server that takes longer than this for a `PING` is lost.
const LONGEST_PROMPT: Duration = Duration::from_secs(5);

/// How often a server is asked for a sign of life: often enough that no router forgets the
/// connection, of which some do after half a minute.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How patient and how large a connection is.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionSettings {
    /// What operators see in `CLIENT LIST`; in a form that the server takes.
    pub(crate) client_name: String,
    /// Where the URL has none.
    pub(crate) password: Secret,
    /// For name resolution, TCP, TLS and log-in together; also the longest wait for a sign of life.
    pub(crate) connect_timeout: Duration,
    /// A server that takes longer than this for a `PING` is of no use to callers.
    pub(crate) prompt: Duration,
    /// The most calls that are in flight at once; further ones wait in line.
    pub(crate) max_in_flight: usize,
    /// Records of another primary than the present one count as none.
    pub(crate) distrust: bool,
    /// How often a server is asked for a sign of life, whether or not it is called.
    pub(crate) heartbeat: Duration,
    /// A connection is not used without a sign of life that is younger than this.
    pub(crate) trusted_for: Duration,
    /// How old a connection may become.
    pub(crate) max_age: Option<Duration>,
    /// Whether round trips are measured.
    pub(crate) histograms: bool,
    /// Where connections live; on the runtime of whoever needs one first, if this does not say.
    pub(crate) runtime: Option<Handle>,
    /// Is told when a breaker changes its state.
    pub(crate) observer: Option<ObserverHandle>,
    /// Of all the servers together.
    pub(crate) failures: Arc<Failures>,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            client_name: "cache".to_owned(),
            password: Secret::default(),
            connect_timeout: Duration::from_secs(1),
            prompt: Duration::from_millis(50),
            max_in_flight: 4096,
            distrust: false,
            heartbeat: HEARTBEAT,
            trusted_for: HEARTBEAT + HEARTBEAT / 2,
            max_age: None,
            histograms: true,
            runtime: None,
            observer: None,
            failures: Arc::default(),
        }
    }
}

impl ConnectionSettings {
    /// Where callers wait longer than by default, a slower server is of use to them.
    pub(crate) fn within(budget: Duration) -> Self {
        let least = Self::default();
        let prompt = (budget / 2).clamp(least.prompt, LONGEST_PROMPT);
        Self { prompt, connect_timeout: least.connect_timeout.max(2 * prompt), ..least }
    }

    /// The runtime for the tasks of a connection; none where there is no runtime.
    pub(crate) fn runtime(&self) -> Option<Handle> {
        self.runtime.clone().or_else(|| Handle::try_current().ok())
    }

    /// How long a connection is kept that has been replaced: calls take no longer.
    pub(crate) fn farewell(&self) -> Duration {
        2 * self.connect_timeout
    }

    /// How long a write waits for an attempt to connect: one that takes longer will hardly succeed.
    pub(crate) fn patience(&self) -> Duration {
        2 * self.prompt
    }
}
