//! What an attribute says about its function.

use std::time::Duration;

use crate::codec::Codec;
use crate::codec::fidelity::Fidelity;
use crate::policy::Callsite;
use crate::support::span::{capped, positive};

/// The options that do not depend on a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// `None` if the key decides.
    pub(crate) ttl: Option<Duration>,
    /// How long `None` is kept; without it, not at all.
    pub(crate) none_ttl: Option<Duration>,
    /// The greatest fraction by which a time to live is shortened at random.
    pub(crate) jitter: f64,
    /// Callers in other processes wait for the one that loads.
    pub(crate) lock: bool,
    pub(crate) wait: Option<Duration>,
    pub(crate) lease: Option<Duration>,
    pub(crate) codec: Option<Codec>,
    pub(crate) version: Option<u32>,
    pub(crate) max_concurrent_loads: Option<u32>,
    pub(crate) shed_after: Option<Duration>,
    pub(crate) budget: Option<Duration>,
    /// How long after its time to live a value is served while it is being refreshed.
    pub(crate) stale_while_revalidate: Option<Duration>,
    /// How long after its time to live a value is served where the load fails.
    pub(crate) stale_if_error: Option<Duration>,
    /// The β of early refreshes.
    pub(crate) early: Option<f64>,
    /// How long a load is waited for while there is a stale value.
    pub(crate) load_timeout: Option<Duration>,
    pub(crate) fidelity: Fidelity,
}

impl Policy {
    /// What applies where an attribute says nothing.
    pub(super) const NONE: Self = Self {
        ttl: None,
        none_ttl: None,
        jitter: 0.0,
        lock: false,
        wait: None,
        lease: None,
        codec: None,
        version: None,
        max_concurrent_loads: None,
        shed_after: None,
        budget: None,
        stale_while_revalidate: None,
        stale_if_error: None,
        early: None,
        load_timeout: None,
        fidelity: Fidelity::Tried,
    };

    /// How long a value stays after its time to live.
    pub(crate) fn stale(&self) -> Duration {
        self.stale_while_revalidate.max(self.stale_if_error).unwrap_or_default()
    }
}

/// The options, one method each. Literals are passed in milliseconds, constant expressions as they are: those that make
/// no sense do not compile, and rustc points at the attribute (`track_caller`).
impl Callsite {
    /// How long a value is served.
    #[must_use]
    pub const fn ttl_ms(mut self, ttl: u64) -> Self {
        self.policy.ttl = Some(capped(Duration::from_millis(ttl)));
        self
    }

    /// How long `None` is remembered.
    #[must_use]
    #[track_caller]
    pub const fn none_ttl(mut self, ttl: Duration) -> Self {
        self.policy.none_ttl = Some(positive(
            ttl,
            "`none_ttl` is less than a millisecond: write how long, as in `none_ttl = \"30s\"`",
        ));
        self
    }

    /// How long `None` is remembered, in milliseconds.
    #[must_use]
    pub const fn none_ttl_ms(self, ttl: u64) -> Self {
        self.none_ttl(Duration::from_millis(ttl))
    }

    /// The greatest fraction by which a time to live is shortened at random.
    #[must_use]
    pub const fn jitter(mut self, fraction: f64) -> Self {
        self.policy.jitter = fraction;
        self
    }

    /// Callers in other processes wait for the one that loads.
    #[must_use]
    pub const fn lock(mut self) -> Self {
        self.policy.lock = true;
        self
    }

    /// How long a caller waits for another one's load.
    #[must_use]
    #[track_caller]
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.policy.wait = Some(positive(
            wait,
            "`wait` is less than a millisecond: write how long, as in `lock(wait = \"5s\")`",
        ));
        self
    }

    /// How long a caller waits for another one's load, in milliseconds.
    #[must_use]
    pub const fn wait_ms(self, wait: u64) -> Self {
        self.wait(Duration::from_millis(wait))
    }

    /// How long a crashed loader blocks the others.
    #[must_use]
    #[track_caller]
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.policy.lease = Some(positive(
            lease,
            "`lease` is less than a millisecond: write how long, as in `lock(lease = \"3s\")`",
        ));
        self
    }

    /// How long a crashed loader blocks the others, in milliseconds.
    #[must_use]
    pub const fn lease_ms(self, lease: u64) -> Self {
        self.lease(Duration::from_millis(lease))
    }

    /// How values become bytes.
    #[must_use]
    pub const fn codec(mut self, codec: Codec) -> Self {
        self.policy.codec = Some(codec);
        self
    }

    /// How many bodies of this function run at once, in this process.
    #[must_use]
    pub const fn max_concurrent_loads(mut self, loads: u32) -> Self {
        self.policy.max_concurrent_loads = Some(loads);
        self
    }

    /// How long a call waits for a place among the concurrent loads before it is turned away.
    #[must_use]
    #[track_caller]
    pub const fn shed_after(mut self, wait: Duration) -> Self {
        self.policy.shed_after = Some(positive(
            wait,
            "`shed_after` is less than a millisecond: write how long, as in `shed_after = \"1s\"`",
        ));
        self
    }

    /// How long a call waits for a place among the concurrent loads, in milliseconds.
    #[must_use]
    pub const fn shed_after_ms(self, wait: u64) -> Self {
        self.shed_after(Duration::from_millis(wait))
    }

    /// How long a call may be held up by the store, all its commands together.
    #[must_use]
    #[track_caller]
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.policy.budget = Some(positive(
            budget,
            "`budget` is less than a millisecond: write how long, as in `budget = \"50ms\"`",
        ));
        self
    }

    /// How long a call may be held up by the store, in milliseconds.
    #[must_use]
    pub const fn budget_ms(self, budget: u64) -> Self {
        self.budget(Duration::from_millis(budget))
    }

    /// How long after its time to live a value is served while it is being refreshed.
    #[must_use]
    #[track_caller]
    pub const fn stale_while_revalidate(mut self, stale: Duration) -> Self {
        self.policy.stale_while_revalidate = Some(positive(
            stale,
            "`stale_while_revalidate` is less than a millisecond: write how long, as in `stale_while_revalidate = \"10m\"`",
        ));
        self
    }

    /// How long after its time to live a value is served while it is being refreshed, in milliseconds.
    #[must_use]
    pub const fn stale_while_revalidate_ms(self, stale: u64) -> Self {
        self.stale_while_revalidate(Duration::from_millis(stale))
    }

    /// How long after its time to live a value is served where the load fails.
    #[must_use]
    #[track_caller]
    pub const fn stale_if_error(mut self, stale: Duration) -> Self {
        self.policy.stale_if_error = Some(positive(
            stale,
            "`stale_if_error` is less than a millisecond: write how long, as in `stale_if_error = \"1h\"`",
        ));
        self
    }

    /// How long after its time to live a value is served where the load fails, in milliseconds.
    #[must_use]
    pub const fn stale_if_error_ms(self, stale: u64) -> Self {
        self.stale_if_error(Duration::from_millis(stale))
    }

    /// The β of early refreshes.
    #[must_use]
    pub const fn early(mut self, beta: f64) -> Self {
        self.policy.early = Some(beta);
        self
    }

    /// How long a load is waited for while there is a stale value.
    #[must_use]
    #[track_caller]
    pub const fn load_timeout(mut self, wait: Duration) -> Self {
        self.policy.load_timeout = Some(positive(
            wait,
            "`load_timeout` is less than a millisecond: write how long, as in `load_timeout = \"2s\"`",
        ));
        self
    }

    /// How long a load is waited for while there is a stale value, in milliseconds.
    #[must_use]
    pub const fn load_timeout_ms(self, wait: u64) -> Self {
        self.load_timeout(Duration::from_millis(wait))
    }

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

    /// Version of the value type.
    #[must_use]
    pub const fn version(mut self, version: u32) -> Self {
        self.policy.version = Some(version);
        self
    }
}
