//! What a call may do with a value, given its age.

use std::time::Duration;

use crate::policy::Policy;
use crate::record::Value;
use crate::support::random::random_fraction;

/// What a function does about the age of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) enum AgePolicy {
    /// Nothing: the store drops a value when its time to live is over, so what is there is fresh.
    Ignored,
    /// It serves stale values or refreshes early, so each look also asks for the store's time.
    Considered,
    /// The same, and its body can run in the background.
    Detachable,
}

impl AgePolicy {
    /// The same for a call whose caller asks how old the value is.
    pub(in crate::read) fn considered(self) -> Self {
        if self == Self::Ignored { Self::Considered } else { self }
    }
}

/// What a call may do with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) enum Freshness {
    /// Serve it.
    Fresh,
    /// Serve it, and refresh it although it is fresh.
    RefreshEarly,
    /// Serve it, and refresh it.
    StaleWhileRevalidate,
    /// Load, and serve it if that fails.
    StaleIfError,
    /// Load: it is too old to be served.
    Expired,
    /// The function ignores age, but another function with the same key has the value kept longer
    /// than it is fresh: the store has to be asked for its time.
    Unknown,
}

impl Freshness {
    /// What a function with this policy may do with a value, at this time by the store's clock.
    pub(in crate::read) fn of(value: &Value, age: AgePolicy, policy: &Policy, now_ms: u64) -> Self {
        if age == AgePolicy::Ignored {
            return if value.is_kept() { Self::Unknown } else { Self::Fresh };
        }
        let left = value.fresh_until_ms().saturating_sub(now_ms);
        if left > 0 {
            let cost = f64::from(value.cost_ms());
            return match policy.early {
                Some(beta) if is_drawn(cost, beta, left) => Self::RefreshEarly,
                _ => Self::Fresh,
            };
        }
        let age = Duration::from_millis(now_ms.saturating_sub(value.fresh_until_ms()));
        let within = |window: Option<Duration>| window.is_some_and(|window| age < window);
        if !value.is_kept() {
            return Self::Expired;
        }
        match policy.load_timeout {
            None if within(policy.stale_while_revalidate) => Self::StaleWhileRevalidate,
            None if within(policy.stale_if_error) => Self::StaleIfError,
            Some(_) if age < policy.stale() => Self::StaleIfError,
            _ => Self::Expired,
        }
    }
}

/// Whether this call refreshes a value early: XFetch, after Vattani, Chierichetti and Lowenstein,
/// "Optimal Probabilistic Cache Stampede Prevention", 2015. `cost` and `left` are in the same unit.
///
/// Each call draws independently, and is the more likely to win the longer the load takes and the
/// nearer the end is. So however many calls there are, about one of them wins within the duration
/// of a load before the end.
pub(crate) fn is_drawn(cost: f64, beta: f64, left: u64) -> bool {
    // In (0, 1]: its logarithm is finite.
    let random = 1.0 - random_fraction();
    #[expect(clippy::cast_precision_loss, reason = "a time to live of 2^53 ms is for ever")]
    let left = left as f64;
    -cost * beta * random.ln() >= left
}
