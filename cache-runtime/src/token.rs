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

/// Marks the token of a push.
const PUSH: [u8; 3] = *b"put";

impl Token {
    pub(crate) const LEN: usize = 16;

    /// A token that nobody else has.
    pub(crate) fn random() -> Self {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&random_u64().to_be_bytes());
        bytes[8..].copy_from_slice(&random_u64().to_be_bytes());
        Self(bytes)
    }

    /// The token of a push, which tells when that was.
    pub(crate) fn for_push(version: i64) -> Self {
        let mut bytes = Self::random().0;
        bytes[..8].copy_from_slice(&version.to_be_bytes());
        bytes[8..8 + PUSH.len()].copy_from_slice(&PUSH);
        Self(bytes)
    }

    /// The version of the push whose token it is; that of another attempt is one in 16 million times taken for one.
    pub(crate) fn of_push(self) -> Option<i64> {
        let version = i64::from_be_bytes(std::array::from_fn(|i| self.0[i]));
        (self.0[8..8 + PUSH.len()] == PUSH).then_some(version)
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
