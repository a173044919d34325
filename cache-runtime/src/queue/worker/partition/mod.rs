//! The ownership of one partition.
//!
//! A partition is owned by one worker at a time, by a lease in its slot. What an owner does to the
//! queue is done by scripts that look at the lease, so a former owner that was paused changes
//! nothing there, not even by reading; nor does what the present owner has sent on a connection
//! that it lost, as each has a token of its own. What a former owner may still do is to end a call
//! of its sink that it had begun: at that moment its lease held for at least half of its length.
//! Such a late call brings nothing that a later owner does not bring too, and is harmless to a sink
//! that refuses older versions or drops what lies before the stored position.
//!
//! While a sink keeps the thread of its owner's task, the [keeper](crate::queue::worker::keeper)
//! renews the lease. An owner that is late all the same asks whether anybody has taken the
//! partition since, and goes on if nobody has: what it did is not done again.
//!
//! In this process's memory a lease has no end, as an owner that is gone gives its partition back
//! when it is dropped.

mod change;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use self::change::{Change, token};
use crate::queue::partitions::Partitions;
use crate::queue::worker::keeper::{Keeper, Term};
use crate::queue::worker::refusals::Refusals;
use crate::store::StoreResult;
use crate::store::queue::{
    Claim, PartitionConnection, Position, ReadFrom, ReadReply, Stored, Unheard,
};
use crate::support::budget::Deadline;
use crate::support::span::LONGEST;

/// The partition belongs to another worker, or may soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::queue) struct Lost;

/// A partition that this worker owns.
#[derive(Debug)]
pub(in crate::queue) struct Owner {
    pub(in crate::queue) log: Partitions,
    pub(in crate::queue) partition: u32,
    claim: Claim,
    line: Option<PartitionConnection>,
    keeper: Option<Keeper>,
    /// What was sent on a line that was lost may still get there: the token that replaces the
    /// present one before anything is sent on another.
    fresh: Option<String>,
    /// A line was lost since: another primary may have items pending that its predecessor knew to
    /// be acknowledged.
    is_behind: bool,
    /// How long nobody else can own it.
    term: Arc<Term>,
    is_given_back: bool,
    refusals: Refusals,
}

impl Owner {
    /// Takes a partition, if nobody owns it.
    pub(in crate::queue) async fn take(
        log: &Partitions,
        partition: u32,
        worker: &str,
        by: Deadline,
    ) -> StoreResult<Option<Self>> {
        let lease = if log.is_in_memory() { LONGEST } else { log.shared.site.options.lease };
        let claim = Claim { token: token(), worker: worker.to_owned(), lease };
        let asked = Instant::now();
        let is_ours = log.take(partition, &claim, by).await?;
        Ok(is_ours.then(|| Self {
            log: log.clone(),
            partition,
            claim,
            line: None,
            keeper: None,
            fresh: None,
            is_behind: false,
            term: Term::new(asked + lease),
            is_given_back: false,
            refusals: Refusals::default(),
        }))
    }

    /// How long nobody else can own it.
    pub(in crate::queue) fn term(&self) -> Arc<Term> {
        Arc::clone(&self.term)
    }

    fn lease(&self) -> Duration {
        self.claim.lease
    }

    /// Sees to it that the lease holds for at least half of its length.
    pub(in crate::queue) async fn assert(&mut self) -> Result<(), Lost> {
        if self.term.until().saturating_duration_since(Instant::now()) < self.lease() / 2 {
            self.change(Change::Renew).await?;
        }
        Ok(())
    }

    /// Keeps the partition while something is done that may take so long.
    pub(in crate::queue) async fn hold_for<R>(
        &mut self,
        limit: Option<Duration>,
        work: impl Future<Output = R>,
    ) -> Result<R, Lost> {
        let term = Arc::clone(&self.term);
        term.give_up_at(limit.map(|limit| Instant::now() + limit));
        let done = self.hold(work).await;
        term.give_up_at(None);
        done
    }

    /// Keeps the partition while something is done.
    pub(in crate::queue) async fn hold<R>(
        &mut self,
        work: impl Future<Output = R>,
    ) -> Result<R, Lost> {
        let keep = async {
            loop {
                sleep_until(self.term.until() - self.lease() * 3 / 4).await;
                if self.change(Change::Renew).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            result = work => Ok(result),
            () = keep => Err(Lost),
        }
    }

    /// Whether what is pending may not be what this worker has seen.
    pub(in crate::queue) fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Items, and the position of the partition's last. None: a connection was lost, and there may
    /// be pending ones that this worker has not seen.
    pub(in crate::queue) async fn read(
        &mut self,
        count: usize,
        from: ReadFrom,
    ) -> Result<Option<(Vec<Stored>, Position)>, Lost> {
        match from {
            ReadFrom::New if self.is_behind => return Ok(None),
            ReadFrom::New => {}
            ReadFrom::Pending(_) => self.is_behind = false,
        }
        self.assert().await?;
        let by = self.deadline();
        let settled = self.log.shared.layout.settled();
        let read = match self.line().await {
            Ok((line, claim)) => line.read(claim, count, (from, settled), by).await,
            Err(error) => Err(error),
        };
        match read {
            Ok(ReadReply::Items { items, last, epoch }) => {
                self.log.shared.layout.heard_of(epoch);
                Ok(Some((items, last)))
            }
            Ok(ReadReply::Lost) => Err(Lost),
            Err(error) => {
                self.failed(error).await;
                Ok(None)
            }
        }
    }

    /// Waits until there is more than `last`, or a while, which ends at a time that is given.
    pub(in crate::queue) async fn wait(
        &mut self,
        last: Position,
        until: Option<Instant>,
    ) -> Result<(), Lost> {
        self.assert().await?;
        let limit = (self.lease() / 4).min(Duration::from_secs(1));
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        // Zero would be for ever.
        let limit = left.unwrap_or(limit).min(limit).max(Duration::from_millis(1));
        let waited = match self.line().await {
            Ok((line, _)) => line.wait(last, limit).await,
            Err(error) => Err(error),
        };
        if let Err(error) = waited {
            self.failed(error).await;
        }
        Ok(())
    }

    /// Counts owners in a row that ended without a word from the sink; 0 where the store cannot
    /// say.
    pub(in crate::queue) async fn unheard(&mut self, more: Unheard) -> Result<u32, Lost> {
        self.assert().await?;
        let by = self.deadline();
        let counted = match self.line().await {
            Ok((line, claim)) => line.unheard(claim, more, by).await,
            Err(error) => Err(error),
        };
        match counted {
            Ok(owners) => owners.ok_or(Lost),
            Err(error) => {
                self.failed(error).await;
                Ok(0)
            }
        }
    }

    /// The connection may still be waiting.
    pub(in crate::queue) fn hang_up(&mut self) {
        self.lose_line();
    }

    /// Removes what was delivered.
    pub(in crate::queue) async fn ack(&mut self, done: &[Position]) -> Result<(), Lost> {
        self.change(Change::Ack(done)).await
    }

    /// Moves an item to the dead letters.
    pub(in crate::queue) async fn bury(
        &mut self,
        position: Position,
        error: &str,
        attempts: u32,
    ) -> Result<(), Lost> {
        self.change(Change::Bury(position, error, attempts)).await
    }

    /// Releases the partition.
    pub(in crate::queue) async fn give_back(mut self) {
        (self.is_given_back, self.keeper) = (true, None);
        // Without an answer the lease ends by itself.
        _ = self.log.give_back(self.partition, &self.claim, self.deadline()).await;
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if self.is_given_back {
            return;
        }
        self.keeper = None;
        if let Some(queue) = self.log.here() {
            queue.give_back(self.partition, &self.claim);
        } else {
            let (log, partition, claim) = (self.log.clone(), self.partition, self.claim.clone());
            let by = self.deadline();
            let cache = self.log.cache.clone();
            cache.background().run(async move {
                _ = log.give_back(partition, &claim, by).await;
            });
        }
    }
}
