//! Pauses between attempts of a sink.

use std::time::Duration;

use crate::token::random_fraction;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// Each pause is three times the one before. They begin anew when the sink takes something, so an item that it alone
/// refuses is given up within seconds; while it takes nothing at all, hardly any items are given up.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Whether it has been failing for some ten seconds.
    pub(super) fn is_long(&self) -> bool {
        self.failures >= 5
    }

    pub(super) fn pause(&mut self) -> Duration {
        let pause = FIRST.saturating_mul(3_u32.saturating_pow(self.failures)).min(LONGEST);
        self.failures = (self.failures + 1).min(8);
        pause.mul_f64(0.5 + random_fraction() / 2.0)
    }
}
