//! A batch on its way to the sink, taken apart until only what is at fault is left.

use std::collections::VecDeque;

use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::Delivery;
use crate::log;
#[cfg(cache_mutants)]
use crate::mutants::{QueueMutant, on};
use crate::queue::batch::{Batch, Entry};
use crate::queue::definition::Definition;
use crate::queue::owner::Lost;
use crate::queue::settle::{Fate, Leaving};
use crate::queue::stats::count;
use crate::queue::{Position, payload};
use crate::store::queue::Stored;

/// Attempts with a whole batch before it is taken apart.
const WHOLE: u32 = 3;
/// How much of an error is kept, in bytes.
const ERROR_LIMIT: usize = 1024;

/// A part of what was read.
struct Part {
    items: Vec<Stored>,
    /// It was never taken apart.
    is_whole: bool,
}

/// How an attempt ended.
enum Attempt {
    Taken,
    Refused(String),
    /// Nothing is left of it.
    Void,
}

impl<T: DeserializeOwned + Send + 'static> Delivery<T> {
    /// Delivers items in their order, each at least once or as a dead letter. False: it was stopped before the end, and
    /// the rest stays for the next owner.
    pub(super) async fn deliver(&mut self, items: Vec<Stored>) -> Result<bool, Lost> {
        let max_attempts = self.task.definition.site.options.max_attempts;
        #[cfg(cache_mutants)]
        if on(QueueMutant::AcknowledgeAtRead) {
            let read: Vec<_> = items.iter().map(|stored| stored.position).collect();
            self.owner.ack(&read).await?;
        }
        let mut parts = VecDeque::from([Part { items, is_whole: true }]);
        while let Some(mut part) = parts.pop_front() {
            let mut attempts = 0;
            let refusal = loop {
                attempts += 1;
                match self.attempt(&mut part.items).await? {
                    Attempt::Void => break None,
                    Attempt::Taken => {
                        self.settle(&part.items, Fate::Delivered).await?;
                        self.taken(&part.items).await?;
                        break None;
                    }
                    Attempt::Refused(error) => {
                        self.refused(&error);
                        let allowed = match (part.items.len(), part.is_whole) {
                            (1, _) => max_attempts,
                            (_, true) => max_attempts.min(WHOLE),
                            (_, false) => 1,
                        };
                        if attempts >= allowed {
                            break Some(error);
                        }
                        if !self.pause().await? {
                            return Ok(false);
                        }
                    }
                }
            };
            let Some(error) = refusal else { continue };
            if let [item] = &part.items[..] {
                let (position, error) = (item.position, cut(&error));
                self.settle(&part.items, Fate::Buried).await?;
                self.bury(position, error, attempts).await?;
            } else {
                let second = part.items.split_off(part.items.len() / 2);
                parts.push_front(Part { items: second, is_whole: false });
                parts.push_front(Part { items: part.items, is_whole: false });
            }
        }
        Ok(true)
    }

    async fn attempt(&mut self, items: &mut Vec<Stored>) -> Result<Attempt, Lost> {
        let mut entries = Vec::with_capacity(items.len());
        let mut useless = Vec::new();
        for stored in items.iter() {
            match stored.payload.as_deref().map(payload::decode) {
                Some(Ok(item)) => entries.push(Entry {
                    position: Some(stored.position),
                    key: stored.key.clone(),
                    version: stored.stamp.version(),
                    item,
                }),
                _ => useless.push(stored.position),
            }
        }
        for position in &useless {
            self.bury(*position, "the item does not decode", 0).await?;
        }
        items.retain(|stored| !useless.contains(&stored.position));
        if entries.is_empty() {
            return Ok(Attempt::Void);
        }
        let Definition { site, .. } = self.task.definition;
        let merge = self.task.definition.merge();
        let batch = Batch::new(site.name, self.owner.partition, entries, merge);
        self.owner.assert().await?;
        Ok(match self.owner.hold(self.task.sink.deliver(batch)).await? {
            Ok(()) => Attempt::Taken,
            Err(error) => Attempt::Refused(error),
        })
    }

    async fn taken(&mut self, items: &[Stored]) -> Result<(), Lost> {
        let name = self.task.definition.site.name;
        if std::mem::take(&mut self.is_failing) {
            log::info(format_args!(
                "queue {name:?}, partition {}: the sink takes items again",
                self.owner.partition
            ));
        }
        self.backoff.succeeded();
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
            if let Some(Ok(item)) = stored.payload.as_deref().map(payload::decode) {
                leaving.add(&cache, &item, stored.stamp.version());
            }
        }
        self.owner.hold(leaving.settle(&cache)).await
    }

    fn refused(&mut self, error: &str) {
        count(&self.owner.log.shared.counters.failures, 1);
        if !std::mem::replace(&mut self.is_failing, true) {
            let (name, partition) = (self.task.definition.site.name, self.owner.partition);
            let error = cut(error);
            log::warn(format_args!(
                "queue {name:?}, partition {partition}: the sink fails: {error}"
            ));
        }
    }

    /// Waits before the next attempt. False: there will be none.
    async fn pause(&mut self) -> Result<bool, Lost> {
        let drains = self.owner.log.is_in_memory();
        if self.stop.is_told() && self.backoff.is_long() {
            return Ok(false);
        }
        let pause = sleep(self.backoff.pause());
        let stop = &mut self.stop;
        let wait = async {
            tokio::select! {
                biased;
                () = stop.told(), if !drains => false,
                () = pause => true,
            }
        };
        self.owner.hold(wait).await
    }

    async fn bury(&mut self, position: Position, error: &str, attempts: u32) -> Result<(), Lost> {
        self.owner.bury(position, error, attempts).await?;
        count(&self.owner.log.shared.counters.dead_letters, 1);
        let (name, partition) = (self.task.definition.site.name, self.owner.partition);
        log::warn(format_args!(
            "queue {name:?}, partition {partition}: item {position} is a dead letter: {error}"
        ));
        Ok(())
    }
}

/// The beginning of a text.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(ERROR_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
