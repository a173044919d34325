//! What an owner does to its partition, over connections that it may lose.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::queue::worker::keeper::Keeper;
use crate::queue::worker::partition::{Lost, Owner};
use crate::store::queue::{Claim, PartitionConnection, Position, Renewal};
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::support::random::random_u64;

/// How long to wait before a lost connection is made again.
const PAUSE: Duration = Duration::from_millis(50);

/// What can be sent again until it is known to be done.
pub(super) enum Change<'a> {
    Renew,
    Ack(&'a [Position]),
    Bury(Position, &'a str, u32),
}

impl Owner {
    /// Does something, however often it has to be sent.
    pub(super) async fn change(&mut self, change: Change<'_>) -> Result<(), Lost> {
        // Nobody may have taken it, and what was done need not be done again.
        let (mut patience, mut is_doubted) = (self.term.until(), false);
        if !matches!(change, Change::Renew) || patience <= Instant::now() {
            patience = patience.max(Instant::now()) + self.lease();
        }
        loop {
            let asked = Instant::now();
            if asked >= patience {
                return Err(Lost);
            }
            let (by, is_late) = (self.deadline(), is_doubted || asked >= self.term.until());
            let changed = match (self.line().await, &change) {
                (Err(error), _) => Err(error),
                (Ok((line, claim)), _) if is_late => {
                    let renewed =
                        line.renew(claim, Renewal { fresh: &claim.token, is_late }, by).await;
                    if renewed == Ok(true) && !matches!(change, Change::Renew) {
                        self.term.extend(asked + self.lease());
                        is_doubted = false;
                        continue;
                    }
                    renewed
                }
                (Ok((line, claim)), Change::Renew) => {
                    line.renew(claim, Renewal { fresh: &claim.token, is_late }, by).await
                }
                (Ok((line, claim)), Change::Ack(done)) => line.ack(claim, done, by).await,
                (Ok((line, claim)), Change::Bury(position, error, attempts)) => {
                    line.bury(claim, *position, error, *attempts, by).await
                }
            };
            match changed {
                Ok(true) => {
                    self.term.extend(asked + self.lease());
                    return Ok(());
                }
                // The server's clock may have jumped, or its replica have taken over without
                // knowing of the lease.
                Ok(false) if !is_late => is_doubted = true,
                Ok(false) => return Err(Lost),
                Err(error) => self.failed(error).await,
            }
        }
    }

    /// The connection, and the claim under which to use it.
    pub(super) async fn line(&mut self) -> StoreResult<(&PartitionConnection, &Claim)> {
        let line = match self.line.take() {
            Some(line) if line.is_of_the_past() => return Err(StoreError::Lost),
            Some(line) => line,
            None => self.open().await?,
        };
        Ok((self.line.insert(line), &self.claim))
    }

    async fn open(&mut self) -> StoreResult<PartitionConnection> {
        let line = self.log.line(self.partition, self.deadline()).await?;
        if let Some(fresh) = self.fresh.clone() {
            let (asked, by) = (Instant::now(), self.deadline());
            let renewal = Renewal { fresh: &fresh, is_late: asked >= self.term.until() };
            // If that is refused, so will be the commands that follow.
            if line.renew(&self.claim, renewal, by).await? {
                self.term.extend(asked + self.lease());
                self.claim.token = fresh;
                self.fresh = None;
            }
        }
        self.keeper = Keeper::new(&line, &self.claim, &self.term);
        Ok(line)
    }

    pub(super) fn lose_line(&mut self) {
        (self.line, self.keeper, self.is_behind) = (None, None, true);
        self.fresh.get_or_insert_with(token);
    }

    /// By when an answer is of use.
    pub(super) fn deadline(&self) -> Deadline {
        Instant::now() + (self.lease() / 3).max(Duration::from_millis(100))
    }

    pub(super) async fn failed(&mut self, error: StoreError) {
        let (queue, partition) = (self.log.shared.queue, self.partition);
        self.refusals.tell(format_args!("queue {queue:?}, partition {partition}"), &error);
        // Refused, it may be about to become a replica, or be gone for this slot.
        self.lose_line();
        sleep(PAUSE).await;
    }
}

/// Of one ownership on one connection.
pub(super) fn token() -> String {
    format!("{:016x}{:016x}", random_u64(), random_u64())
}
