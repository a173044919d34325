//! The third stage of a call: delivers what the body returned to the store and to the waiters.

use bytes::Bytes;

use super::lease::Lease;
use crate::callsite::Callsite;
use crate::outcome::SharedError;
use crate::record::Value;
use crate::store::Fill;
use crate::token::Token;

/// What is left to do after the body.
pub(super) enum Ending {
    /// Stores the value if the key still holds the lease, or the value with this token.
    Store(Box<Lease>, Option<Token>, Fill),
    /// The new value is not to be stored, and the old one must be removed, because it is known to be outdated.
    Remove(Box<Lease>, Token, Option<Bytes>),
    /// The load failed, and the entry has a value.
    Keep(Box<Lease>, Box<Value>, Option<SharedError>),
}

impl Ending {
    /// Does it, and returns the value to serve in place of a failure.
    pub(super) async fn finish(self, callsite: &'static Callsite) -> Option<Value> {
        match self {
            Self::Store(lease, seen, fill) => {
                lease.fill(callsite, seen, fill).await;
                None
            }
            Self::Remove(lease, seen, record) => {
                lease.remove(callsite, seen, record).await;
                None
            }
            Self::Keep(lease, seen, error) => lease.keep(callsite, *seen, error).await,
        }
    }
}
