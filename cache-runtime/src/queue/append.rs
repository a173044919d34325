//! An item gets into its partition, however many attempts that takes.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::clock;
use super::log::Log;
use super::producer::{Others, Ticket};
use super::shared::Lot;
#[cfg(cache_mutants)]
use crate::mutants::{QueueMutant, on};
use crate::stats::BreakerState;
use crate::store::queue::{Added, Addition, Stamp};
use crate::store::redis::RedisStore;
use crate::store::{Deadline, StoreError, StoreResult};
use crate::token::random_fraction;
#[cfg(cache_mutants)]
use crate::token::random_u64;

/// How long one attempt may take: a server that answers later than that may as well be asked again.
pub(super) const ATTEMPT: Duration = Duration::from_secs(1);
/// Pauses between attempts, from and to.
pub(super) const PAUSES: (Duration, Duration) =
    (Duration::from_millis(2), Duration::from_millis(100));

/// Why a push cannot end well.
#[derive(Debug)]
pub(super) enum Failure {
    Full,
    /// It is there, but too few replicas have it, or the server does not tell.
    Unreplicated(Option<StoreError>),
    Missed(Missed),
    /// It was not sent, because an item before it is on too few replicas.
    Untried,
}

/// The server has not said that it has the item.
#[derive(Debug)]
pub(super) struct Missed {
    pub(super) error: StoreError,
    /// It may have it all the same.
    pub(super) in_doubt: bool,
}

impl Failure {
    /// The item certainly is not there.
    pub(super) fn unavailable(error: StoreError) -> Self {
        Self::Missed(Missed { error, in_doubt: false })
    }

    /// It may be there.
    pub(super) fn in_doubt(error: StoreError) -> Self {
        Self::Missed(Missed { error, in_doubt: true })
    }
}

impl Log {
    /// Appends an item: it is stored once, with this stamp or the later one that it is changed to.
    pub(super) async fn append(
        &self,
        partition: u32,
        stamp: &mut Stamp,
        key: &str,
        payload: &[u8],
        waits: bool,
    ) -> Result<(), Failure> {
        let options = &self.shared.site.options;
        let Some(lot) = self.shared.lot(partition) else {
            return Err(Failure::unavailable(StoreError::Down));
        };
        let ticket = lot.producer.ticket();
        let addition = Addition {
            producer: &lot.producer_key,
            number: ticket.number,
            oldest: ticket.number,
            longest: options.max_len.map(|max| max.div_ceil(options.partitions.into())),
            stamp: *stamp,
            // What is held up for longer was given up meanwhile; half of that time is for clocks that differ.
            window_us: u64::try_from(options.push_timeout.as_micros() / 2).unwrap_or(u64::MAX),
            given_up: &[],
            key,
            payload,
        };
        let appended = self.attempts(lot, partition, addition, &ticket, stamp, waits).await;
        if !matches!(appended, Err(Failure::Missed(Missed { in_doubt: true, .. }))) {
            ticket.settle();
        }
        appended
    }

    /// As many attempts as there is time for.
    async fn attempts(
        &self,
        lot: &Lot,
        partition: u32,
        addition: Addition<'_>,
        ticket: &Ticket<'_>,
        stamp: &mut Stamp,
        waits: bool,
    ) -> Result<(), Failure> {
        let patience = self.shared.site.options.push_timeout;
        let mut until = Instant::now() + patience;
        let (mut pause, longest_pause) = PAUSES;
        // What an attempt has left, whatever becomes of the others.
        let mut left: Option<Failure> = None;
        let mut was_full = false;
        loop {
            let is_late = Instant::now() >= until;
            if is_late && was_full {
                // One more attempt could only be a short one, and say less than the last.
                return Err(left.unwrap_or(Failure::Full));
            }
            let Others { oldest, given_up } = ticket.others();
            let addition = Addition { oldest, given_up: &given_up, stamp: *stamp, ..addition };
            #[cfg(cache_mutants)]
            let addition = if on(QueueMutant::ResendAnew) {
                Addition { number: (1 << 50) + random_u64() % (1 << 50), ..addition }
            } else {
                addition
            };
            let is_cut = until < Instant::now() + ATTEMPT;
            let attempted = self.attempt(lot, partition, addition, until).await;
            was_full = is_full(was_full, is_cut, &attempted);
            match attempted {
                Ok((Added::New(_) | Added::Known, have)) => match have {
                    Ok(have) if have >= self.shared.site.options.replicas => return Ok(()),
                    #[cfg(cache_mutants)]
                    Ok(_) if on(QueueMutant::TooFewReplicas) => return Ok(()),
                    Err(error) if is_forbidden(&error) => {
                        return Err(Failure::Unreplicated(Some(error)));
                    }
                    _ => left = Some(Failure::Unreplicated(None)),
                },
                // An attempt that was not answered may still get there, when there is room.
                Ok((Added::Full, _)) if !waits || is_late => {
                    #[cfg(cache_mutants)]
                    if on(QueueMutant::RefusedWithoutDoubt) {
                        return Err(Failure::Full);
                    }
                    return Err(left.unwrap_or(Failure::Full));
                }
                Ok((Added::Behind(us), _)) => {
                    clock::observe(us);
                    // From now on, as if it had just been pushed.
                    *stamp = clock::now();
                    until = Instant::now() + patience;
                    continue;
                }
                // The ticket is held, so no other push can have said so.
                Ok((Added::Late, _)) => return Err(Failure::in_doubt(StoreError::Unexpected)),
                Ok((Added::Full, _)) => {}
                Err(error) => {
                    if let Some(doubt) = self.unanswered(error, left.is_none())? {
                        left.get_or_insert(Failure::in_doubt(doubt));
                    }
                }
            }
            if is_late {
                return Err(left.unwrap_or(Failure::unavailable(StoreError::Down)));
            }
            let rest = until.saturating_duration_since(Instant::now());
            sleep(pause.mul_f64(0.5 + random_fraction() / 2.0).min(rest)).await;
            pause = (pause * 2).min(longest_pause);
        }
    }

    /// What the error of an attempt means: that there need be no other, or that what it sent may be there, or nothing.
    /// Once a former attempt has left a doubt, no refusal of a later one ends it.
    pub(super) fn unanswered(
        &self,
        error: StoreError,
        is_certain: bool,
    ) -> Result<Option<StoreError>, Failure> {
        match error {
            StoreError::Down if is_certain && !self.is_promising() => {
                Err(Failure::unavailable(error))
            }
            StoreError::Refused(_) | StoreError::Redirected(_)
                if is_certain && !is_passing(&error) =>
            {
                Err(Failure::unavailable(error))
            }
            StoreError::TimedOut | StoreError::Lost | StoreError::Unexpected => Ok(Some(error)),
            StoreError::Down
            | StoreError::Saturated
            | StoreError::Refused(_)
            | StoreError::Redirected(_) => Ok(None),
        }
    }

    /// One attempt, and how many replicas have the item.
    async fn attempt(
        &self,
        lot: &Lot,
        partition: u32,
        addition: Addition<'_>,
        until: Instant,
    ) -> StoreResult<(Added, StoreResult<u32>)> {
        let now = Instant::now();
        let by = (now + ATTEMPT).min(until.max(now + ATTEMPT / 10));
        let replicas = self.shared.site.options.replicas;
        let pushed = if replicas > 0 {
            self.push_replicated(lot, partition, addition, by).await
        } else {
            self.push(partition, addition, by).await.map(|added| (added, Ok(0)))
        };
        #[cfg(cache_mutants)]
        if on(QueueMutant::UntoldIsRefused) {
            return pushed.and_then(|(added, have)| have.map(|have| (observed(added), Ok(have))));
        }
        pushed.map(|(added, have)| (observed(added), have))
    }

    pub(super) async fn push_replicated(
        &self,
        lot: &Lot,
        partition: u32,
        addition: Addition<'_>,
        by: Deadline,
    ) -> StoreResult<(Added, StoreResult<u32>)> {
        let Some(redis) = self.redis() else {
            #[cfg(test)]
            if let Some(server) = self.faulty() {
                return server.push_replicated(partition, addition, by).await;
            }
            let replicas = self.shared.site.options.replicas;
            return self.push(partition, addition, by).await.map(|added| (added, Ok(replicas)));
        };
        let (mut added, have) = self.send_replicated(redis, lot, &[addition], by).await?;
        Ok((added.pop().ok_or(StoreError::Unexpected)?, have))
    }

    /// Appends items on a connection of their own, and waits on it for replicas.
    pub(super) async fn send_replicated(
        &self,
        redis: &RedisStore,
        lot: &Lot,
        additions: &[Addition<'_>],
        by: Deadline,
    ) -> StoreResult<(Vec<Added>, StoreResult<u32>)> {
        let replicas = self.shared.site.options.replicas;
        // Nothing was sent yet.
        let line = lot.replicated(redis, by).await.map_err(|error| match error {
            StoreError::Refused(_) => error,
            _ => StoreError::Down,
        })?;
        let pushed = line.push_replicated(&lot.lane, additions, replicas, by).await;
        if !matches!(pushed, Ok((_, Ok(_)))) {
            lot.forget(&line).await;
        }
        pushed
    }

    /// Whether calls that were refused may soon pass: too many are under way, or the server is being connected to.
    pub(super) fn is_promising(&self) -> bool {
        let phase = self.redis().map(|redis| redis.snapshot().phase);
        matches!(phase, Some(BreakerState::Closed | BreakerState::Connecting))
    }
}

/// Whether the partition is full, as far as is known after an attempt. One that was cut short, and for which there was not even a
/// connection in that time, says nothing.
fn is_full<R>(before: bool, is_cut: bool, attempted: &StoreResult<(Added, R)>) -> bool {
    match attempted {
        Ok((added, _)) => *added == Added::Full,
        Err(error) => before && is_cut && *error == StoreError::Down,
    }
}

/// Later stamps of this process are later than what was added.
pub(super) fn observed(added: Added) -> Added {
    if let Added::New(us) = added {
        clock::observe(us);
    }
    added
}

/// The keys of the partition are on their way to another node of the cluster, or there: the next attempt asks where.
pub(super) fn is_passing(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused(code) if matches!(code.code(), "TRYAGAIN" | "MOVED" | "ASK"))
}

/// The user may not ask, now or later.
pub(super) fn is_forbidden(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused(code) if code == "NOPERM")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_stays_full_until_there_is_another_answer() {
        let none = |error| Err::<(Added, ()), _>(error);
        assert!(is_full(false, false, &Ok((Added::Full, ()))));
        assert!(!is_full(true, true, &Ok((Added::Behind(1), ()))));
        assert!(is_full(true, true, &none(StoreError::Down)), "it was not even asked");
        assert!(!is_full(true, false, &none(StoreError::Down)), "it is not there any more");
        assert!(!is_full(true, true, &none(StoreError::TimedOut)));
        assert!(!is_full(false, true, &none(StoreError::Down)));
    }
}
