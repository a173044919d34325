//! How a load ends at the store: its value is stored, or the value that it was to replace is removed or stays.

use std::time::Duration;

use bytes::Bytes;

use crate::engine::flight::{Landed, Landing};
use crate::metrics::Event;
use crate::policy::Callsite;
use crate::read::lease::{Lease, Share};
use crate::record::token::Token;
use crate::record::{self, Value};
use crate::store::{Acquire, Acquired, Fill, Invalidate, Refresh, Release, StoreError};
use crate::support::budget::Deadline;
use crate::typing::Shared;

impl Lease {
    /// Stores the load's value if the key still holds the lease, or the value seen before. Waiters get `landed`.
    pub(in crate::read) async fn fill(
        mut self,
        callsite: &'static Callsite,
        seen: Option<Token>,
        fill: Fill,
        landed: Option<Landed>,
    ) {
        self.budget.resume(self.begun.0);
        // Otherwise the bytes as they were sent: waiters do not need the times in them.
        let encoded = || Landed::encoded(Bytes::copy_from_slice(&fill.record));
        let shared = self.is_awaited().then(|| landed.unwrap_or_else(encoded));
        let decides = self.mark();
        let (name, by) = (self.name(), self.budget.deadline());
        let filled = async {
            match (self.cache.store(), seen) {
                (None, _) => Ok(false),
                (Some(store), None) => store.send(name, fill, by).await,
                (Some(store), Some(seen)) => store.send(name, Refresh { seen, fill }, by).await,
            }
        };
        let (filled, stands) = if shared.is_some() && !self.tags.is_empty() {
            tokio::join!(filled, self.stamps_stand(by))
        } else {
            (filled.await, true)
        };
        let stats = self.cache.recorder();
        let mark = match &filled {
            Ok(true) => {
                stats.count(callsite, Event::Stored);
                if stands { decides } else { self.begun.1 }
            }
            Ok(false) => {
                stats.count(callsite, Event::Refused);
                self.begun.1
            }
            Err(error) => {
                stats.count(callsite, error.event());
                self.begun.1
            }
        };
        match &mut self.beside {
            // Used or void, unless the value was refused, for which nobody should have to wait; if the store did not
            // answer, it expires.
            None => self.held = matches!(filled, Err(StoreError::Refused(_))),
            Some(beside) => {
                let replaced = filled == Ok(true);
                stats.count(
                    callsite,
                    if replaced { Event::RefreshOk } else { Event::RefreshFailed },
                );
                beside.rest(None);
            }
        }
        if let (Some(leader), Some(mark)) = (self.leader.take(), mark) {
            leader.land(&Landing::Value(shared, mark));
        }
    }

    /// Whether no tag has been invalidated since the load began, which the fill itself does not check. Asked after
    /// the mark, so that an invalidation before a waiter's call is seen here, or in this process's journal if it was
    /// not delivered.
    async fn stamps_stand(&self, by: Deadline) -> bool {
        let Some(store) = self.cache.store() else { return false };
        !self.tags.are_outdated(&self.cache, &self.text)
            && self.tags.read(store, by).await.is_ok_and(|present| present == self.stamps)
    }

    /// The value that a refresh has loaded is not to be stored: removes the value that it was to replace, if that is
    /// still there. Waiters may have the new one.
    pub(in crate::read) async fn remove(
        mut self,
        callsite: &'static Callsite,
        seen: Token,
        share: Share,
    ) {
        self.budget.resume(self.begun.0);
        if let Some(store) = self.cache.store() {
            let by = self.budget.deadline();
            // The lease of the entry itself, which replaces the value, and is released as well.
            let acquire = Acquire { token: self.token, lease: self.length, reject: Some(seen) };
            let taken = store.send(self.name(), acquire, by).await;
            match taken {
                Ok(Acquired::Value(_)) | Err(StoreError::Down | StoreError::Saturated) => {}
                // No leases are given out, so whatever is there has to go.
                Ok(Acquired::Quiet) => {
                    let hold_off = Duration::ZERO;
                    _ = store.send(self.name(), Invalidate { hold_off }, by).await;
                }
                _ => _ = store.send(self.name(), Release { token: self.token }, by).await,
            }
        }
        self.cache.recorder().count(callsite, Event::RefreshFailed);
        self.decline(share);
    }

    /// The load failed: the entry rests, and the value that was seen is served if it has not been touched since.
    pub(in crate::read) async fn keep(
        mut self,
        callsite: &'static Callsite,
        seen: Value,
        error: Option<Shared>,
    ) -> Option<Value> {
        self.cache.recorder().count(callsite, Event::RefreshFailed);
        let held = std::mem::take(&mut self.held);
        if let Some(beside) = self.beside.take() {
            beside.fail(&self.cache, &self.text, self.budget, held);
        }
        self.budget.resume(self.begun.0);
        let decides = self.mark();
        let stands = self.stands(&seen).await;
        let landing = match (stands, decides, self.begun.1) {
            (Some(true), Some(mark), _) => Landing::Stale(seen.record().clone(), mark),
            (_, _, Some(mark)) => Landing::Failed(error, mark),
            _ => Landing::Alone,
        };
        if let Some(leader) = self.leader.take() {
            leader.land(&landing);
        }
        // If the store does not answer, nothing is known to have happened to it.
        (stands != Some(false)).then_some(seen)
    }

    /// Whether a value is untouched since it was seen; `None` if the store does not answer.
    async fn stands(&self, seen: &Value) -> Option<bool> {
        if self.tags.are_outdated(&self.cache, &self.text) {
            return Some(false);
        }
        let (store, by) = (self.cache.store()?, self.budget.deadline());
        let (record, stamps) = self.tags.read_with(store, self.name(), by).await;
        let token = record.ok()?.and_then(|record| record::token(&record));
        Some(token == Some(seen.token()) && stamps.ok()?.are_those_of(seen))
    }
}
