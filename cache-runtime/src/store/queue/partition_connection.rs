//! The owner's way to one partition, wherever its store keeps it.

use std::sync::Arc;
use std::time::Duration;

use crate::store::StoreResult;
use crate::store::queue::embedded::{EmbeddedQueue, work};
use crate::store::queue::redis::Line;
use crate::store::queue::{Claim, Lane, Position, ReadFrom, ReadReply, Renewal, Unheard};
use crate::support::budget::Deadline;

/// The owner's way to one partition.
#[derive(Debug)]
pub(crate) enum PartitionConnection {
    Redis(Arc<Line>, Lane),
    Embedded(Arc<dyn EmbeddedQueue>, u32),
}

impl PartitionConnection {
    /// Whether others are sent to another server by now.
    pub(crate) fn is_of_the_past(&self) -> bool {
        matches!(self, Self::Redis(server, _) if server.is_of_the_past())
    }

    /// Waits until the partition holds more than `last`, for at most `limit`.
    pub(crate) async fn wait(&self, last: Position, limit: Duration) -> StoreResult<()> {
        match self {
            Self::Redis(server, lane) => server.wait(lane, last, limit).await,
            Self::Embedded(queue, partition) => queue.wait(*partition, last, limit).await,
        }
    }

    /// The owner's next items; only those from before the partition's layout, if that is later than
    /// the settled one.
    pub(crate) async fn read(
        &self,
        claim: &Claim,
        count: usize,
        from: (ReadFrom, u64),
        by: Deadline,
    ) -> StoreResult<ReadReply> {
        match self {
            Self::Redis(server, lane) => server.read(lane, claim, count, from, by).await,
            Self::Embedded(queue, partition) => {
                let (partition, claim) = (*partition, claim.clone());
                work(&**queue, by, move |it| it.read(partition, &claim, count, from)).await
            }
        }
    }

    /// Keeps the partition. False: it is lost.
    pub(crate) async fn renew(
        &self,
        claim: &Claim,
        Renewal { fresh, is_late }: Renewal<'_>,
        by: Deadline,
    ) -> StoreResult<bool> {
        match self {
            Self::Redis(server, lane) => {
                server.renew(lane, claim, Renewal { fresh, is_late }, by).await
            }
            Self::Embedded(queue, partition) => {
                let (partition, claim, fresh) = (*partition, claim.clone(), fresh.to_owned());
                work(&**queue, by, move |queue| {
                    queue.renew(partition, &claim, Renewal { fresh: &fresh, is_late })
                })
                .await
            }
        }
    }

    /// Counts owners that ended without a word from the sink: how many there are. None: the
    /// partition is lost.
    pub(crate) async fn unheard(
        &self,
        claim: &Claim,
        more: Unheard,
        by: Deadline,
    ) -> StoreResult<Option<u32>> {
        match self {
            Self::Redis(server, lane) => server.unheard(lane, claim, more, by).await,
            Self::Embedded(queue, partition) => {
                let (partition, claim) = (*partition, claim.clone());
                work(&**queue, by, move |queue| queue.unheard(partition, &claim, more)).await
            }
        }
    }

    /// Removes what was delivered. False: the partition is lost, and nothing was removed.
    pub(crate) async fn ack(
        &self,
        claim: &Claim,
        done: &[Position],
        by: Deadline,
    ) -> StoreResult<bool> {
        match self {
            Self::Redis(server, lane) => server.ack(lane, claim, done, by).await,
            Self::Embedded(queue, partition) => {
                let (partition, claim, done) = (*partition, claim.clone(), done.to_vec());
                work(&**queue, by, move |queue| queue.ack(partition, &claim, &done)).await
            }
        }
    }

    /// Moves an item to the dead letters. False: the partition is lost, and nothing was moved.
    pub(crate) async fn bury(
        &self,
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
            Self::Embedded(queue, partition) => {
                let (partition, claim, error) = (*partition, claim.clone(), error.to_owned());
                work(&**queue, by, move |queue| {
                    queue.bury(partition, &claim, position, &error, attempts)
                })
                .await
            }
        }
    }
}
