//! The partitions of a queue, wherever its cache keeps them.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Core;
use crate::queue::shared::Shared;
use crate::store::queue::{
    Added, Addition, Claim, Crew, From, Lane, Position, Read, Renewal, Unheard,
};
use crate::store::redis::{QueueLine, RedisStore};
use crate::store::{Store, StoreResult};
use crate::support::budget::Deadline;
#[cfg(test)]
use crate::testing::faulty_store::FaultyStore;

/// A queue of a cache that has a store.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) cache: Core,
    pub(crate) shared: Arc<Shared>,
}

/// A way to one partition that may block.
#[derive(Debug)]
pub(crate) enum Line {
    Redis(Arc<QueueLine>, Lane),
    Memory(Log, u32),
}

/// What an operation of the queue in memory comes to. In the simulation that is not this process's own: it is at the end of a
/// network, and gets what it owns.
macro_rules! remembered {
    ($log:expr, $by:expr, [$($borrowed:ident)*] $queue:ident => $operation:expr) => {{
        #[cfg(test)]
        if let Some(server) = $log.faulty() {
            $(let $borrowed = $borrowed.to_owned();)*
            let execute = move |$queue: &$crate::store::queue::memory::MemoryQueue| {
                $(let $borrowed = &$borrowed;)*
                $operation
            };
            return server.queue($by, execute).await;
        }
        let $queue = &$log.shared.memory;
        Ok($operation)
    }};
}

pub(crate) use remembered;

#[expect(clippy::single_match_else, reason = "one arm for each place")]
impl Log {
    /// The server, if there is one.
    pub(crate) fn redis(&self) -> Option<&RedisStore> {
        match self.cache.store() {
            Some(Store::Redis(store)) => Some(store),
            _ => None,
        }
    }

    /// The queue ends with this process: nobody else delivers what it holds.
    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self.cache.store(), Some(Store::Memory(_)))
    }

    /// What it holds is to be delivered before this process ends.
    pub(crate) fn drains(&self) -> bool {
        self.is_in_memory() && !self.shared.memory.is_paused()
    }

    #[cfg(test)]
    pub(crate) fn faulty(&self) -> Option<&FaultyStore> {
        match self.cache.store() {
            Some(Store::Faulty(store)) => Some(store),
            _ => None,
        }
    }

    pub(crate) async fn push(
        &self,
        partition: u32,
        addition: Addition<'_>,
        by: Deadline,
    ) -> StoreResult<Added> {
        match self.redis() {
            Some(_) => self.push_with_others(partition, addition, by).await,
            None => {
                #[cfg(test)]
                if let Some(server) = self.faulty() {
                    return server.push(partition, addition, by).await;
                }
                Ok(self.shared.memory.push(partition, &addition))
            }
        }
    }

    pub(crate) async fn join(
        &self,
        claim: &Claim,
        partitions: u32,
        by: Deadline,
    ) -> StoreResult<Crew> {
        match self.redis() {
            Some(redis) => {
                let keys = (&*self.shared.workers, &*self.shared.layout_key);
                redis.queue_join(keys, claim, partitions, by).await
            }
            None => remembered!(self, by, [claim] queue => queue.join(claim, partitions)),
        }
    }

    pub(crate) async fn leave(&self, worker: &str, by: Deadline) -> StoreResult<()> {
        match self.redis() {
            Some(redis) => redis.queue_leave(&self.shared.workers, worker, by).await,
            None => remembered!(self, by, [worker] queue => queue.leave(worker)),
        }
    }

    pub(crate) async fn take(
        &self,
        partition: u32,
        claim: &Claim,
        by: Deadline,
    ) -> StoreResult<bool> {
        match self.redis() {
            Some(redis) => redis.queue_take(&self.shared.lane(partition), claim, by).await,
            None => remembered!(self, by, [claim] queue => queue.take(partition, claim)),
        }
    }

    pub(crate) async fn give_back(
        &self,
        partition: u32,
        claim: &Claim,
        by: Deadline,
    ) -> StoreResult<()> {
        match self.redis() {
            Some(redis) => {
                redis.queue_yield(&self.shared.lane(partition), claim, by).await.map(|_| ())
            }
            None => remembered!(self, by, [claim] queue => queue.yield_back(partition, claim)),
        }
    }

    pub(crate) async fn line(&self, partition: u32, by: Deadline) -> StoreResult<Line> {
        match self.redis() {
            Some(redis) => {
                let lane = self.shared.lane(partition);
                Ok(Line::Redis(Arc::new(redis.queue_line(&lane, by).await?), lane))
            }
            None => Ok(Line::Memory(self.clone(), partition)),
        }
    }
}

impl Line {
    /// Whether others are sent to another server by now.
    pub(crate) fn is_of_the_past(&self) -> bool {
        matches!(self, Self::Redis(server, _) if server.is_of_the_past())
    }

    pub(crate) async fn wait(&mut self, last: Position, limit: Duration) -> StoreResult<()> {
        match self {
            Self::Redis(server, lane) => server.wait(lane, last, limit).await,
            Self::Memory(log, partition) => {
                #[cfg(test)]
                if let Some(server) = log.faulty() {
                    return server.wait(*partition, last, limit).await;
                }
                log.shared.memory.wait(*partition, last, limit).await;
                Ok(())
            }
        }
    }

    pub(crate) async fn read(
        &mut self,
        claim: &Claim,
        count: usize,
        from: (From, u64),
        by: Deadline,
    ) -> StoreResult<Read> {
        match self {
            Self::Redis(server, lane) => server.read(lane, claim, count, from, by).await,
            Self::Memory(log, partition) => {
                let partition = *partition;
                remembered!(log, by, [claim] queue => queue.read(partition, claim, count, from))
            }
        }
    }

    pub(crate) async fn renew(
        &mut self,
        claim: &Claim,
        Renewal { fresh, is_late }: Renewal<'_>,
        by: Deadline,
    ) -> StoreResult<bool> {
        match self {
            Self::Redis(server, lane) => {
                server.renew(lane, claim, Renewal { fresh, is_late }, by).await
            }
            Self::Memory(log, partition) => {
                let partition = *partition;
                remembered!(log, by, [claim fresh] queue => {
                    queue.renew(partition, claim, Renewal { fresh, is_late })
                })
            }
        }
    }

    pub(crate) async fn unheard(
        &mut self,
        claim: &Claim,
        more: Unheard,
        by: Deadline,
    ) -> StoreResult<Option<u32>> {
        match self {
            Self::Redis(server, lane) => server.unheard(lane, claim, more, by).await,
            Self::Memory(log, partition) => {
                let partition = *partition;
                remembered!(log, by, [claim] queue => queue.unheard(partition, claim, more))
            }
        }
    }

    pub(crate) async fn ack(
        &mut self,
        claim: &Claim,
        done: &[Position],
        by: Deadline,
    ) -> StoreResult<bool> {
        match self {
            Self::Redis(server, lane) => server.ack(lane, claim, done, by).await,
            Self::Memory(log, partition) => {
                let partition = *partition;
                remembered!(log, by, [claim done] queue => queue.ack(partition, claim, done))
            }
        }
    }

    pub(crate) async fn bury(
        &mut self,
        claim: &Claim,
        position: Position,
        error: &str,
        attempts: u32,
        by: Deadline,
    ) -> StoreResult<bool> {
        match self {
            Self::Redis(server, lane) => {
                server.bury(lane, claim, position, error, attempts, by).await
            }
            Self::Memory(log, partition) => {
                let partition = *partition;
                remembered!(log, by, [claim error] queue => {
                    queue.bury(partition, claim, position, error, attempts)
                })
            }
        }
    }
}
