//! What an attribute says about its function.

use std::time::Duration;

use crate::codec::Codec;
use crate::codec::fidelity::Fidelity;
use crate::policy::Callsite;
use crate::policy::options::options;
use crate::support::span::{capped, positive};

options! {
    /// The options that do not depend on a call.
    struct Policy in Callsite.policy;

    /// How long a value is served; `None` if the key decides.
    ttl: Option<Duration> = None, Some(capped(ttl_ms));

    /// How long `None` is remembered; without it, not at all.
    none_ttl: Option<Duration> = None, Some(positive(none_ttl_ms, "none_ttl = \"30s\""));

    /// The greatest fraction by which a time to live is shortened at random.
    jitter: f64 = 0.0, value;

    /// Callers in other processes wait for the one that loads.
    lock: bool = false, flag(lock);

    /// How long a caller waits for another one's load.
    wait: Option<Duration> = None, Some(positive(wait_ms, "lock(wait = \"5s\")"));

    /// How long a crashed loader blocks the others.
    lease: Option<Duration> = None, Some(positive(lease_ms, "lock(lease = \"3s\")"));

    /// How values become bytes.
    codec: Option<Codec> = None, Some(value: Codec);

    /// Version of the value type.
    version: Option<u32> = None, Some(value: u32);

    /// How many bodies of this function run at once, in this process.
    max_concurrent_loads: Option<u32> = None, Some(value: u32);

    /// How long a call waits for a place among the concurrent loads before it is turned away.
    shed_after: Option<Duration> = None, Some(positive(shed_after_ms, "shed_after = \"1s\""));

    /// How long a call may be held up by the store, all its commands together.
    budget: Option<Duration> = None, Some(positive(budget_ms, "budget = \"50ms\""));

    /// How long after its time to live a value is served while it is being refreshed.
    stale_while_revalidate: Option<Duration> =
        None, Some(positive(stale_while_revalidate_ms, "stale_while_revalidate = \"10m\""));

    /// How long after its time to live a value is served where the load fails.
    stale_if_error: Option<Duration> =
        None, Some(positive(stale_if_error_ms, "stale_if_error = \"1h\""));

    /// The β of early refreshes.
    early: Option<f64> = None, Some(value: f64);

    /// How long a load is waited for while there is a stale value.
    load_timeout: Option<Duration> = None, Some(positive(load_timeout_ms, "load_timeout = \"2s\""));

    /// What happens to a value that would come back as another one.
    fidelity: Fidelity = Fidelity::Tried, by_hand;
}

impl Policy {
    /// How long a value stays after its time to live.
    pub(crate) fn stale(&self) -> Duration {
        self.stale_while_revalidate.max(self.stale_if_error).unwrap_or_default()
    }
}

impl Callsite {
    /// Values that would come back as other ones make the call fail.
    #[must_use]
    pub const fn strict_values(mut self) -> Self {
        self.policy.fidelity = Fidelity::Strict;
        self
    }

    /// Values are stored as serde writes them.
    #[must_use]
    pub const fn lossy_values(mut self) -> Self {
        self.accept_lossy_values();
        self
    }

    /// The same, where a constant cannot be taken apart.
    pub(crate) const fn accept_lossy_values(&mut self) {
        self.policy.fidelity = Fidelity::Lossy;
    }
}
