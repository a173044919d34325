//! The ownership of one partition.
//!
//! A partition is owned by one worker at a time, by a lease in its slot. What an owner does to the queue is done by
//! scripts that look at the lease, so a former owner that was paused changes nothing there, not even by reading; nor does what
//! the present owner has sent on a connection that it lost, as each has a token of its own. What a former owner
//! may still do is to end a call of its sink that it had begun: at that moment its lease held for at least half of its
//! length. Such a late call brings nothing that a later owner does not bring too, and is harmless to a sink that refuses
//! older versions or drops what lies before the stored position.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::Position;
use super::log::{Line, Log};
use super::refusals::Refusals;
#[cfg(cache_mutants)]
use crate::mutants::{QueueMutant, on};
use crate::store::queue::{Claim, From, Read, Stored};
use crate::store::{Deadline, StoreError, StoreResult};
use crate::token::random_u64;

/// How long to wait before a lost connection is made again.
const PAUSE: Duration = Duration::from_millis(50);

/// The partition belongs to somebody else, or soon may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost;

/// A partition that this worker owns.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) log: Log,
    pub(super) partition: u32,
    claim: Claim,
    line: Option<Line>,
    /// What was sent on a line that was lost may still get there: the token that replaces the present one before anything
    /// is sent on another.
    fresh: Option<String>,
    /// A line was lost since: another primary may have items pending that its predecessor knew to be acknowledged.
    is_behind: bool,
    /// Until when nobody else can own it.
    until: Instant,
    is_given_back: bool,
    refusals: Refusals,
}

/// What can be sent again until it is known to be done.
enum Change<'a> {
    Renew,
    Ack(&'a [Position]),
    Bury(Position, &'a str, u32),
}

impl Owner {
    /// Takes a partition, if nobody owns it.
    pub(super) async fn take(
        log: &Log,
        partition: u32,
        worker: &str,
        by: Deadline,
    ) -> StoreResult<Option<Self>> {
        let lease = log.shared.site.options.lease;
        let claim = Claim { token: token(), worker: worker.to_owned(), lease };
        let asked = Instant::now();
        let is_ours = log.take(partition, &claim, by).await?;
        Ok(is_ours.then(|| Self {
            log: log.clone(),
            partition,
            claim,
            line: None,
            fresh: None,
            is_behind: false,
            until: asked + lease,
            is_given_back: false,
            refusals: Refusals::default(),
        }))
    }

    fn lease(&self) -> Duration {
        self.claim.lease
    }

    /// Sees to it that the lease holds for at least half of its length.
    pub(super) async fn assert(&mut self) -> Result<(), Lost> {
        if self.until.saturating_duration_since(Instant::now()) < self.lease() / 2 {
            self.change(Change::Renew).await?;
        }
        Ok(())
    }

    /// Keeps the partition while something is done.
    pub(super) async fn hold<R>(&mut self, work: impl Future<Output = R>) -> Result<R, Lost> {
        let keep = async {
            loop {
                sleep_until(self.until - self.lease() * 3 / 4).await;
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

    /// Items, and the position of the partition's last. None: a connection was lost, and there may be
    /// pending ones that this worker has not seen.
    pub(super) async fn read(
        &mut self,
        count: usize,
        from: From,
    ) -> Result<Option<(Vec<Stored>, Position)>, Lost> {
        match from {
            From::New if self.is_behind => return Ok(None),
            From::New => {}
            From::Pending(_) => self.is_behind = false,
        }
        self.assert().await?;
        let by = self.deadline();
        let read = match self.line().await {
            Ok((line, claim)) => line.read(claim, count, from, by).await,
            Err(error) => Err(error),
        };
        match read {
            Ok(Read::Items(items, last)) => Ok(Some((items, last))),
            Ok(Read::Lost) => Err(Lost),
            Err(error) => {
                self.failed(error).await;
                Ok(None)
            }
        }
    }

    /// Waits until there is more than `last`, or a while.
    pub(super) async fn wait(&mut self, last: Position) -> Result<(), Lost> {
        self.assert().await?;
        let limit = (self.lease() / 4).min(Duration::from_secs(1));
        let waited = match self.line().await {
            Ok((line, _)) => line.wait(last, limit).await,
            Err(error) => Err(error),
        };
        if let Err(error) = waited {
            self.failed(error).await;
        }
        Ok(())
    }

    /// The connection may still be waiting.
    pub(super) fn hang_up(&mut self) {
        self.lose_line();
    }

    /// Removes what was delivered.
    pub(super) async fn ack(&mut self, done: &[Position]) -> Result<(), Lost> {
        self.change(Change::Ack(done)).await
    }

    /// Moves an item to the dead letters.
    pub(super) async fn bury(
        &mut self,
        position: Position,
        error: &str,
        attempts: u32,
    ) -> Result<(), Lost> {
        self.change(Change::Bury(position, error, attempts)).await
    }

    /// Lets somebody else have it.
    pub(super) async fn give_back(mut self) {
        self.is_given_back = true;
        // Without an answer the lease ends by itself.
        _ = self.log.give_back(self.partition, &self.claim, self.deadline()).await;
    }

    async fn change(&mut self, change: Change<'_>) -> Result<(), Lost> {
        loop {
            let asked = Instant::now();
            if asked >= self.until {
                return Err(Lost);
            }
            let by = self.deadline();
            let changed = match (self.line().await, &change) {
                (Err(error), _) => Err(error),
                (Ok((line, claim)), Change::Renew) => line.renew(claim, &claim.token, by).await,
                (Ok((line, claim)), Change::Ack(done)) => line.ack(claim, done, by).await,
                (Ok((line, claim)), Change::Bury(position, error, attempts)) => {
                    line.bury(claim, *position, error, *attempts, by).await
                }
            };
            match changed {
                Ok(true) => {
                    self.until = asked + self.lease();
                    return Ok(());
                }
                Ok(false) => return Err(Lost),
                Err(error) => self.failed(error).await,
            }
        }
    }

    /// The connection, and the claim under which to use it.
    async fn line(&mut self) -> StoreResult<(&mut Line, &Claim)> {
        let line = match self.line.take() {
            Some(line) if line.is_of_the_past() => return Err(StoreError::Lost),
            Some(line) => line,
            None => self.open().await?,
        };
        Ok((self.line.insert(line), &self.claim))
    }

    async fn open(&mut self) -> StoreResult<Line> {
        let mut line = self.log.line(self.partition, self.deadline()).await?;
        if let Some(fresh) = self.fresh.clone() {
            let (asked, by) = (Instant::now(), self.deadline());
            // Where that is refused, whatever is sent next will be, too.
            if line.renew(&self.claim, &fresh, by).await? {
                self.until = asked + self.lease();
                self.claim.token = fresh;
                self.fresh = None;
            }
        }
        Ok(line)
    }

    fn lose_line(&mut self) {
        (self.line, self.is_behind) = (None, true);
        #[cfg(cache_mutants)]
        if on(QueueMutant::TokenOutlivesConnection) {
            return;
        }
        self.fresh.get_or_insert_with(token);
    }

    /// By when an answer is of use.
    fn deadline(&self) -> Deadline {
        Instant::now() + (self.lease() / 3).max(Duration::from_millis(100))
    }

    async fn failed(&mut self, error: StoreError) {
        let (queue, partition) = (self.log.shared.site.name, self.partition);
        self.refusals.tell(format_args!("queue {queue:?}, partition {partition}"), &error);
        // Refused, it may be about to become a replica, or be gone for this slot.
        self.lose_line();
        sleep(PAUSE).await;
    }
}

/// Of one ownership on one connection.
fn token() -> String {
    format!("{:016x}{:016x}", random_u64(), random_u64())
}

impl Drop for Owner {
    fn drop(&mut self) {
        if !self.is_given_back {
            let (log, partition, claim) = (self.log.clone(), self.partition, self.claim.clone());
            let by = self.deadline();
            let cache = self.log.cache.clone();
            cache.background().run(async move {
                _ = log.give_back(partition, &claim, by).await;
            });
        }
    }
}
