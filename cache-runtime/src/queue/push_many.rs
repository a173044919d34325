//! Many items at once.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::task::Poll;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::append::Failure;
use super::append_many::Sending;
use super::batch::Entry;
use super::log::Log;
use super::stats::count;
use super::{Queue, clock};
use crate::error::{Error, ErrorKind};

/// The error of [`Queue::push_many`](super::Queue::push_many): which items were not pushed, and why.
#[derive(Debug)]
pub struct PushManyError {
    items: usize,
    failed: Vec<(usize, Error)>,
}

/// An item that is encoded, and its place among all.
struct Ready<T> {
    at: usize,
    entry: Entry<T>,
    payload: Vec<u8>,
}

type Failed = Vec<(usize, Error)>;

impl PushManyError {
    /// The items whose push failed, at least one, by their places among those that were pushed, from 0, in that order.
    /// What [`Queue::push`](super::Queue::push) says of an error holds for each. All other items were pushed.
    #[must_use]
    pub fn failed(&self) -> &[(usize, Error)] {
        &self.failed
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_failed(self) -> Vec<(usize, Error)> {
        self.failed
    }
}

impl fmt::Display for PushManyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} items were not pushed", self.failed.len(), self.items)?;
        match self.failed.first() {
            Some((at, error)) => write!(f, "; the first is item {at}: {error}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PushManyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.failed.first().map(|(_, error)| error as _)
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// Puts many items into the queue, in a fraction of the time that as many [pushes](Self::push) take: to each partition
    /// up to 64 items, or a megabyte, go in one call, and to all partitions at once. Items of one key keep their order. If
    /// the queue is full, this waits for room, for `push_timeout` after each piece that found some.
    ///
    /// An item that cannot be encoded fails alone. Once an item cannot be stored for another reason, those behind it in its
    /// partition are not tried, so that none overtakes it. Only if a failover happens meanwhile, items of this call may come
    /// after later ones of it: those that went with the former primary are sent again. While Redis is unavailable, they go
    /// to the sink of a worker in this process, in batches.
    ///
    /// With `put`, each item is a write of its own entries, so items are pushed one after another.
    ///
    /// ```
    /// # use cache_runtime::Queue;
    /// # async fn import(queue: Queue<String>, lines: Vec<String>) -> Result<(), cache_runtime::Error> {
    /// if let Err(error) = queue.push_many(lines).await {
    ///     for (at, error) in error.failed() {
    ///         eprintln!("line {at}: {error}");
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If not all items were pushed: with an error for each that was not, as [`push`](Self::push) returns it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, each item may or may not be in the queue. Once another push of this process has reached the
    /// same partition, those that are not there can no longer get there.
    pub async fn push_many(&self, items: Vec<T>) -> Result<(), PushManyError> {
        let count = items.len();
        // Boxed, since they are large and whoever calls holds them.
        let mut failed = if self.definition.put.is_some() {
            Box::pin(self.push_in_turn(items)).await
        } else {
            Box::pin(self.push_by_partition(items)).await
        };
        failed.sort_unstable_by_key(|(at, _)| *at);
        if failed.is_empty() { Ok(()) } else { Err(PushManyError { items: count, failed }) }
    }

    async fn push_in_turn(&self, items: Vec<T>) -> Failed {
        let mut failed = Failed::new();
        let mut items = items.into_iter().enumerate();
        while let Some((at, item)) = items.next() {
            let Err(error) = self.push_and_put(item, true).await else { continue };
            let is_of_item = matches!(error.kind(), ErrorKind::Codec | ErrorKind::Altered);
            failed.push((at, error));
            if !is_of_item {
                let untried = |(behind, _)| {
                    let message =
                        format!("the item was not pushed, because item {at} could not be");
                    (behind, Error::new(ErrorKind::Unavailable, message))
                };
                failed.extend(items.map(untried));
                break;
            }
        }
        failed
    }

    async fn push_by_partition(&self, items: Vec<T>) -> Failed {
        let cache = self.definition.cache();
        let shared = cache.queue(self.definition.site);
        let log = Log { cache, shared };
        let has_store = log.cache.store().is_some();
        if log.is_in_memory() {
            log.shared.warn_of_memory();
        }
        let (mut failed, mut partitions) = (Failed::new(), BTreeMap::<u32, Vec<Ready<T>>>::new());
        for (at, item) in items.into_iter().enumerate() {
            let version = clock::now().version();
            let ready = self.entry(&log.shared, item).and_then(|(partition, entry)| {
                let payload =
                    if has_store { self.encode(&log.cache, &entry.item)? } else { Vec::new() };
                Ok((partition, Ready { at, entry: Entry { version, ..entry }, payload }))
            });
            match ready {
                Ok((partition, ready)) => partitions.entry(partition).or_default().push(ready),
                Err(error) => failed.push((at, error)),
            }
        }
        let pushes = partitions.into_iter().map(|(partition, items)| {
            let log = &log;
            async move {
                if has_store {
                    self.push_to(log, partition, items).await
                } else {
                    self.pass(log, partition, items).await
                }
            }
        });
        failed.extend(join(pushes).await);
        failed
    }

    /// Pushes items of one partition.
    async fn push_to(&self, log: &Log, partition: u32, items: Vec<Ready<T>>) -> Failed {
        let sent: Vec<_> = items
            .iter()
            .map(|ready| Sending { key: &ready.entry.key, payload: &ready.payload })
            .collect();
        let outcomes = log.append_many(partition, &sent).await;
        if matches!(outcomes.first(), Some(Ok(()))) {
            log.register_first();
        }
        let (mut failed, mut past) = (Failed::new(), Vec::new());
        for (mut ready, outcome) in items.into_iter().zip(outcomes) {
            // Above all that the attempts may have left there: what arrives late may have got a version above those of the
            // items behind it, as these are a microsecond apart, but none as high as those that begin when time is up.
            ready.entry.version = clock::now().version();
            match outcome {
                Ok(()) => count(&log.shared.counters.pushed, 1),
                Err(Failure::Missed(missed)) => match self.may_pass(log, &missed) {
                    Ok(()) => past.push(ready),
                    Err(error) => failed.push((ready.at, error)),
                },
                Err(failure) => failed.push((ready.at, self.refusal(log, failure))),
            }
        }
        failed.extend(self.pass(log, partition, past).await);
        failed
    }

    /// Delivers items past the queue, together.
    async fn pass(&self, log: &Log, partition: u32, items: Vec<Ready<T>>) -> Failed {
        let has_payload = log.cache.store().is_some();
        join(items.into_iter().map(async |Ready { at, entry, payload }| {
            let payload = has_payload.then_some(payload);
            let delivered = self.deliver(log, partition, entry, payload).await;
            delivered.err().map(|error| (at, error)).into_iter().collect()
        }))
        .await
    }
}

/// What all come to, one beside the other.
async fn join(pushes: impl Iterator<Item = impl Future<Output = Failed>>) -> Failed {
    let mut running: Vec<_> = pushes.map(Box::pin).collect();
    let mut all = Failed::new();
    poll_fn(|context| {
        running.retain_mut(|push| match push.as_mut().poll(context) {
            Poll::Ready(failed) => {
                all.extend(failed);
                false
            }
            Poll::Pending => true,
        });
        if running.is_empty() { Poll::Ready(std::mem::take(&mut all)) } else { Poll::Pending }
    })
    .await
}
