//! Tokens: who holds a lease or a fence.

use std::fmt;

use crate::support::random::random_u64;

/// Sixteen bytes that no other attempt, in any process, has.
///
/// One per *attempt*, never per process: a late fill of an earlier attempt must not pass for the
/// present one.
// Aligned, because an enum of a token and of what holds pointers would else be moved in pieces that
// are out of step with those in which it was made, and for that a processor waits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(align(8))]
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

    /// The version of the push whose token it is; that of another attempt is one in 16 million
    /// times taken for one.
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
