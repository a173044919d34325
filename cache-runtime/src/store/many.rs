//! The operations of reads on many keys: the same as on one key, in one round trip for all of them, or for each
//! [piece](PIECE) of them. There is one result per key, in order; a failure for one key does not affect the others.
//!
//! The deadline is that of the first piece, and each of the others has as much time: it bounds the wait for an answer,
//! and it is not the number of keys that makes an operation time out. Once a piece has not been answered, the rest is not
//! sent.

use std::time::Duration;

use bytes::Bytes;

use crate::record::token::Token;
use crate::store::{Acquired, Fill, Name, Store, StoreResult, coalesce};
use crate::support::budget::Deadline;

/// Keys in one piece of an operation: as many as a server does in a millisecond or so, since others wait behind them.
pub(crate) const PIECE: usize = 256;

/// One attempt's claim to a key: what it asks for, keeps and gives up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) token: Token,
    /// A value with this token is useless to the caller, and makes room for the lease.
    pub(crate) reject: Option<Token>,
}

/// A value on its way into a key.
#[derive(Debug)]
pub(crate) struct Filling<'a> {
    pub(crate) name: Name<'a>,
    /// It replaces the value with this token, and only that one; none: it takes the place of its own token's lease.
    pub(crate) seen: Option<Token>,
    pub(crate) fill: Fill,
}

impl Store {
    /// Reads the records of many keys.
    pub(crate) async fn get_many(
        &self,
        names: &[Name<'_>],
        by: Deadline,
    ) -> Vec<StoreResult<Option<Bytes>>> {
        if let Some(answers) = coalesce::get_many(names, by) {
            return coalesce::all(answers).await;
        }
        match self {
            Self::Memory(store) => names.iter().map(|name| Ok(store.get(*name))).collect(),
            Self::Redis(store) => store.get_many(names, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.get_many(names, by).await,
        }
    }

    /// Gets the value or the lease of each key.
    pub(crate) async fn acquire_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<Acquired>> {
        match self {
            Self::Memory(store) => {
                let acquire = |claim: &Claim<'_>| {
                    Ok(store.acquire(claim.name, claim.token, lease, claim.reject))
                };
                claims.iter().map(acquire).collect()
            }
            Self::Redis(store) => store.acquire_many(claims, lease, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.acquire_many(claims, lease, by).await,
        }
    }

    /// Stores each value whose lease, or the value that it replaces, still stands.
    pub(crate) async fn fill_many(
        &self,
        fillings: Vec<Filling<'_>>,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        match self {
            Self::Memory(store) => {
                let fill = |Filling { name, seen, fill }: Filling<'_>| {
                    Ok(match seen {
                        None => store.fill(name, fill),
                        Some(seen) => store.refresh(name, seen, fill),
                    })
                };
                fillings.into_iter().map(fill).collect()
            }
            Self::Redis(store) => store.fill_many(fillings, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.fill_many(fillings, by).await,
        }
    }

    /// Keeps leases while their load goes on.
    pub(crate) async fn renew_many(
        &self,
        claims: &[Claim<'_>],
        lease: Duration,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        match self {
            Self::Memory(store) => {
                claims.iter().map(|claim| Ok(store.renew(claim.name, claim.token, lease))).collect()
            }
            Self::Redis(store) => store.renew_many(claims, lease, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.renew_many(claims, lease, by).await,
        }
    }
}
