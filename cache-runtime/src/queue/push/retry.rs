//! An item gets into its partition, however many attempts that takes.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::queue::failure::{Failure, Missed, is_forbidden};
use crate::queue::partitions::Partitions;
use crate::queue::placement::{MOVES, Spot};
use crate::queue::push::clock;
use crate::queue::push::producer::{Others, Ticket};
use crate::queue::shared::PartitionProducer;
use crate::store::queue::redis::RedisQueue;
use crate::store::queue::{Added, Addition, PushTime, QueueStore};
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::support::random::random_fraction;

/// How long one attempt may take: a server that answers later than that may as well be asked again.
pub(in crate::queue) const ATTEMPT: Duration = Duration::from_secs(1);
/// Pauses between attempts, from and to.
pub(in crate::queue) const PAUSES: (Duration, Duration) =
    (Duration::from_millis(2), Duration::from_millis(100));

impl Partitions {
    /// Appends an item: it is stored once, there or where it is found to belong, with this stamp or
    /// the later one that it is changed to.
    pub(in crate::queue) async fn append(
        &self,
        spot: &mut Spot,
        stamp: &mut PushTime,
        key: &str,
        payload: &[u8],
        waits: bool,
    ) -> Result<(), Failure> {
        if spot.epoch == 0 {
            *spot = self.relocate(*spot, key).await?;
        }
        for _ in 0..MOVES {
            match self.append_there(*spot, stamp, key, payload, waits).await {
                Err(Failure::Moved) => *spot = self.shared.spot(spot.is_keyed.then_some(key)),
                appended => return appended,
            }
        }
        Err(Failure::unavailable(StoreError::Unexpected))
    }

    async fn append_there(
        &self,
        spot: Spot,
        stamp: &mut PushTime,
        key: &str,
        payload: &[u8],
        waits: bool,
    ) -> Result<(), Failure> {
        if stamp.us <= spot.us {
            *stamp = clock::now();
        }
        let options = &self.shared.site.options;
        let producer = &*self.shared.producer_for(spot.partition);
        let ticket = producer.numbers.ticket();
        let addition = Addition {
            producer: &producer.key,
            number: ticket.number,
            epoch: spot.epoch,
            oldest: ticket.number,
            longest: options.max_len.map(|max| max.div_ceil(spot.spread.into())),
            stamp: *stamp,
            // What is held up for longer was given up meanwhile; half of that time is for clocks
            // that differ.
            window_us: u64::try_from(options.push_timeout.as_micros() / 2).unwrap_or(u64::MAX),
            given_up: &[],
            key,
            payload,
        };
        let appended = self.attempts(producer, spot, addition, &ticket, stamp, waits).await;
        if !matches!(appended, Err(Failure::Missed(Missed { in_doubt: true, .. }))) {
            ticket.settle();
        }
        appended
    }

    /// As many attempts as there is time for.
    async fn attempts(
        &self,
        producer: &PartitionProducer,
        spot: Spot,
        addition: Addition<'_>,
        ticket: &Ticket<'_>,
        stamp: &mut PushTime,
        waits: bool,
    ) -> Result<(), Failure> {
        let patience = self.shared.site.options.push_timeout;
        let mut until = Instant::now() + patience;
        let (mut pause, longest_pause) = PAUSES;
        // The time of one attempt.
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
            let is_cut = until < Instant::now() + ATTEMPT;
            let attempted = self.attempt(producer, spot.partition, addition, until).await;
            was_full = is_full(was_full, is_cut, &attempted);
            match attempted {
                Ok((Added::New(_) | Added::Known, have)) => match have {
                    Ok(have) if have >= self.shared.site.options.replicas => return Ok(()),
                    Err(error) if is_forbidden(&error) => {
                        return Err(Failure::Unreplicated(Some(error)));
                    }
                    _ => left = Some(Failure::Unreplicated(None)),
                },
                // An attempt that was not answered may still get there, when there is room.
                Ok((Added::Full, _)) if !waits || is_late => {
                    return Err(left.unwrap_or(Failure::Full));
                }
                Ok((Added::Behind(us), _)) => {
                    clock::observe(us);
                    // From now on, as if it had just been pushed.
                    *stamp = clock::now();
                    until = Instant::now() + patience;
                    continue;
                }
                Ok((Added::Moved, _)) => match self.relocate(spot, addition.key).await {
                    // It had lost its layout, so a former attempt may still get there.
                    Ok(found) if found.epoch == spot.epoch => {}
                    // Now none can.
                    Ok(_) => return Err(Failure::Moved),
                    Err(failure) => return Err(left.unwrap_or(failure)),
                },
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

    /// One attempt, and how many replicas have the item.
    async fn attempt(
        &self,
        producer: &PartitionProducer,
        partition: u32,
        addition: Addition<'_>,
        until: Instant,
    ) -> StoreResult<(Added, StoreResult<u32>)> {
        let now = Instant::now();
        let by = (now + ATTEMPT).min(until.max(now + ATTEMPT / 10));
        let replicas = self.shared.site.options.replicas;
        let pushed = if replicas > 0 {
            self.push_replicated(producer, partition, addition, by).await
        } else {
            self.push(partition, addition, by).await.map(|added| (added, Ok(0)))
        };
        pushed.map(|(added, have)| (observed(added), have))
    }

    pub(in crate::queue) async fn push_replicated(
        &self,
        producer: &PartitionProducer,
        partition: u32,
        addition: Addition<'_>,
        by: Deadline,
    ) -> StoreResult<(Added, StoreResult<u32>)> {
        let redis = match &self.shared.store {
            QueueStore::Redis(redis) => redis,
            QueueStore::Embedded(queue) => {
                let replicas = self.shared.site.options.replicas;
                return queue.push_replicated(partition, addition, replicas, by).await;
            }
        };
        let (mut added, have) = self.send_replicated(redis, producer, &[addition], by).await?;
        Ok((added.pop().ok_or(StoreError::Unexpected)?, have))
    }

    /// Appends items on a connection of their own, and waits on it for replicas.
    pub(in crate::queue) async fn send_replicated(
        &self,
        redis: &RedisQueue,
        producer: &PartitionProducer,
        additions: &[Addition<'_>],
        by: Deadline,
    ) -> StoreResult<(Vec<Added>, StoreResult<u32>)> {
        let replicas = self.shared.site.options.replicas;
        // Nothing was sent yet.
        let line = producer.replicated(redis, by).await.map_err(|error| match error {
            StoreError::Refused(_) => error,
            _ => StoreError::Down,
        })?;
        let pushed = line.push_replicated(&producer.lane, additions, replicas, by).await;
        if !matches!(pushed, Ok((_, Ok(_)))) {
            producer.forget(&line).await;
        }
        pushed
    }
}

/// Whether the partition is full, as far as is known after an attempt. One that was cut short, and
/// for which there was not even a connection in that time, says nothing.
fn is_full<R>(before: bool, is_cut: bool, attempted: &StoreResult<(Added, R)>) -> bool {
    match attempted {
        Ok((added, _)) => *added == Added::Full,
        Err(error) => before && is_cut && *error == StoreError::Down,
    }
}

/// Later stamps of this process are later than what was added.
pub(in crate::queue) fn observed(added: Added) -> Added {
    if let Added::New(us) = added {
        clock::observe(us);
    }
    added
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
