//! From a partition to its sink.

mod aside;
mod attempts;
mod call;
mod round;
mod tally;
mod unheard;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use self::aside::Aside;
use self::call::Calls;
use self::unheard::Estate;
use crate::metrics::queue::count;
use crate::queue::definition::Definition;
use crate::queue::shared::QueueState;
use crate::queue::sink::Sink;
use crate::queue::worker::backoff::Backoff;
use crate::queue::worker::partition::{Lost, Owner};
use crate::store::queue::{Position, ReadFrom, Stored};
use crate::support::log;
use crate::support::shutdown_signal::Stopped;

/// How often a batch that is not full is looked after, at most and at least.
const SHORTEST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(100);

/// What all partitions of a worker have in common.
pub(in crate::queue) struct Task<T> {
    pub(in crate::queue) definition: Definition<T>,
    pub(in crate::queue) sink: Sink<T>,
    pub(in crate::queue) calls: Calls,
}

impl<T> Task<T> {
    pub(in crate::queue) fn new(definition: Definition<T>, sink: Sink<T>) -> Self {
        Self { definition, sink, calls: Calls::default() }
    }
}

/// One partition at work.
pub(in crate::queue) struct Delivery<T> {
    owner: Owner,
    task: Arc<Task<T>>,
    stop: Stopped,
    backoff: Backoff,
    /// Nothing is pending that this worker does not hold.
    caught_up: bool,
    /// Up to here what is pending was read and is settled, or waits aside.
    cursor: Position,
    aside: Aside,
    /// What former owners have read and left.
    estate: Estate,
    /// Of the partition, when it was last looked at.
    last: Position,
}

/// Counts a partition for as long as it is owned.
struct Owned<'a>(&'a QueueState);

impl<'a> Owned<'a> {
    fn new(shared: &'a QueueState) -> Self {
        shared.counters.partitions_owned.fetch_add(1, Relaxed);
        Self(shared)
    }
}

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        self.0.counters.partitions_owned.fetch_sub(1, Relaxed);
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Delivery<T> {
    pub(in crate::queue) fn new(owner: Owner, task: Arc<Task<T>>, stop: Stopped) -> Self {
        Self {
            owner,
            task,
            stop,
            backoff: Backoff::default(),
            caught_up: false,
            cursor: Position::default(),
            aside: Aside::default(),
            estate: Estate::default(),
            last: Position::default(),
        }
    }

    /// Delivers until it is stopped or loses the partition.
    pub(in crate::queue) async fn run(mut self) {
        let shared = Arc::clone(&self.owner.log.shared);
        let _owned = Owned::new(&shared);
        let delivered = self.deliver_all().await;
        shared.report.gone(shared.queue, self.owner.partition);
        if delivered.is_ok() {
            return self.owner.give_back().await;
        }
        count(&shared.counters.partitions_lost, 1);
        log::warn(format_args!(
            "queue {:?}: partition {} is lost; what was read of it is delivered again by its next \
                owner",
            shared.queue, self.owner.partition
        ));
    }

    async fn deliver_all(&mut self) -> Result<(), Lost> {
        // What is in memory does not wait for the next process.
        loop {
            if self.is_stopped() && !self.owner.log.drains() {
                return Ok(());
            }
            for released in self.try_aside().await? {
                if !self.deliver(released).await? {
                    return Ok(());
                }
            }
            if self.aside.is_full() {
                if self.is_stopped() && self.aside.is_hopeless() {
                    return Ok(());
                }
                self.rest().await?;
                continue;
            }
            let items = self.gather().await?;
            let is_last = self.caught_up;
            if items.is_empty() {
                self.inherited().await?;
                if self.is_stopped() {
                    if self.aside.is_hopeless() {
                        return Ok(());
                    }
                    self.rest().await?;
                    continue;
                }
                let (owner, stop) = (&mut self.owner, &mut self.stop);
                tokio::select! {
                    biased;
                    () = stop.sent() => owner.hang_up(),
                    waited = owner.wait(self.last, self.aside.due()) => waited?,
                }
            } else if !self.deliver(items).await? {
                return Ok(());
            } else if is_last {
                self.inherited().await?;
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_sent()
    }

    /// What is pending is read from the beginning, with what waits aside.
    fn begin_anew(&mut self) {
        self.aside.forget();
        (self.caught_up, self.cursor) = (false, Position::default());
    }

    /// A batch, or as much of it as there is once the first item has waited long enough.
    async fn gather(&mut self) -> Result<Vec<Stored>, Lost> {
        let options = &self.task.definition.site.options;
        let mut items: Vec<Stored> = Vec::new();
        let (slice, mut until) = (options.linger / 8, None);
        loop {
            if items.is_empty() && self.owner.is_behind() {
                self.begin_anew();
            }
            let most = self.estate.limit().unwrap_or(usize::MAX).min(options.batch);
            let wanted = most - items.len();
            let from = match (self.caught_up, items.last()) {
                (true, _) => ReadFrom::New,
                (false, Some(last)) => ReadFrom::Pending(last.position),
                (false, None) => ReadFrom::Pending(self.cursor),
            };
            let read = self.owner.read(wanted, from).await?;
            let Some((more, last)) = read.filter(|(more, _)| follow(&items, more)) else {
                // From the beginning: another primary may know less of what was read, and what it
                // gives next lie before what is here.
                items.clear();
                self.begin_anew();
                continue;
            };
            self.last = last;
            let is_all = more.len() < wanted;
            items.extend(more);
            if !self.caught_up {
                self.inherit(&mut items).await?;
                let limit = self.estate.limit().unwrap_or(usize::MAX);
                if let Some(last) = items.get(limit.min(items.len()).wrapping_sub(1)) {
                    self.cursor = last.position;
                }
                match self.estate.limit() {
                    Some(_) if items.is_empty() && !is_all => continue,
                    Some(limit) if !items.is_empty() => {
                        items.truncate(limit);
                        return Ok(items);
                    }
                    _ => {}
                }
            }
            if !is_all || (self.caught_up && items.is_empty()) {
                return Ok(items);
            }
            if std::mem::replace(&mut self.caught_up, true) {
                let until = *until.get_or_insert_with(|| Instant::now() + options.linger);
                let now = Instant::now();
                let is_due = self.aside.due().is_some_and(|due| due <= now);
                if now >= until || is_due || self.stop.is_sent() {
                    return Ok(items);
                }
                // Now and then it is looked whether the batch is full.
                let pause = slice.clamp(SHORTEST, LONGEST).min(until - now);
                let stop = &mut self.stop;
                let linger = async {
                    tokio::select! {
                        biased;
                        () = stop.sent() => {}
                        () = sleep(pause) => {}
                    }
                };
                self.owner.hold(linger).await?;
            }
        }
    }
}

/// Whether all stays in its order.
fn follow(items: &[Stored], more: &[Stored]) -> bool {
    items.last().zip(more.first()).is_none_or(|(last, next)| last.position < next.position)
}
