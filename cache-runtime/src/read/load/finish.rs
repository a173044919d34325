//! The third stage of a call: delivers what the body returned to the store and to the waiters.

use crate::engine::flight::Landed;
use crate::policy::Callsite;
use crate::read::driver::Boxed;
use crate::read::lease::{Lease, Share};
use crate::record::Value;
use crate::record::token::Token;
use crate::store::Fill;
use crate::typing::Shared;

/// What is left to do after the body.
pub(in crate::read) enum Ending {
    /// Stores the value if the key still holds the lease, or the value with this token. The callers that waited when the
    /// load ended get the original, where its type allows that.
    Store(Box<Lease>, Option<Token>, Fill, Option<Landed>),
    /// The new value is not to be stored, and the old one must be removed, because it is known to be outdated.
    Remove(Box<Lease>, Token, Share),
    /// The load failed, and the entry has a value.
    Keep(Box<Lease>, Box<Value>, Option<Shared>),
}

impl Ending {
    /// The same as a future without its type.
    pub(in crate::read) fn boxed(self, callsite: &'static Callsite) -> Boxed<Option<Value>> {
        Box::pin(self.finish(callsite))
    }

    /// Does it, and returns the value to serve in place of a failure.
    async fn finish(self, callsite: &'static Callsite) -> Option<Value> {
        match self {
            Self::Store(lease, seen, fill, landed) => {
                lease.fill(callsite, seen, fill, landed).await;
                None
            }
            Self::Remove(lease, seen, share) => {
                lease.remove(callsite, seen, share).await;
                None
            }
            Self::Keep(lease, seen, error) => lease.keep(callsite, *seen, error).await,
        }
    }
}
