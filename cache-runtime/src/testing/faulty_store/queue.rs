//! Queues on a server that several processes share, and whose replica may take its place.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Refusal;
use crate::store::embedded::BoxFuture;
use crate::store::queue::embedded::{Copies, EmbeddedQueue, Work};
use crate::store::queue::memory::MemoryQueue;
use crate::store::queue::memory::replica::Copy;
use crate::store::queue::{Added, Addition, Position};
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::testing::faulty_store::Network;
use crate::testing::faulty_store::producers::Producers;

/// A server with one queue, and its replica.
#[derive(Debug, Default)]
pub(crate) struct Primary {
    queue: MemoryQueue,
    producers: Mutex<Producers>,
    replica: Mutex<(Copy, Producers)>,
    /// Until then the replica hears nothing.
    alone: Mutex<Option<Instant>>,
    /// How many there were before.
    number: AtomicU64,
}

impl Primary {
    /// The replica gets everything that is there now, if it can be reached.
    pub(crate) fn replicate(&self) -> bool {
        let is_heard = lock(&self.alone).is_none_or(|until| until <= Instant::now());
        if is_heard {
            *lock(&self.replica) = (self.queue.copy(), lock(&self.producers).clone());
        }
        is_heard
    }

    /// Keeps everything from the replica for a while.
    pub(crate) fn detach(&self, time: Duration) {
        *lock(&self.alone) = Some(Instant::now() + time);
    }

    /// The replica takes over, with what it has: what there was, and what there is.
    pub(crate) fn fail_over(&self) -> (Copy, Copy) {
        let was = self.queue.copy();
        let (queue, producers) = lock(&self.replica).clone();
        self.queue.replace(queue.clone());
        *lock(&self.producers) = producers;
        self.number.fetch_add(1, Ordering::Relaxed);
        (was, queue)
    }

    fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }
}

/// The queue of a server, as one process reaches it.
#[derive(Debug)]
pub(crate) struct FaultyQueue {
    pub(crate) primary: Arc<Primary>,
    pub(crate) network: Arc<Network>,
}

impl EmbeddedQueue for FaultyQueue {
    fn here(&self) -> Option<&MemoryQueue> {
        None
    }

    fn send(&self, by: Deadline, work: Work) -> BoxFuture<'_, StoreResult<()>> {
        Box::pin(self.at_primary(by, |primary| work(&primary.queue)))
    }

    fn push<'a>(
        &'a self,
        partition: u32,
        addition: Addition<'a>,
        by: Deadline,
    ) -> BoxFuture<'a, StoreResult<Added>> {
        Box::pin(self.at_primary(by, execution(partition, addition)))
    }

    /// Whether the replica has the item, where the server tells.
    fn push_replicated<'a>(
        &'a self,
        partition: u32,
        addition: Addition<'a>,
        _: u32,
        by: Deadline,
    ) -> BoxFuture<'a, StoreResult<(Added, Copies)>> {
        let (push, is_told) = (execution(partition, addition), !self.network.fails());
        let push = move |primary: &Primary| {
            let (added, is_heard) = (push(primary), primary.replicate());
            let have = is_told.then_some(u32::from(is_heard));
            (added, have.ok_or(StoreError::Refused(Refusal::new("UNBLOCKED", ""))))
        };
        Box::pin(self.at_primary(by, push))
    }

    fn wait(
        &self,
        partition: u32,
        last: Position,
        limit: Duration,
    ) -> BoxFuture<'_, StoreResult<()>> {
        Box::pin(async move {
            self.at_primary(Instant::now() + limit, |_| ()).await?;
            self.primary.queue.wait_for_more(partition, last, limit).await;
            Ok(())
        })
    }
}

impl FaultyQueue {
    /// Sends a command. One that is on its way to a primary that is replaced is lost.
    async fn at_primary<R: Send + 'static>(
        &self,
        by: Deadline,
        execute: impl FnOnce(&Primary) -> R + Send + 'static,
    ) -> StoreResult<R> {
        let primary = Arc::clone(&self.primary);
        let number = primary.number();
        self.network.send(by, move || (primary.number() == number).then(|| execute(&primary))).await
    }
}

/// A push that owns what it needs.
fn execution(
    partition: u32,
    addition: Addition<'_>,
) -> impl FnOnce(&Primary) -> Added + Send + 'static {
    let Addition { number, epoch, oldest, longest, stamp, window_us, .. } = addition;
    let (producer, given_up) = (addition.producer.to_owned(), addition.given_up.to_vec());
    let (key, payload) = (addition.key.to_owned(), addition.payload.to_owned());
    move |primary: &Primary| {
        let (producer, key, payload) = (&*producer, &*key, &*payload);
        let addition = Addition {
            producer,
            number,
            epoch,
            oldest,
            longest,
            stamp,
            window_us,
            given_up: &given_up,
            key,
            payload,
        };
        lock(&primary.producers).push(&primary.queue, partition, &addition)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
