//! Tokens: who holds a lease or a fence.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sixteen bytes that no other attempt, in any process, has.
///
/// One per *attempt*, never per process: a late fill of an earlier attempt must not pass for the present one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Token([u8; Self::LEN]);

impl Token {
    pub(crate) const LEN: usize = 16;

    /// A token that nobody else has.
    pub(crate) fn random() -> Self {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&random_u64().to_be_bytes());
        bytes[8..].copy_from_slice(&random_u64().to_be_bytes());
        Self(bytes)
    }

    pub(crate) const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:016x}…)", u64::from_be_bytes(std::array::from_fn(|i| self.0[i])))
    }
}

/// `SipHash` of a counter and the process id, keyed by 128 bits from the operating system: unpredictable, needs no
/// system call after the first, cannot fail, and differs on both sides of a `fork`.
pub(crate) fn random_u64() -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    #[cfg(test)]
    if let Some(seeded) = crate::simulation::random() {
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
