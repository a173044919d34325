//! The third stage of a call: what the body returned is on its way to the store, or to those who wait.

use bytes::Bytes;

use super::lease::Lease;
use crate::callsite::Callsite;
use crate::outcome::SharedError;
use crate::record::Value;
use crate::store::Fill;
use crate::token::Token;

/// What is left to do after the body.
pub(super) enum Ending {
    /// Stores the value where the lease, or the value with this token, still stands.
    Store(Box<Lease>, Option<Token>, Fill),
    /// The new value is not to be stored, so the old one must not stay: it is known to be outdated.
    Remove(Box<Lease>, Token, Option<Bytes>),
    /// The load failed, and a value stands.
    Keep(Box<Lease>, Box<Value>, Option<SharedError>),
}

impl Ending {
    /// Does it; the value that is to be served in place of a failure.
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
