//! The way past the queue: items that could not be stored go to the sink of a worker in this
//! process.
//!
//! They get there as they would through the queue: those of a partition together, up to `batch` of
//! them, the first of which waits for `linger`, in their order, and one call at a time. Each push
//! is told what became of its item alone.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use crate::engine::{Core, ambient, background};
use crate::policy::QueueSite;
use crate::queue::push::payload;
use crate::queue::sink::Sink;
use crate::queue::sink::batch::{Batch, BatchItem};
use crate::queue::sink::error::{SinkError, SinkErrorKind};
use crate::queue::sink::merge::Merge;

/// So many items that were refused by themselves, while nothing was taken, speak for the rest of
/// their batch.
const ENOUGH: u32 = 2;

/// A sink, and the items that wait for it.
pub(in crate::queue) struct Detour<T> {
    sink: Sink<T>,
    lanes: Mutex<HashMap<u32, Lane<T>>>,
    /// Notified when a batch is full.
    full: Notify,
}

/// The items of a partition.
struct Lane<T> {
    waiting: VecDeque<Waiting<T>>,
    /// A task hands them to the sink.
    is_attended: bool,
}

/// An item on its way to the sink.
pub(in crate::queue) struct Waiting<T> {
    key: String,
    version: i64,
    /// None once the sink has had it.
    item: Option<T>,
    /// The item as bytes, from which it can be made again.
    payload: Option<Vec<u8>>,
    since: Instant,
    told: oneshot::Sender<Result<(), SinkError>>,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Detour<T> {
    pub(in crate::queue) fn new(sink: Sink<T>) -> Self {
        Self { sink, lanes: Mutex::default(), full: Notify::new() }
    }

    /// Hands an item to the sink, together with others, and returns what that says of it.
    pub(in crate::queue) async fn deliver(
        self: Arc<Self>,
        cache: Core,
        site: &'static QueueSite,
        partition: u32,
        entry: BatchItem<T>,
        payload: Option<Vec<u8>>,
        merge: Merge<T>,
    ) -> Result<(), SinkError> {
        let (told, outcome) = oneshot::channel();
        let BatchItem { key, version, item, .. } = entry;
        let waiting =
            Waiting { key, version, item: Some(item), payload, since: Instant::now(), told };
        if self.join(partition, waiting, site.options.batch) {
            let attendant =
                Attendant { detour: self, cache, site, partition, merge, is_done: false };
            background::spawn(attendant.attend());
        }
        outcome.await.unwrap_or_else(|_| {
            Err(SinkError::unspecified("the runtime that was to hand it over has ended"))
        })
    }

    /// Whether a task must be started that hands over what waits.
    fn join(&self, partition: u32, waiting: Waiting<T>, batch: usize) -> bool {
        let mut lanes = self.lock();
        let lane = lanes.entry(partition).or_default();
        lane.waiting.push_back(waiting);
        if lane.waiting.len() >= batch {
            self.full.notify_waiters();
        }
        !std::mem::replace(&mut lane.is_attended, true)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Lane<T>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who hands over what waits for a partition, until nothing does.
struct Attendant<T: Serialize + DeserializeOwned + Send + 'static> {
    detour: Arc<Detour<T>>,
    cache: Core,
    site: &'static QueueSite,
    partition: u32,
    merge: Merge<T>,
    is_done: bool,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Attendant<T> {
    async fn attend(mut self) {
        while let Some(batch) = self.next().await {
            self.hand_over(batch).await;
        }
        self.is_done = true;
    }

    /// A batch, or what there is once the first item has waited long enough; none if nothing waits,
    /// and nobody attends to it any more.
    async fn next(&self) -> Option<Vec<Waiting<T>>> {
        let options = &self.site.options;
        let linger = options.linger.min(options.push_timeout);
        loop {
            let full = self.detour.full.notified();
            let until = {
                let mut lanes = self.detour.lock();
                let lane = lanes.entry(self.partition).or_default();
                // A caller that is gone has not said whether the item should still be delivered.
                lane.waiting.retain(|waiting| !waiting.told.is_closed());
                let Some(first) = lane.waiting.front() else {
                    lanes.remove(&self.partition);
                    return None;
                };
                let until = first.since + linger;
                if lane.waiting.len() >= options.batch || until <= Instant::now() {
                    let count = lane.waiting.len().min(options.batch);
                    return Some(lane.waiting.drain(..count).collect());
                }
                until
            };
            _ = timeout_at(until, full).await;
        }
    }

    /// Hands a batch to the sink, in halves if it is refused and that does no harm.
    async fn hand_over(&self, batch: Vec<Waiting<T>>) {
        let (mut parts, mut is_taken, mut alone) = (vec![batch], false, 0);
        let mut last = None;
        while let Some(mut part) = parts.pop() {
            if let Some((kind, text)) = last.as_ref().filter(|_| alone >= ENOUGH && !is_taken) {
                tell(part, |_| Err(SinkError::new(*kind, text)));
                continue;
            }
            let Err(mut error) = self.call(&mut part).await else {
                is_taken = true;
                tell(part, |_| Ok(()));
                continue;
            };
            let named = error.take_items();
            if !named.is_empty() {
                is_taken = true;
                self.tell_each(part, named);
            } else if part.len() > 1 && self.may_halve(&part, error.kind()) {
                let second = part.split_off(part.len() / 2);
                parts.extend([second, part]);
            } else {
                alone += u32::from(part.len() == 1);
                tell(part, |_| Err(SinkError::new(error.kind(), error.text())));
                last = Some((error.kind(), error.text().to_owned()));
            }
        }
    }

    /// Whether it does no harm if the sink had taken them after all, and gets them again.
    fn may_halve(&self, part: &[Waiting<T>], kind: SinkErrorKind) -> bool {
        let is_harmless = match kind {
            SinkErrorKind::Permanent => true,
            SinkErrorKind::Unspecified => matches!(self.merge, Merge::Last),
            SinkErrorKind::Transient => false,
        };
        is_harmless && part.iter().all(|waiting| waiting.payload.is_some())
    }

    async fn call(&self, part: &mut [Waiting<T>]) -> Result<(), SinkError> {
        let site = self.site;
        let mut entries = Vec::with_capacity(part.len());
        for waiting in part {
            let again = |payload: &Vec<u8>| payload::decode(payload, site.options.version).ok();
            let item = waiting.item.take().or_else(|| waiting.payload.as_ref().and_then(again));
            let (key, version) = (waiting.key.clone(), waiting.version);
            let item = item.ok_or_else(|| SinkError::permanent("the item does not decode"))?;
            entries.push(BatchItem { position: None, key, version, item });
        }
        let batch = Batch::new(site.name, self.partition, entries, self.merge);
        let call = ambient::scope(self.cache.clone(), self.detour.sink.deliver(batch));
        match site.options.sink_timeout {
            Some(limit) => {
                timeout(limit, call).await.unwrap_or_else(|_| Err(SinkError::late(limit)))
            }
            None => call.await,
        }
    }

    /// Some items failed, each for a reason of its own.
    fn tell_each(&self, part: Vec<Waiting<T>>, named: Vec<(usize, SinkError)>) {
        let origins = self.merge.origins(part.iter().map(|waiting| &*waiting.key));
        let mut errors: HashMap<usize, (SinkErrorKind, String)> = HashMap::new();
        for (place, error) in named {
            for entry in origins.get(place).into_iter().flatten() {
                errors.insert(*entry, (error.kind(), error.text().to_owned()));
            }
        }
        tell(part, |entry| match errors.get(&entry) {
            Some((kind, text)) => Err(SinkError::new(*kind, text)),
            None => Ok(()),
        });
    }
}

/// Answers each push with what became of its item.
fn tell<T>(part: Vec<Waiting<T>>, outcome: impl Fn(usize) -> Result<(), SinkError>) {
    for (entry, waiting) in part.into_iter().enumerate() {
        // A caller that is gone needs no answer.
        _ = waiting.told.send(outcome(entry));
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Drop for Attendant<T> {
    /// The runtime ends: the pushes learn that.
    fn drop(&mut self) {
        if !self.is_done {
            self.detour.lock().remove(&self.partition);
        }
    }
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), is_attended: false }
    }
}

impl<T> fmt::Debug for Detour<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Detour").field(&self.sink).finish_non_exhaustive()
    }
}
