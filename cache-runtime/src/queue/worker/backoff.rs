//! Pauses between attempts of a sink.

use std::time::Duration;

use crate::support::random::random_fraction;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// Each pause is three times the one before, until something succeeds.
#[derive(Debug, Default)]
pub(in crate::queue) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(in crate::queue) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Whether nothing has succeeded since something failed.
    pub(in crate::queue) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Whether it has been failing for some ten seconds.
    pub(in crate::queue) fn is_long(&self) -> bool {
        self.failures >= 5
    }

    pub(crate) fn pause(&mut self) -> Duration {
        let pause = FIRST.saturating_mul(3_u32.saturating_pow(self.failures)).min(LONGEST);
        self.failures = (self.failures + 1).min(8);
        pause.mul_f64(0.5 + random_fraction() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::queue_site::MAX_ATTEMPTS;

    /// The time from the first attempt of an item by itself to the last, after attempts of a batch.
    fn patience(before: u32) -> Duration {
        let mut backoff = Backoff::default();
        (0..before).for_each(|_| _ = backoff.pause());
        (1..MAX_ATTEMPTS).map(|_| backoff.pause()).sum()
    }

    #[test]
    fn the_default_outlasts_half_a_minute() {
        for before in [0, 2] {
            let patience = patience(before).as_secs();
            assert!((30..=130).contains(&patience), "{patience} s");
        }
    }
}
