//! Where the lease of a refresh stands, and what becomes of one that failed.

use std::time::Duration;

use crate::background::Claim;
use crate::budget::Budget;
use crate::cache::Cache;
use crate::record::KeyHash;
use crate::store::Name;

/// How long an entry is left alone after its load has failed: a failing origin is asked once in that time for each
/// entry, by all processes together.
pub(super) const REST: Duration = Duration::from_secs(1);

/// How long a process leaves an entry alone that another one is refreshing.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// A key beside the entry's own: `<key>!r`. It holds nothing but the lease of whoever refreshes, or, while the entry
/// rests, a tombstone; safe is a refresh by the token of the value that it replaces.
pub(super) struct Beside {
    text: String,
    hash: KeyHash,
    /// This process's right to refresh. None for loads that somebody waits for in the foreground.
    claim: Option<Claim>,
}

impl Beside {
    pub(super) fn new(entry: &str, claim: Option<Claim>) -> Self {
        let text = [entry, "!r"].concat();
        Self { hash: KeyHash::of(&text), text, claim }
    }

    pub(super) fn name(&self) -> Name<'_> {
        Name { text: &self.text, hash: self.hash }
    }

    /// How long this process leaves the entry alone.
    pub(super) fn rest(&mut self, rest: Option<Duration>) {
        if let Some(claim) = &mut self.claim {
            claim.rest(rest);
        }
    }

    pub(super) fn is_claimed(&self) -> bool {
        self.claim.is_some()
    }

    /// This process leaves the entry alone for a while; where it holds the lease, all do.
    pub(super) fn fail(mut self, cache: &Cache, entry: &str, budget: Budget, held: bool) {
        match &mut self.claim {
            Some(claim) => claim.rest(Some(REST)),
            None => cache.background().rest(entry, REST),
        }
        if !held {
            return;
        }
        let told = cache.clone();
        cache.background().run(async move {
            if let Some(store) = told.store() {
                let by = budget.anew().deadline();
                _ = store.invalidate(&[self.name()], REST, by).await;
            }
        });
    }
}
