//! Many items at once.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::task::Poll;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind};
use crate::metrics::queue::count;
use crate::queue::failure::Failure;
use crate::queue::partitions::Partitions;
use crate::queue::placement::{MOVES, Spot};
use crate::queue::push::clock;
use crate::queue::push::piece::Sending;
use crate::queue::sink::batch::BatchItem;
use crate::queue::{Queue, QueueState};

/// The error of [`Queue::push_many`](crate::queue::Queue::push_many): which items were not pushed,
/// and why.
#[derive(Debug)]
pub struct PushManyError {
    items: usize,
    failed: Vec<(usize, Error)>,
}

/// An item that is encoded, and its place among all.
struct Ready<T> {
    at: usize,
    entry: BatchItem<T>,
    payload: Vec<u8>,
}

type Failed = Vec<(usize, Error)>;

impl PushManyError {
    /// The items whose push failed, at least one, by their places among those that were pushed,
    /// from 0, in that order. What [`Queue::push`](crate::queue::Queue::push) says of an error
    /// holds for each. All other items were pushed.
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
    /// Puts many items into the queue, in a fraction of the time that as many [pushes](Self::push)
    /// take: to each partition up to 64 items, or a megabyte, go in one call, and to all partitions
    /// at once. Items of one key keep their order. If the queue is full, this waits for room, for
    /// `push_timeout` after each piece that found some.
    ///
    /// An item that cannot be encoded fails alone. Once an item cannot be stored for another
    /// reason, those behind it in its partition are not tried, so that none overtakes it. Only if a
    /// failover happens meanwhile, items of this call may come after later ones of it: those that
    /// went with the former primary are sent again. While Redis is unavailable, they go to the sink
    /// of a worker in this process, in batches.
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
    /// If not all items were pushed: with an error for each that was not, as [`push`](Self::push)
    /// returns it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, each item may or may not be in the queue. Once another push of
    /// this process has reached the same partition, those that are not there can no longer get
    /// there.
    pub async fn push_many(&self, items: Vec<T>) -> Result<(), PushManyError> {
        let count = items.len();
        // Boxed, since they are large and the caller's future holds them.
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
        let shared = QueueState::of(&cache, self.definition.site);
        let log = Partitions { cache, shared };
        let has_store = log.cache.store().is_some();
        if log.is_in_memory() {
            log.shared.warn_of_memory();
        }
        let (mut failed, mut all) = (Failed::new(), Vec::new());
        for (at, item) in items.into_iter().enumerate() {
            let version = clock::now().version();
            let ready = self.entry(&log.shared, item).and_then(|(spot, entry)| {
                let payload =
                    if has_store { self.encode(&log.cache, &entry.item)? } else { Vec::new() };
                let entry = BatchItem { version, ..entry };
                Ok((spot.is_keyed, Ready { at, entry, payload }))
            });
            match ready {
                Ok(placed) => all.push(placed),
                Err(error) => failed.push((at, error)),
            }
        }
        if has_store && let Some((_, first)) = all.first() {
            log.learn_layout(&first.entry.key).await;
        }
        let mut rounds = 0;
        while !all.is_empty() {
            let mut moved = Vec::new();
            // All by one number, or of two items of a key the later one might go ahead.
            let layout = log.shared.layout.current();
            let pushes =
                by_spot(all, |is_keyed, key| log.shared.spot_by(layout, is_keyed.then_some(key)));
            let pushes = pushes.into_iter().map(|(spot, items)| {
                let log = &log;
                async move {
                    if has_store {
                        self.push_to(log, spot, items, rounds < MOVES).await
                    } else {
                        (self.pass(log, spot.partition, items).await, Vec::new())
                    }
                }
            });
            for (more, again) in join(pushes).await {
                failed.extend(more);
                moved.extend(again);
            }
            moved.sort_unstable_by_key(|(_, ready)| ready.at);
            (all, rounds) = (moved, rounds + 1);
        }
        failed
    }

    /// Pushes items of one partition: those that failed, and those that belong elsewhere by now.
    async fn push_to(
        &self,
        log: &Partitions,
        spot: Spot,
        items: Vec<Ready<T>>,
        may_move: bool,
    ) -> (Failed, Vec<(bool, Ready<T>)>) {
        let sent: Vec<_> = items
            .iter()
            .map(|ready| Sending { key: &ready.entry.key, payload: &ready.payload })
            .collect();
        let outcomes = log.append_many(spot, &sent).await;
        if matches!(outcomes.first(), Some(Ok(()))) {
            log.register_first();
        }
        let (mut failed, mut past, mut moved) = (Failed::new(), Vec::new(), Vec::new());
        for (mut ready, outcome) in items.into_iter().zip(outcomes) {
            // Above all that the attempts may have left there: what arrives late may have got a
            // version above those of the items behind it, as these are a microsecond apart, but
            // none as high as those that begin when time is up.
            ready.entry.version = clock::now().version();
            match outcome {
                Ok(()) => count(&log.shared.counters.pushed, 1),
                Err(Failure::Moved) if may_move => moved.push((spot.is_keyed, ready)),
                Err(Failure::Missed(missed)) => match self.may_pass(log, &missed) {
                    Ok(()) => past.push(ready),
                    Err(error) => failed.push((ready.at, error)),
                },
                Err(failure) => failed.push((ready.at, self.refusal(log, failure))),
            }
        }
        failed.extend(self.pass(log, spot.partition, past).await);
        (failed, moved)
    }

    /// Delivers items past the queue, together.
    async fn pass(&self, log: &Partitions, partition: u32, items: Vec<Ready<T>>) -> Failed {
        let has_payload = log.cache.store().is_some();
        let delivered = join(items.into_iter().map(async |Ready { at, entry, payload }| {
            let payload = has_payload.then_some(payload);
            let delivered = self.deliver(log, partition, entry, payload).await;
            delivered.err().map(|error| (at, error))
        }));
        delivered.await.into_iter().flatten().collect()
    }
}

/// Items by where they go, in their order.
fn by_spot<T>(
    items: Vec<(bool, Ready<T>)>,
    spot: impl Fn(bool, &str) -> Spot,
) -> Vec<(Spot, Vec<Ready<T>>)> {
    let mut spots = BTreeMap::<_, (Spot, Vec<_>)>::new();
    for (is_keyed, ready) in items {
        let spot = spot(is_keyed, &ready.entry.key);
        spots.entry(spot.partition).or_insert_with(|| (spot, Vec::new())).1.push(ready);
    }
    spots.into_values().collect()
}

/// What all come to, one beside the other.
async fn join<R>(pushes: impl Iterator<Item = impl Future<Output = R>>) -> Vec<R> {
    let mut running: Vec<_> = pushes.map(Box::pin).collect();
    let mut all = Vec::new();
    poll_fn(|context| {
        running.retain_mut(|push| match push.as_mut().poll(context) {
            Poll::Ready(one) => {
                all.push(one);
                false
            }
            Poll::Pending => true,
        });
        if running.is_empty() { Poll::Ready(std::mem::take(&mut all)) } else { Poll::Pending }
    })
    .await
}
