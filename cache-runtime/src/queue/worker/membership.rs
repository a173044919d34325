//! Which partitions this worker owns: its fair share of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::engine::ambient;
use crate::queue::partitions::Partitions;
use crate::queue::worker::delivery::{Delivery, Task};
use crate::queue::worker::keeper::Term;
use crate::queue::worker::partition::Owner;
use crate::queue::worker::refusals::Refusals;
use crate::store::queue::{Claim, Crew};
use crate::store::{StoreError, StoreResult};
use crate::support::log;
use crate::support::random::random_u64;
use crate::support::shutdown_signal::{self, Stop, Stopped};

/// A worker among others.
pub(in crate::queue) struct Member<T> {
    log: Partitions,
    task: Arc<Task<T>>,
    /// What the other workers know of this one.
    claim: Claim,
    deliveries: JoinSet<()>,
    /// The partition of every delivery that has not ended, and for how long it is kept.
    partitions: HashMap<Id, (u32, Arc<Term>)>,
    /// The deliveries that have not been asked to end.
    owned: BTreeMap<u32, Stop>,
    /// The server was asked how durable it is.
    is_assessed: bool,
    /// The queue was, when last asked.
    is_paused: bool,
    refusals: Refusals,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Member<T> {
    pub(in crate::queue) fn new(log: Partitions, task: Arc<Task<T>>) -> Self {
        let worker = format!("{:016x}", random_u64());
        let lease = log.shared.site.options.lease;
        Self {
            log,
            task,
            claim: Claim { token: worker.clone(), worker, lease },
            deliveries: JoinSet::new(),
            partitions: HashMap::new(),
            owned: BTreeMap::new(),
            is_assessed: false,
            is_paused: false,
            refusals: Refusals::default(),
        }
    }

    /// Delivers until it is stopped; then ends what is under way, and gives all partitions back.
    pub(in crate::queue) async fn run(mut self, mut stop: Stopped) {
        let mut next = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = stop.sent() => break,
                Some(ended) = self.deliveries.join_next_with_id() => self.ended(ended),
                () = sleep_until(next) => {
                    self.meet().await;
                    next = Instant::now() + self.claim.lease / 5;
                }
            }
        }
        if self.log.drains() {
            self.take_all().await;
        }
        for stop in self.owned.values() {
            stop.send();
        }
        self.end_deliveries().await;
        self.tell_of_loss().await;
        _ = self.log.leave(&self.claim.worker, self.deadline()).await;
    }

    /// Waits until all have ended, or the sink hangs.
    async fn end_deliveries(&mut self) {
        let limit = self.log.cache.settings().shutdown_limit;
        let mut ended = self.task.calls.ended();
        loop {
            match timeout(limit, self.deliveries.join_next()).await {
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(_) if ended != self.task.calls.ended() => ended = self.task.calls.ended(),
                Err(_) => break,
            }
        }
        let again = if self.log.is_in_memory() { "" } else { ", which are delivered again" };
        log::warn(format_args!(
            "queue {:?}: its worker ends although no call of its sink has ended for {limit:?}. The \
                sink has had {} items{again}",
            self.log.shared.queue,
            self.task.calls.items(),
        ));
        self.deliveries.abort_all();
    }

    /// Says how much of a queue in memory could not be delivered before the end.
    async fn tell_of_loss(&self) {
        if !self.log.is_in_memory() {
            return;
        }
        let mut left = 0;
        for partition in 0..self.log.shared.site.options.partitions {
            let lengths = self.log.lengths(partition, self.deadline()).await.unwrap_or_default();
            left += lengths.waiting + lengths.pending + lengths.dead;
        }
        if left > 0 {
            log::warn(format_args!(
                "queue {:?}: its worker ends, and {left} items are left in memory",
                self.log.shared.queue
            ));
        }
    }

    /// Says whether the server may lose what it acknowledges.
    async fn tell_of_risk(&self) -> StoreResult<()> {
        if let Some(redis) = self.log.redis()
            && let Some(risk) = redis.risk(self.deadline()).await?
        {
            log::warn(format_args!("queue {:?}, its server: {risk}", self.log.shared.queue));
        }
        Ok(())
    }

    /// Takes what nobody owns.
    async fn take_all(&mut self) {
        for partition in 0..self.log.shared.site.options.partitions {
            let by = self.deadline();
            if let Ok(Some(owner)) = Owner::take(&self.log, partition, &self.claim.worker, by).await
            {
                self.deliver(owner);
            }
        }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + (self.claim.lease / 3).max(Duration::from_millis(100))
    }

    fn ended(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        if let Some((partition, _)) = self.partitions.remove(&id) {
            self.owned.remove(&partition);
        }
    }

    /// Learns who else is there; takes what it lacks of its share, and lets go what it has beyond.
    async fn meet(&mut self) {
        if self.partitions.values().any(|(_, term)| term.is_free()) {
            // Its sink keeps a thread, and what it had is for others: they take it only if it has
            // no share.
            _ = self.log.leave(&self.claim.worker, self.deadline()).await;
            return;
        }
        let partitions = self.log.shared.site.options.partitions;
        let crew = match self.log.join(&self.claim, partitions, self.deadline()).await {
            Ok(crew) => crew,
            Err(error) => return self.refused(&error),
        };
        // Not asked again where it is not to be asked.
        self.is_assessed = self.is_assessed
            || !matches!(self.tell_of_risk().await, Err(StoreError::Down | StoreError::TimedOut));
        self.log.look_now_and_then(Duration::ZERO);
        if let Err(error) = self.log.tend(crew.layout).await {
            self.refused(&error);
        }
        self.tell_of_pause(crew.is_paused);
        let share = if crew.is_paused { 0 } else { share(&crew, &self.claim.worker) };
        while self.owned.len() > share {
            if let Some((_, stop)) = self.owned.pop_last() {
                stop.send();
            }
        }
        // Not all workers ask for the same ones first.
        let first = u32::try_from(random_u64() % u64::from(crew.partitions)).unwrap_or_default();
        for at in 0..crew.partitions {
            if self.owned.len() >= share {
                return;
            }
            let partition = (first + at) % crew.partitions;
            if self.partitions.values().any(|(other, _)| *other == partition) {
                continue;
            }
            let by = self.deadline();
            match Owner::take(&self.log, partition, &self.claim.worker, by).await {
                Ok(Some(owner)) => self.deliver(owner),
                Ok(None) => {}
                Err(error) => return self.refused(&error),
            }
        }
    }

    fn tell_of_pause(&mut self, is_paused: bool) {
        if std::mem::replace(&mut self.is_paused, is_paused) != is_paused {
            let queue = self.log.shared.queue;
            let what = if is_paused { "is paused: nothing is delivered" } else { "is resumed" };
            log::info(format_args!("queue {queue:?} {what}"));
        }
    }

    /// Nothing is delivered until it goes on.
    fn refused(&mut self, error: &StoreError) {
        let queue = self.log.shared.queue;
        self.refusals.tell(format_args!("queue {queue:?}"), error);
    }

    fn deliver(&mut self, owner: Owner) {
        let (stop, stopped) = shutdown_signal::stop();
        let (partition, term) = (owner.partition, owner.term());
        // What the sink calls uses the cache that the queue is in.
        let cache = self.log.cache.clone();
        let delivery = Delivery::new(owner, Arc::clone(&self.task), stopped);
        let handle = self.deliveries.spawn(ambient::scope(cache.clone(), delivery.run()));
        self.partitions.insert(handle.id(), (partition, term));
        self.owned.insert(partition, stop);
    }
}

impl<T> Drop for Member<T> {
    /// Nobody can end a delivery whose sink keeps its thread. But it does not keep its partition
    /// from others any more, or they would wait for as long as this process lives.
    fn drop(&mut self) {
        for (_, term) in self.partitions.values() {
            term.give_up_at(Some(Instant::now()));
        }
    }
}

/// How many partitions a worker should own: all shares together are all partitions.
fn share(crew: &Crew, worker: &str) -> usize {
    let partitions = usize::try_from(crew.partitions).unwrap_or(usize::MAX);
    let rank = crew.alive.iter().filter(|other| other.as_str() < worker).count();
    let alive = crew.alive.len().max(1);
    partitions / alive + usize::from(rank < partitions % alive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::queue::Layout;

    #[test]
    fn shares_are_fair_and_cover_everything() {
        for partitions in 1..20 {
            for workers in 1..10 {
                let alive: Vec<_> = (0..workers).map(|worker| worker.to_string()).collect();
                let alive_ = alive.clone();
                let (is_paused, layout) = (false, Layout::default());
                let crew = Crew { partitions, alive: alive_, is_paused, layout };
                let shares: Vec<_> = alive.iter().map(|worker| share(&crew, worker)).collect();
                assert_eq!(shares.iter().sum::<usize>(), partitions as usize);
                let (least, most) = (shares.iter().min(), shares.iter().max());
                assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1));
            }
        }
    }
}
