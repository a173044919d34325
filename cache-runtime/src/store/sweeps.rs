//! The operations that go through all keys.

use std::time::Duration;

use crate::store::redis::Sweep;
use crate::store::{Digests, Store, StoreResult};
use crate::support::budget::Deadline;

impl Store {
    /// Invalidates all keys that match a glob, and returns how many there were. On a server, an attempt that fails leaves in
    /// `sweep` how far it has come, and the next goes on there.
    pub(crate) async fn invalidate_matching(
        &self,
        pattern: &str,
        hold_off: Duration,
        sweep: &Sweep,
        by: Deadline,
    ) -> StoreResult<u64> {
        match self {
            Self::Memory(store) => Ok(store.invalidate_matching(pattern, hold_off)),
            Self::Redis(store) => store.invalidate_matching(pattern, hold_off, sweep, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.invalidate_matching(pattern, hold_off, by).await,
        }
    }

    /// Invalidates all keys of a set, which are looked for among those that match a glob, and returns how many there
    /// were.
    pub(crate) async fn invalidate_listed(
        &self,
        keys: &Digests,
        among: &str,
        hold_off: Duration,
        sweep: &Sweep,
        by: Deadline,
    ) -> StoreResult<u64> {
        match self {
            Self::Memory(store) => Ok(store.invalidate_listed(keys, among, hold_off)),
            Self::Redis(store) => store.invalidate_listed(keys, among, hold_off, sweep, by).await,
            #[cfg(test)]
            Self::Faulty(store) => store.invalidate_listed(keys, among, hold_off, by).await,
        }
    }
}
