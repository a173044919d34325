//! One attempt with some items, and what becomes of those that the sink takes.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use crate::metrics::queue::count;
use crate::queue::push::payload::{self, Unreadable};
use crate::queue::sink::batch::{Batch, BatchItem};
use crate::queue::sink::error::SinkError;
use crate::queue::worker::delivery::Delivery;
use crate::queue::worker::invalidate::{Fate, Leaving};
use crate::queue::worker::partition::Lost;
use crate::store::queue::{Position, Stored};

/// How much of an error is kept, in bytes.
const ERROR_LIMIT: usize = 1024;

/// What a sink did not take.
pub(super) enum Refusal {
    /// Nothing of it.
    All(SinkError),
    /// These of its items, each with what was merged into it. The others are delivered.
    Items(Vec<(Vec<Stored>, SinkError)>),
}

/// Items of a part of which the sink did not take all.
struct Named {
    refused: Vec<(Vec<Stored>, SinkError)>,
    taken: Vec<Stored>,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Delivery<T> {
    /// Hands items to the sink, and removes those that it takes, as well as those that cannot be
    /// read. None: nothing is left of them.
    pub(super) async fn attempt(
        &mut self,
        items: &mut Vec<Stored>,
    ) -> Result<Option<Refusal>, Lost> {
        let mut entries = Vec::with_capacity(items.len());
        let mut useless = Vec::new();
        for stored in items.iter() {
            match self.decode(stored) {
                Ok(item) => entries.push(BatchItem {
                    position: Some(stored.position),
                    key: stored.key.clone(),
                    version: stored.stamp.version(),
                    item,
                }),
                Err(unreadable) => useless.push((stored.position, unreadable)),
            }
        }
        for (position, unreadable) in &useless {
            self.bury(*position, &unreadable.to_string(), 0).await?;
        }
        items.retain(|stored| useless.iter().all(|(position, _)| *position != stored.position));
        if entries.is_empty() {
            return Ok(None);
        }
        let merge = self.task.definition.merge();
        let batch = Batch::new(self.owner.log.shared.queue, self.owner.partition, entries, merge);
        let asked = batch.asked();
        let Err(mut error) = self.call(batch).await? else {
            self.taken(items).await?;
            self.heard().await?;
            return Ok(None);
        };
        count(&self.owner.log.shared.counters.failures, 1);
        self.heard().await?;
        let named = error.take_items();
        if named.is_empty() {
            return Ok(Some(Refusal::All(error)));
        }
        match self.named(items, named, asked.dropped()) {
            Ok(Named { refused, taken }) => {
                if !taken.is_empty() {
                    self.taken(&taken).await?;
                }
                Ok((!refused.is_empty()).then_some(Refusal::Items(refused)))
            }
            Err(error) => Ok(Some(Refusal::All(error))),
        }
    }

    /// The items that an error is about, and the others.
    fn named(
        &self,
        items: &[Stored],
        named: Vec<(usize, SinkError)>,
        dropped: usize,
    ) -> Result<Named, SinkError> {
        let got = items.get(dropped..).unwrap_or_default();
        let origins = self.task.definition.merge().origins(got.iter().map(|stored| &*stored.key));
        let (mut errors, mut refused) = (BTreeMap::new(), Vec::new());
        for (place, error) in named {
            if place >= origins.len() {
                return Err(SinkError::unspecified(format_args!(
                    "the sink says that item {place} of {} failed: {error}",
                    origins.len()
                )));
            }
            errors.insert(place, error);
        }
        let mut left: BTreeMap<Position, Stored> =
            items.iter().map(|stored| (stored.position, stored.clone())).collect();
        for (place, error) in errors {
            let origin = origins.get(place).into_iter().flatten();
            let made_of = origin
                .filter_map(|entry| left.remove(&got.get(*entry)?.position))
                .collect::<Vec<_>>();
            refused.push((made_of, error));
        }
        match refused.pop() {
            Some((_, error)) if refused.is_empty() && left.is_empty() => Err(error),
            last => {
                refused.extend(last);
                Ok(Named { refused, taken: left.into_values().collect() })
            }
        }
    }

    /// The item, if it is one of this worker's type.
    fn decode(&self, stored: &Stored) -> Result<T, Unreadable> {
        let payload = stored.payload.as_deref().ok_or(Unreadable::Undecodable)?;
        payload::decode(payload, self.task.definition.site.options.version)
    }

    async fn taken(&mut self, items: &[Stored]) -> Result<(), Lost> {
        self.task.calls.count_taken();
        self.settle(items, Fate::Delivered).await?;
        let done: Vec<_> = items.iter().map(|stored| stored.position).collect();
        self.owner.ack(&done).await?;
        let counters = &self.owner.log.shared.counters;
        count(&counters.batches, 1);
        count(&counters.delivered, items.len());
        Ok(())
    }

    /// Removes what the cache got from the database before that knew these items.
    async fn settle(&mut self, items: &[Stored], fate: Fate) -> Result<(), Lost> {
        let Some(put) = self.task.definition.put else { return Ok(()) };
        let cache = self.owner.log.cache.clone();
        let mut leaving = Leaving::new(put, fate);
        for stored in items {
            if let Ok(item) = self.decode(stored) {
                leaving.add(&cache, &item, stored.stamp.version());
            }
        }
        self.owner.hold(leaving.settle(&cache)).await
    }

    /// Waits before the next attempt. False: there will be none.
    pub(crate) async fn pause(&mut self) -> Result<bool, Lost> {
        let drains = self.owner.log.drains();
        if self.stop.is_sent() && self.backoff.is_long() {
            return Ok(false);
        }
        let pause = sleep(self.backoff.pause());
        let stop = &mut self.stop;
        let wait = async {
            tokio::select! {
                biased;
                () = stop.sent(), if !drains => false,
                () = pause => true,
            }
        };
        self.owner.hold(wait).await
    }

    /// Makes a dead letter of an item that the sink does not take.
    pub(super) async fn give_up(
        &mut self,
        item: &Stored,
        error: &SinkError,
        attempts: u32,
    ) -> Result<(), Lost> {
        self.settle(std::slice::from_ref(item), Fate::Buried).await?;
        self.bury(item.position, cut(error.text()), attempts).await
    }

    pub(super) async fn bury(
        &mut self,
        position: Position,
        error: &str,
        attempts: u32,
    ) -> Result<(), Lost> {
        self.owner.bury(position, error, attempts).await?;
        let shared = &self.owner.log.shared;
        count(&shared.counters.dead_letters, 1);
        shared.report.buried(shared.queue, self.owner.partition, position, error);
        Ok(())
    }
}

/// The beginning of a text.
pub(super) fn cut(text: &str) -> &str {
    let mut end = text.len().min(ERROR_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
