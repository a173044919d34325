//! From a partition to its sink.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::backoff::Backoff;
use super::batch::{Batch, Entry};
use super::definition::Definition;
use super::owner::{Lost, Owner};
use super::settle::{Fate, Leaving};
use super::shared::Shared;
use super::sink::Sink;
use super::stats::count;
use super::stop::Stopped;
use super::{Position, payload};
use crate::log;
use crate::store::queue::{From, Stored};

/// Attempts with a whole batch before it is taken apart.
const WHOLE: u32 = 3;
/// How often a batch that is not full is looked after, at most and at least.
const SHORTEST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(100);
/// How much of an error is kept, in bytes.
const ERROR_LIMIT: usize = 1024;

/// What all partitions of a worker have in common.
pub(super) struct Task<T> {
    pub(super) definition: Definition<T>,
    pub(super) sink: Sink<T>,
}

/// One partition at work.
pub(super) struct Delivery<T> {
    owner: Owner,
    task: Arc<Task<T>>,
    stop: Stopped,
    backoff: Backoff,
    /// Nothing is pending that this worker does not hold.
    caught_up: bool,
    /// Of the partition, when it was last looked at.
    last: Position,
    /// The sink's latest word was an error.
    is_failing: bool,
}

/// Counts a partition for as long as it is owned.
struct Owned<'a>(&'a Shared);

impl<'a> Owned<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.counters.partitions_owned.fetch_add(1, Relaxed);
        Self(shared)
    }
}

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        self.0.counters.partitions_owned.fetch_sub(1, Relaxed);
    }
}

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
    pub(super) fn new(owner: Owner, task: Arc<Task<T>>, stop: Stopped) -> Self {
        Self {
            owner,
            task,
            stop,
            backoff: Backoff::default(),
            caught_up: false,
            last: Position::default(),
            is_failing: false,
        }
    }

    /// Delivers until it is stopped or loses the partition.
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.owner.log.shared);
        let _owned = Owned::new(&shared);
        if self.deliver_all().await.is_ok() {
            return self.owner.give_back().await;
        }
        count(&shared.counters.partitions_lost, 1);
        log::warn(format_args!(
            "queue {:?}: partition {} is lost; what was read of it is delivered again by its next owner",
            shared.site.name, self.owner.partition
        ));
    }

    async fn deliver_all(&mut self) -> Result<(), Lost> {
        // What is in memory does not wait for the next process.
        let drains = self.owner.log.redis().is_none();
        loop {
            if self.is_stopped() && !drains {
                return Ok(());
            }
            let items = self.gather().await?;
            if items.is_empty() {
                if self.is_stopped() {
                    return Ok(());
                }
                let (owner, stop) = (&mut self.owner, &mut self.stop);
                tokio::select! {
                    () = stop.told() => owner.hang_up(),
                    waited = owner.wait(self.last) => waited?,
                }
            } else if !self.deliver(items).await? {
                return Ok(());
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_told()
    }

    /// A batch, or as much of it as there is once the first item has waited long enough.
    async fn gather(&mut self) -> Result<Vec<Stored>, Lost> {
        let options = &self.task.definition.site.options;
        let mut items: Vec<Stored> = Vec::new();
        let (slice, mut until) = (options.linger / 8, None);
        loop {
            let wanted = options.batch - items.len();
            let from = match (self.caught_up, items.last()) {
                (true, _) => From::New,
                (false, Some(last)) => From::Pending(last.position),
                (false, None) => From::Pending(Position::default()),
            };
            let Some((more, last)) = self.owner.read(wanted, from).await? else {
                self.caught_up = false;
                continue;
            };
            self.last = last;
            let is_all = more.len() < wanted;
            items.extend(more);
            if !is_all || (self.caught_up && items.is_empty()) {
                return Ok(items);
            }
            if std::mem::replace(&mut self.caught_up, true) {
                let until = *until.get_or_insert_with(|| Instant::now() + options.linger);
                let now = Instant::now();
                if now >= until || self.stop.is_told() {
                    return Ok(items);
                }
                // Now and then it is looked whether the batch is full.
                let pause = slice.clamp(SHORTEST, LONGEST).min(until - now);
                let stop = &mut self.stop;
                let linger = async {
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = stop.told() => {}
                    }
                };
                self.owner.hold(linger).await?;
            }
        }
    }

    /// Delivers items in their order, each at least once or as a dead letter. False: it was stopped before the end, and
    /// the rest stays for the next owner.
    async fn deliver(&mut self, items: Vec<Stored>) -> Result<bool, Lost> {
        let max_attempts = self.task.definition.site.options.max_attempts;
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
        let drains = self.owner.log.redis().is_none();
        if self.stop.is_told() && self.backoff.is_long() {
            return Ok(false);
        }
        let pause = sleep(self.backoff.pause());
        let stop = &mut self.stop;
        let wait = async {
            tokio::select! {
                () = pause => true,
                () = stop.told(), if !drains => false,
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
