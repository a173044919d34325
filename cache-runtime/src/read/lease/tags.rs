//! The stamps of the entry's tags: captured before the load, and for tags that nobody guessed after
//! it.

use crate::engine::tags::{Standing, Tags};
use crate::metrics::Event;
use crate::read::lease::Lease;
use crate::record;
use crate::record::token::Token;
use crate::store::{Fill, Name, Store, StoreResult};
use crate::support::budget::Deadline;

impl Lease {
    /// The stamps that the load's value will be stored with.
    pub(in crate::read) fn stamps(&self) -> &Standing {
        &self.stamps
    }

    /// Captures the stamps of the entry's tags for a load without the lease of the entry itself;
    /// whether its value may be stored.
    pub(in crate::read) async fn capture(&mut self) -> bool {
        if let Some(store) = self.call.cache.store() {
            let captured = self.capture_all(store, self.budget.deadline()).await;
            (self.stamps, self.epoch) = captured.unwrap_or((Standing::Missing, None));
        }
        matches!(self.stamps, Standing::Stamps(_))
    }

    pub(super) async fn capture_all(
        &self,
        store: &Store,
        by: Deadline,
    ) -> StoreResult<(Standing, Option<Token>)> {
        if !self.call.tags.are_told() {
            return self.call.tags.capture(store, by).await.map(|stamps| (stamps, None));
        }
        let epoch = self.call.cache.epoch();
        self.call.tags.capture_with(store, Some(Name::new(&epoch)), by).await
    }

    /// The entry's value names these tags.
    pub(in crate::read) fn know_tags(&mut self, tags: &Tags) {
        self.call.tags = tags.clone();
    }

    /// The value that was loaded has these tags: takes their stamps as far as they were captured.
    pub(in crate::read) fn take_tags(&mut self, tags: &Tags) {
        let (stamps, are_all) = tags.among(&self.stamps);
        (self.stamps, self.is_unsettled) = (stamps, !are_all);
        self.call.tags = tags.clone();
    }

    /// Captures the stamps of the tags that nobody guessed, and puts them into the record. False if
    /// the value must not be stored.
    pub(super) async fn settle(&mut self, fill: &mut Fill) -> bool {
        let Some(store) = self.call.cache.store() else { return false };
        let (epoch, by) = (self.call.cache.epoch(), self.budget.deadline());
        let epoch = (store, Name::new(&epoch));
        match self.call.tags.settle(epoch, &self.stamps, self.epoch, by).await {
            Ok(Some(stamps)) => {
                record::set_stamps(&mut fill.record, stamps.stamps());
                self.stamps = stamps;
                true
            }
            Ok(None) => {
                self.call.count(Event::Overlapped);
                false
            }
            Err(error) => {
                self.call.count(error.event());
                false
            }
        }
    }

    /// Whether no tag has been invalidated since the load began. The fill does not check that: it
    /// looks at the entry's own key. Called after the mark, and with the fill, which excludes this:
    ///
    /// ```text
    /// leader: sets mark 1, captures the stamp of the tag, loads the old value
    /// writer: commits, invalidates the tag: the stamp is gone
    /// waiter: joins after mark 1, and must see the write
    /// leader: sets mark 2, and its fill is accepted
    /// leader: lands with mark 2, so the waiter takes the old value
    /// ```
    ///
    /// As the stamp is no longer that of the load, the leader lands with mark 1, and the waiter,
    /// which joined later, loads. An invalidation that was not delivered leaves the stamp as it is,
    /// but is in the journal of this process.
    pub(super) async fn are_stamps_current(&self, by: Deadline) -> bool {
        let Some(store) = self.call.cache.store() else { return false };
        !self.call.is_outdated()
            && self
                .call
                .tags
                .read(store, by)
                .await
                .is_ok_and(|present| present.are_same(&self.stamps))
    }
}
