//! How a load ends at the store: its value is stored, or the value that it was to replace is
//! removed or stays.

use std::time::Duration;

use bytes::Bytes;

use crate::engine::flight::{Landed, Landing};
use crate::metrics::Event;
use crate::read::interpret::holds;
use crate::read::lease::{Lease, Share};
use crate::record::token::Token;
use crate::record::{self, Value};
use crate::store::{Acquire, Acquired, Fill, Invalidate, Refresh, Release, StoreError};
use crate::typing::Shared;

impl Lease {
    /// Stores the load's value if the key still holds the lease, or the value `seen` before.
    /// Waiters get `landed`, or else the record.
    pub(in crate::read) async fn fill(
        mut self,
        seen: Option<Token>,
        mut fill: Fill,
        landed: Option<Landed>,
    ) {
        self.budget.resume(self.begun.0);
        if self.is_unsettled && !self.settle(&mut fill).await {
            return self.refuse(&fill, landed).await;
        }
        // The record as it is here: waiters do not need the times that the store puts into it.
        let encoded = || Landed::encoded(Bytes::copy_from_slice(&fill.record));
        let shared = self.is_awaited().then(|| landed.unwrap_or_else(encoded));
        let decides = self.mark();
        let (name, by, size) = (self.name(), self.budget.deadline(), record::size(&fill.record));
        let filled = async {
            match (self.call.cache.store(), seen) {
                (None, _) => Ok(false),
                (Some(store), None) => store.send(name, fill, by).await,
                (Some(store), Some(seen)) => store.send(name, Refresh { seen, fill }, by).await,
            }
        };
        let (filled, current) = if shared.is_some() && !self.call.tags.is_empty() {
            tokio::join!(filled, self.are_stamps_current(by))
        } else {
            (filled.await, true)
        };
        // An accepted fill proves that nothing was invalidated until then, as far as the stamps are
        // current. Otherwise only the beginning of the load is known to be later than what the
        // value may lack.
        let (event, mark) = match &filled {
            Ok(true) if self.is_hint() => (Event::Hinted, self.begun.1),
            Ok(true) => (Event::Stored, if current { decides } else { self.begun.1 }),
            Ok(false) => (Event::Refused, self.begun.1),
            Err(error) => (error.event(), self.begun.1),
        };
        self.call.count(event);
        if event == Event::Stored {
            self.call.cache.recorder().sized(self.call.callsite, size);
        }
        match &mut self.refresh {
            // The fill has used the lease up, or found it void. Only if the server refused the
            // value does it stay, and no other process should have to wait for that. If the store
            // did not answer, the lease expires.
            None => self.held = matches!(filled, Err(StoreError::Refused(_))),
            Some(lease) => {
                lease.rest(None);
                let replaced = filled == Ok(true);
                self.call.count(if replaced { Event::RefreshOk } else { Event::RefreshFailed });
            }
        }
        if let (Some(leader), Some(mark)) = (self.leader.take(), mark) {
            leader.land(&Landing::Value(shared, mark));
        }
    }

    /// Does not store the value, because one of its tags may have been invalidated since the load
    /// began. Waiters that joined before that may have it. The next call can load and store at
    /// once, as after a fill that was refused.
    async fn refuse(mut self, fill: &Fill, landed: Option<Landed>) {
        if let Some(lease) = &mut self.refresh {
            lease.rest(None);
            self.call.count(Event::RefreshFailed);
        } else if self.held
            && let Some(store) = self.call.cache.store()
        {
            let (release, by) = (Release { token: self.token }, self.budget.deadline());
            self.held = store.send(self.name(), release, by).await.is_err();
        }
        let encoded = || Landed::encoded(Bytes::copy_from_slice(&fill.record));
        let shared = self.is_awaited().then(|| landed.unwrap_or_else(encoded));
        self.decline(shared.map_or(Share::Nothing, Share::Value));
    }

    /// The value that a refresh has loaded is not to be stored: removes the value that it was to
    /// replace, if that is still there. Waiters may have the new one.
    pub(in crate::read) async fn remove(mut self, seen: Token, share: Share) {
        self.budget.resume(self.begun.0);
        if let Some(store) = self.call.cache.store() {
            let by = self.budget.deadline();
            // Takes the lease of the entry itself, which replaces the value, and releases it too.
            let acquire = Acquire { token: self.token, lease: self.length, reject: Some(seen) };
            let taken = store.send(self.name(), acquire, by).await;
            match taken {
                Ok(Acquired::Value(_)) | Err(StoreError::Down | StoreError::Saturated) => {}
                // No leases are granted for now, so what is there has to be removed.
                Ok(Acquired::Quiet) => {
                    let hold_off = Duration::ZERO;
                    _ = store.send(self.name(), Invalidate { hold_off }, by).await;
                }
                _ => _ = store.send(self.name(), Release { token: self.token }, by).await,
            }
        }
        self.call.count(Event::RefreshFailed);
        self.decline(share);
    }

    /// The load failed: the entry rests, and the value that was seen is served if it has not been
    /// touched since. Returns that value.
    ///
    /// It is looked at once more after a mark of its own, which excludes this:
    ///
    /// ```text
    /// leader: sets mark 1, finds the stale value, begins a load
    /// writer: commits, invalidates the entry
    /// waiter: joins after mark 1, and must see the write
    /// leader: the load fails; lands the stale value for all who wait
    /// ```
    pub(in crate::read) async fn keep(
        mut self,
        seen: Value,
        error: Option<Shared>,
    ) -> Option<Value> {
        self.call.count(Event::RefreshFailed);
        let held = std::mem::take(&mut self.held);
        if let Some(lease) = self.refresh.take() {
            lease.fail(&self.call.cache, &self.call.text, self.budget, held);
        }
        self.budget.resume(self.begun.0);
        let decides = self.mark();
        let unchanged = self.is_unchanged(&seen).await;
        let landing = match (unchanged, decides, self.begun.1) {
            (Some(true), Some(mark), _) => Landing::Stale(seen.record().clone(), mark),
            (_, _, Some(mark)) => Landing::Failed(error, mark),
            _ => Landing::Alone,
        };
        if let Some(leader) = self.leader.take() {
            leader.land(&landing);
        }
        // If the store does not answer, nothing is known to have happened to the value.
        (unchanged != Some(false)).then_some(seen)
    }

    /// Whether a value is untouched since it was seen; `None` if the store does not answer.
    async fn is_unchanged(&self, seen: &Value) -> Option<bool> {
        if self.call.is_outdated() {
            return Some(false);
        }
        let (store, by) = (self.call.cache.store()?, self.budget.deadline());
        let (record, stamps) = self.call.tags.read_with(store, self.name(), by).await;
        let record = record.ok()?;
        Some(holds(record.as_ref(), seen) && stamps.ok()?.are_those_of(seen))
    }
}
