//! The static that an attribute generates: a function's name and policy.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::codec::Codec;

/// What an attribute says about its function. Built at compile time, one static per function.
#[derive(Debug)]
pub struct Callsite {
    name: &'static str,
    template: &'static str,
    policy: Policy,
    /// Index of its statistics in every cache, from 1; 0 until it is first called.
    index: AtomicUsize,
}

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
}

impl Policy {
    /// How long a value stays after its time to live.
    pub(crate) fn stale(&self) -> Duration {
        self.stale_while_revalidate.max(self.stale_if_error).unwrap_or_default()
    }
}

/// The callsite of keys that belong to no function.
pub(crate) static BY_HAND: Callsite = Callsite::new("by hand", "");

impl Callsite {
    /// A function by its path and key template.
    #[must_use]
    pub const fn new(name: &'static str, template: &'static str) -> Self {
        let policy = Policy {
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
        };
        Self { name, template, policy, index: AtomicUsize::new(0) }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn template(&self) -> &'static str {
        self.template
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A small unique number, assigned at the first call.
    pub(crate) fn index(&self) -> usize {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        match self.index.load(Ordering::Relaxed) {
            0 => {
                let fresh = LAST.fetch_add(1, Ordering::Relaxed) + 1;
                match self.index.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => fresh,
                    Err(given) => given,
                }
            }
            given => given,
        }
    }
}

/// The options, one method each. Literals are passed in milliseconds, constant expressions as they are.
impl Callsite {
    /// How long a value is served.
    #[must_use]
    pub const fn ttl_ms(mut self, ttl: u64) -> Self {
        self.policy.ttl = Some(Duration::from_millis(ttl));
        self
    }

    /// How long `None` is remembered.
    #[must_use]
    pub const fn none_ttl(mut self, ttl: Duration) -> Self {
        self.policy.none_ttl = Some(ttl);
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
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.policy.wait = Some(wait);
        self
    }

    /// How long a caller waits for another one's load, in milliseconds.
    #[must_use]
    pub const fn wait_ms(self, wait: u64) -> Self {
        self.wait(Duration::from_millis(wait))
    }

    /// How long a crashed loader blocks the others.
    #[must_use]
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.policy.lease = Some(lease);
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
    pub const fn shed_after(mut self, wait: Duration) -> Self {
        self.policy.shed_after = Some(wait);
        self
    }

    /// How long a call waits for a place among the concurrent loads, in milliseconds.
    #[must_use]
    pub const fn shed_after_ms(self, wait: u64) -> Self {
        self.shed_after(Duration::from_millis(wait))
    }

    /// How long a call may be held up by the store, all its commands together.
    #[must_use]
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.policy.budget = Some(budget);
        self
    }

    /// How long a call may be held up by the store, in milliseconds.
    #[must_use]
    pub const fn budget_ms(self, budget: u64) -> Self {
        self.budget(Duration::from_millis(budget))
    }

    /// How long after its time to live a value is served while it is being refreshed.
    #[must_use]
    pub const fn stale_while_revalidate(mut self, stale: Duration) -> Self {
        self.policy.stale_while_revalidate = Some(stale);
        self
    }

    /// How long after its time to live a value is served while it is being refreshed, in milliseconds.
    #[must_use]
    pub const fn stale_while_revalidate_ms(self, stale: u64) -> Self {
        self.stale_while_revalidate(Duration::from_millis(stale))
    }

    /// How long after its time to live a value is served where the load fails.
    #[must_use]
    pub const fn stale_if_error(mut self, stale: Duration) -> Self {
        self.policy.stale_if_error = Some(stale);
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
    pub const fn load_timeout(mut self, wait: Duration) -> Self {
        self.policy.load_timeout = Some(wait);
        self
    }

    /// How long a load is waited for while there is a stale value, in milliseconds.
    #[must_use]
    pub const fn load_timeout_ms(self, wait: u64) -> Self {
        self.load_timeout(Duration::from_millis(wait))
    }

    /// Version of the value type.
    #[must_use]
    pub const fn version(mut self, version: u32) -> Self {
        self.policy.version = Some(version);
        self
    }
}
