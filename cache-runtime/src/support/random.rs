//! Randomness that nobody can foresee, without a system call for each number.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, OnceLock};

/// Gives the numbers instead, where it gives any: those of a simulation, which repeat.
pub(crate) static SUBSTITUTE: OnceLock<fn() -> Option<u64>> = OnceLock::new();

/// `SipHash` of a counter and the process id, keyed by 128 bits from the operating system:
/// unpredictable, needs no system call after the first, cannot fail, and differs on both sides of a
/// `fork`.
pub(crate) fn random_u64() -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    if let Some(seeded) = SUBSTITUTE.get().and_then(|substitute| substitute()) {
        return seeded;
    }
    KEYS.hash_one((COUNTER.fetch_add(1, Ordering::Relaxed), std::process::id()))
}

/// A random fraction in `0.0..1.0`.
pub(crate) fn random_fraction() -> f64 {
    // The top 53 bits: every value of the mantissa is equally likely.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
    let numerator = (random_u64() >> 11) as f64;
    numerator / 2_f64.powi(53)
}
