//! Into the queue, or past it where there is none to be reached.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::batch::{Batch, Entry, Merge};
use super::log::Log;
use super::producer::{Others, Ticket};
use super::shared::Lot;
use super::stats::count;
use super::{Queue, clock, payload};
use crate::error::{Error, ErrorKind};
use crate::key::KeyText;
#[cfg(cache_mutants)]
use crate::mutants::{QueueMutant, on};
use crate::private;
use crate::stats::BreakerState;
use crate::store::queue::{Added, Addition, Stamp};
use crate::store::{StoreError, StoreResult};
use crate::token::random_fraction;
#[cfg(cache_mutants)]
use crate::token::random_u64;

/// How long one attempt may take: a server that answers later than that may as well be asked again.
const ATTEMPT: Duration = Duration::from_secs(1);
/// Pauses between attempts, from and to.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// Why an item is not in the queue.
#[derive(Debug)]
enum Failure {
    Full,
    /// It is there, but too few replicas have it.
    Unreplicated,
    Missed(Missed),
}

/// The server has not said that it has the item.
#[derive(Debug)]
struct Missed {
    error: StoreError,
    /// It may have it all the same.
    in_doubt: bool,
}

impl Failure {
    /// The item certainly is not there.
    fn unavailable(error: StoreError) -> Self {
        Self::Missed(Missed { error, in_doubt: false })
    }

    /// It may be there.
    fn in_doubt(error: StoreError) -> Self {
        Self::Missed(Missed { error, in_doubt: true })
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// The item, if it is in the queue; none if it was delivered past it.
    pub(super) async fn push_by(
        &self,
        item: T,
        mut stamp: Stamp,
        waits: bool,
    ) -> Result<Option<T>, Error> {
        let definition = &self.definition;
        let cache = definition.cache();
        let shared = cache.queue(definition.site);
        let key = definition.key.map(|key| KeyText::into_string(key(&item, private::template())));
        let partition = shared.partition(key.as_deref());
        let entry = Entry { position: None, key: key.unwrap_or_default(), version: 0, item };
        let log = Log { cache, shared };
        if log.cache.store().is_none() {
            let entry = Entry { version: stamp.version(), ..entry };
            return self.deliver(&log, partition, entry).await.map(|()| None);
        }

        let codec = definition.site.options.codec.unwrap_or(log.cache.settings().codec);
        let payload = payload::encode(codec, &entry.item)
            .map_err(|_| Error::new(ErrorKind::Codec, "the item could not be encoded"))?;
        if payload.len() > log.cache.settings().max_value_bytes {
            let message = "the encoded item is larger than `max_value_bytes`";
            return Err(Error::new(ErrorKind::Codec, message));
        }
        if log.is_in_memory() {
            log.shared.warn_of_memory();
        }
        let counters = &log.shared.counters;
        match log.append(partition, &mut stamp, &entry.key, &payload, waits).await {
            Ok(()) => {
                count(&counters.pushed, 1);
                Ok(Some(entry.item))
            }
            Err(Failure::Full) => {
                count(&counters.full, 1);
                let message = format!("queue {:?} is full", definition.site.name);
                Err(Error::new(ErrorKind::Full, message))
            }
            Err(Failure::Unreplicated) => {
                count(&counters.failed, 1);
                let message = "the item is in the queue, but on too few replicas";
                Err(Error::new(ErrorKind::Unreplicated, message))
            }
            Err(Failure::Missed(missed)) => {
                self.past(&log, partition, stamp, entry, missed).await.map(|()| None)
            }
        }
    }

    /// Delivers an item past the queue, if that is wanted and does no harm.
    async fn past(
        &self,
        log: &Log,
        partition: u32,
        stamp: Stamp,
        entry: Entry<T>,
        Missed { error, in_doubt }: Missed,
    ) -> Result<(), Error> {
        let failed = |message: &str| {
            count(&log.shared.counters.failed, 1);
            let cause = Error::from(error.clone());
            let kind = if in_doubt { ErrorKind::InDoubt } else { cause.kind() };
            Err(Error::new(kind, format!("{cause}{message}")))
        };
        if !self.definition.site.options.direct {
            return failed(if in_doubt { "; the item may be in the queue" } else { "" });
        }
        // Twice the same value is one value; twice the same increment is two.
        if in_doubt && !matches!(self.definition.merge(), Merge::Last) {
            return failed("; the item may be in the queue, so it was not delivered past it");
        }
        if log.shared.sink::<T>().is_none() {
            return failed("; no worker of this queue in this process can deliver past it");
        }
        self.deliver(log, partition, Entry { version: stamp.version(), ..entry }).await
    }

    async fn deliver(&self, log: &Log, partition: u32, entry: Entry<T>) -> Result<(), Error> {
        let site = self.definition.site;
        let Some(sink) = log.shared.sink::<T>() else {
            let message = format!(
                "there is no queue {:?}, nor a worker in this process that could deliver past it",
                site.name
            );
            return Err(Error::new(ErrorKind::Unavailable, message));
        };
        let batch = Batch::new(site.name, partition, vec![entry], self.definition.merge());
        match log.cache.scope(sink.deliver(batch)).await {
            Ok(()) => {
                count(&log.shared.counters.direct, 1);
                Ok(())
            }
            Err(error) => {
                count(&log.shared.counters.failed, 1);
                let message = format!("the item could not be delivered directly: {error}");
                Err(Error::new(ErrorKind::Sink, message))
            }
        }
    }
}

impl Log {
    /// Appends an item: it is stored once, with this stamp or the later one that it is changed to.
    async fn append(
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
        let mut doubt = None;
        loop {
            let Others { oldest, given_up } = ticket.others();
            let addition = Addition { oldest, given_up: &given_up, stamp: *stamp, ..addition };
            #[cfg(cache_mutants)]
            let addition = if on(QueueMutant::ResendAnew) {
                Addition { number: (1 << 50) + random_u64() % (1 << 50), ..addition }
            } else {
                addition
            };
            let is_late = Instant::now() >= until;
            match self.attempt(lot, partition, addition, until).await {
                Ok((Added::New(_) | Added::Known, true)) => return Ok(()),
                Ok((Added::New(_) | Added::Known, false)) if is_late => {
                    return Err(Failure::Unreplicated);
                }
                // An attempt that was not answered may still get there, when there is room.
                Ok((Added::Full, _)) if !waits || is_late => {
                    #[cfg(cache_mutants)]
                    if on(QueueMutant::RefusedWithoutDoubt) {
                        return Err(Failure::Full);
                    }
                    return Err(doubt.map_or(Failure::Full, Failure::in_doubt));
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
                Err(StoreError::Down) if doubt.is_none() && !self.is_shed() => {
                    return Err(Failure::unavailable(StoreError::Down));
                }
                Err(error @ (StoreError::Refused(_) | StoreError::Redirected(_)))
                    if doubt.is_none() && !is_passing(&error) =>
                {
                    return Err(Failure::unavailable(error));
                }
                Err(error @ (StoreError::TimedOut | StoreError::Lost | StoreError::Unexpected)) => {
                    doubt = Some(error);
                }
                Ok((Added::New(_) | Added::Known | Added::Full, _))
                | Err(StoreError::Down | StoreError::Refused(_) | StoreError::Redirected(_)) => {}
            }
            if is_late {
                return Err(match doubt {
                    Some(error) => Failure::in_doubt(error),
                    None => Failure::unavailable(StoreError::Down),
                });
            }
            let left = until.saturating_duration_since(Instant::now());
            sleep(pause.mul_f64(0.5 + random_fraction() / 2.0).min(left)).await;
            pause = (pause * 2).min(longest_pause);
        }
    }

    /// One attempt, and whether enough replicas have the item.
    async fn attempt(
        &self,
        lot: &Lot,
        partition: u32,
        addition: Addition<'_>,
        until: Instant,
    ) -> StoreResult<(Added, bool)> {
        let now = Instant::now();
        let by = (now + ATTEMPT).min(until.max(now + ATTEMPT / 10));
        let replicas = self.shared.site.options.replicas;
        let Some(redis) = self.redis().filter(|_| replicas > 0) else {
            let added = self.push(partition, addition, by).await?;
            return Ok((observed(added), true));
        };
        // Nothing was sent yet.
        let line = lot.replicated(redis, by).await.map_err(|_| StoreError::Down)?;
        let pushed = line.push_replicated(&lot.lane, addition, replicas, by).await;
        if pushed.is_err() {
            lot.forget(&line).await;
        }
        pushed.map(|(added, have)| (observed(added), have >= replicas))
    }

    /// Whether calls are refused although the server is there: too many are under way.
    fn is_shed(&self) -> bool {
        self.redis().is_some_and(|redis| redis.snapshot().phase == BreakerState::Closed)
    }
}

/// Later stamps of this process are later than what was added.
fn observed(added: Added) -> Added {
    if let Added::New(us) = added {
        clock::observe(us);
    }
    added
}

/// The keys of the partition are on their way to another node of the cluster, or there: the next attempt asks where.
fn is_passing(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused(code) if code == "TRYAGAIN" || code == "MOVED")
}
