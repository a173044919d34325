//! Pauses between connection attempts.

use std::time::{Duration, Instant};

use crate::store::quiet::LONGEST_PAUSE;
use crate::support::random::random_fraction;

/// The first pause is at most this long.
const FIRST: Duration = Duration::from_millis(10);
/// No pause is longer. After a server's start nothing is stored for as long as that, and more.
pub(in crate::store) const LONGEST: Duration = LONGEST_PAUSE;

/// Exponential pauses with full jitter: a fleet that lost the same server at the same moment comes
/// back spread over time.
#[derive(Debug, Default)]
pub(in crate::store) struct Backoff {
    attempts: u32,
    up_since: Option<Instant>,
}

impl Backoff {
    /// The last attempt succeeded.
    pub(in crate::store) fn up(&mut self) {
        self.up_since = Some(Instant::now());
    }

    /// How long to wait before the next attempt. A success that did not last does not start the
    /// series anew.
    pub(in crate::store) fn pause(&mut self) -> Duration {
        if self.up_since.take().is_some_and(|since| since.elapsed() >= LONGEST) {
            self.attempts = 0;
        }
        let ceiling = FIRST.saturating_mul(1 << self.attempts).min(LONGEST);
        self.attempts = (self.attempts + 1).min(8);
        ceiling.mul_f64(random_fraction())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_ceiling_and_spread_over_all_of_it() {
        let longest: Vec<_> = (0..=8)
            .map(|attempts| {
                (0..1000)
                    .map(|_| Backoff { attempts, up_since: None }.pause())
                    .fold((LONGEST, Duration::ZERO), |(min, max), pause| {
                        (min.min(pause), max.max(pause))
                    })
            })
            .collect();
        for (attempts, (min, max)) in longest.into_iter().enumerate() {
            let ceiling = FIRST.saturating_mul(1 << attempts).min(LONGEST);
            assert!(
                max <= ceiling && max > ceiling.mul_f64(0.9),
                "{attempts}: {max:?} of {ceiling:?}"
            );
            assert!(min < ceiling.mul_f64(0.1), "{attempts}: {min:?} of {ceiling:?}");
        }
    }
}
