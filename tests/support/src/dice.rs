//! Choices that a seed repeats.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// `SplitMix64`. Clones draw from one sequence.
#[derive(Clone, Debug)]
pub struct Dice(Arc<AtomicU64>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    /// Dice whose sequence depends on this one's present place and on `salt`.
    pub fn fork(&self, salt: u64) -> Self {
        let state = self.0.load(Ordering::Relaxed) ^ salt.wrapping_mul(0xA24B_AED4_963E_E407);
        let fork = Self::new(state);
        fork.draw();
        fork
    }

    /// Any number.
    pub fn draw(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&self, end: u64) -> u64 {
        self.draw() % end
    }

    /// An index below `end`.
    pub fn index(&self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap_or_default()
    }

    pub fn percent(&self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// Any span up to `millis`, short ones more often.
    pub fn span(&self, millis: u64) -> Duration {
        let limit = 1 + self.below(millis * 1000);
        Duration::from_micros(self.below(limit))
    }

    /// One of several, each as often as its weight says.
    pub fn pick<T: Copy>(&self, choices: &[(u64, T)]) -> T {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            match left.checked_sub(*weight) {
                Some(less) => left = less,
                None => return *choice,
            }
        }
        choices[0].1
    }
}
