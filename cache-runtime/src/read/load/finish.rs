//! The third stage of a call: brings what the body returned to the store and to the waiters.

use std::pin::Pin;

use crate::engine::flight::Landed;
use crate::read::lease::{Lease, Share};
use crate::record::Value;
use crate::record::token::Token;
use crate::store::Fill;
use crate::typing::Shared;

/// What is left to do at the store after the body, before the call returns.
pub(in crate::read) enum Finish {
    /// Store the value if the key still holds the lease, or the value with this token. The callers
    /// that waited when the load ended get the original, where its type allows that.
    Store(Box<Lease>, Option<Token>, Fill, Option<Landed>),
    /// The same for the index of an alias, and for its value in the entry of the entity, if that is
    /// to be stored. The callers that waited get the value.
    StoreBoth(Box<Lease>, Fill, Option<Landed>, Option<(Box<Lease>, Fill)>),
    /// The new value is not to be stored. Remove the old one, which is known to be outdated.
    Remove(Box<Lease>, Token, Share),
    /// The load failed, and the entry has a value: serve that if it is unchanged.
    Keep(Box<Lease>, Box<Value>, Option<Shared>),
}

impl Finish {
    /// Does it, and returns the value to serve in place of a failure. A future without its type.
    pub(in crate::read) fn run(self) -> Pin<Box<dyn Future<Output = Option<Value>> + Send>> {
        Box::pin(async move {
            match self {
                Self::Store(lease, seen, fill, landed) => {
                    lease.fill(seen, fill, landed).await;
                    None
                }
                Self::StoreBoth(lease, fill, landed, of_entity) => {
                    let entity = async {
                        if let Some((lease, fill)) = of_entity {
                            lease.fill(None, fill, None).await;
                        }
                    };
                    tokio::join!(entity, lease.fill(None, fill, landed));
                    None
                }
                Self::Remove(lease, seen, share) => {
                    lease.remove(seen, share).await;
                    None
                }
                Self::Keep(lease, seen, error) => lease.keep(*seen, error).await,
            }
        })
    }
}
