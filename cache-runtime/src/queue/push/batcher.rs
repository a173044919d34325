//! Pushes to one partition that are sent together.
//!
//! What a call of a script costs the server is much more than what one item more in it does. So to
//! each partition one call is under way at a time, and what is pushed meanwhile goes with the next:
//! a push that is alone is sent at once, and the more there are the less each costs. They are sent
//! in the order in which they came, and each is told what became of its item alone. An item whose
//! push was given up before it was sent is not sent.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::{timeout, timeout_at};

use crate::engine::background;
use crate::queue::partitions::Partitions;
use crate::queue::push::group::Waiting;
use crate::queue::shared::PartitionProducer;
use crate::store::queue::{Added, Addition};
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

/// Extra time for the sender task to report why there is no answer: only a lost connection means
/// that the item may have been stored.
const GRACE: Duration = Duration::from_millis(100);

impl Partitions {
    /// Appends an item to a partition on the server, in one call with what others push to it.
    pub(in crate::queue) async fn push_with_others(
        &self,
        partition: u32,
        addition: Addition<'_>,
        by: Deadline,
    ) -> StoreResult<Added> {
        let producer = self.shared.producer_for(partition);
        let Addition { number, epoch, oldest, longest, stamp, window_us, .. } = addition;
        let (told, mut outcome) = oneshot::channel();
        let waiting = Waiting {
            producer: addition.producer.to_owned(),
            number,
            epoch,
            oldest,
            longest,
            stamp,
            window_us,
            given_up: addition.given_up.to_vec(),
            key: addition.key.to_owned(),
            payload: addition.payload.to_vec(),
            by,
            told,
        };
        if producer.group.join(waiting) {
            let (log, producer) = (self.clone(), Arc::clone(&producer));
            background::spawn(Attendant { log, producer, is_done: false }.attend());
        }
        let told = match timeout_at(by, &mut outcome).await {
            // It never was sent, and never will be.
            Err(_) if producer.group.take_back(number) => return Err(StoreError::Down),
            Err(_) => timeout(GRACE, outcome).await,
            told => told,
        };
        match told {
            Ok(Ok(added)) => added,
            // Its runtime has ended underway.
            Ok(Err(_)) => Err(StoreError::Lost),
            Err(_) => Err(StoreError::TimedOut),
        }
    }
}

/// Who sends what waits for a partition, until nothing does.
struct Attendant {
    log: Partitions,
    producer: Arc<PartitionProducer>,
    is_done: bool,
}

impl Attendant {
    async fn attend(mut self) {
        // Those who are about to push go along.
        yield_now().await;
        while let Some(next) = self.producer.group.next() {
            self.send(next).await;
        }
        self.is_done = true;
    }

    async fn send(&self, group: Vec<Waiting>) {
        let Some(redis) = self.log.redis() else { return };
        let Some(by) = group.iter().map(|waiting| waiting.by).max() else { return };
        let additions: Vec<_> = group.iter().map(Waiting::addition).collect();
        let outcomes = match redis.push(&self.producer.lane, &additions, by).await {
            Ok(added) => added.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error); group.len()],
        };
        for (waiting, outcome) in group.into_iter().zip(outcomes) {
            // A caller that is gone needs no answer.
            _ = waiting.told.send(outcome);
        }
    }
}

impl Drop for Attendant {
    /// The runtime of the sender task ends: the pushes see that their senders are gone, and try
    /// again through another task.
    fn drop(&mut self) {
        if !self.is_done {
            self.producer.group.abandon();
        }
    }
}
