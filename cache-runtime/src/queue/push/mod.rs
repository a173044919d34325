//! Into the queue, or past it where there is none to be reached.

pub(crate) mod batcher;
pub(crate) mod clock;
pub(crate) mod detour;
pub(crate) mod group;
pub(crate) mod many;
pub(crate) mod payload;
mod piece;
pub(crate) mod producer;
pub(crate) mod puts;
pub(crate) mod retry;
mod retry_many;

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::payload::Payload;
use crate::codec::{Schema, fidelity};
use crate::engine::Core;
use crate::engine::misuse::{self, Misuse};
use crate::error::{Error, ErrorKind};
use crate::key::KeyText;
use crate::metrics::queue::count;
use crate::policy::BY_HAND;
use crate::queue::Queue;
use crate::queue::failure::{Failure, Missed};
use crate::queue::partitions::Partitions;
use crate::queue::placement::Spot;
use crate::queue::shared::QueueState;
use crate::queue::sink::batch::BatchItem;
use crate::queue::sink::merge::Merge;
use crate::store::queue::PushTime;

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// The item, if it is in the queue; none if it was delivered past it.
    pub(super) async fn push_by(
        &self,
        item: T,
        mut stamp: PushTime,
        waits: bool,
    ) -> Result<Option<T>, Error> {
        let definition = &self.definition;
        let cache = definition.cache();
        let shared = QueueState::of(&cache, definition.site);
        let (mut spot, entry) = self.entry(&shared, item)?;
        let log = Partitions { cache, shared };
        if log.cache.store().is_none() {
            let entry = BatchItem { version: stamp.version(), ..entry };
            return self.deliver(&log, spot.partition, entry, None).await.map(|()| None);
        }

        let payload = self.encode(&log.cache, &entry.item)?;
        if log.is_in_memory() {
            log.shared.warn_of_memory();
        }
        match log.append(&mut spot, &mut stamp, &entry.key, &payload, waits).await {
            Ok(()) => {
                count(&log.shared.counters.pushed, 1);
                log.register_first();
                Ok(Some(entry.item))
            }
            Err(Failure::Missed(missed)) => {
                let partition = spot.partition;
                self.past(&log, partition, stamp, (entry, payload), missed).await.map(|()| None)
            }
            Err(failure) => Err(self.refusal(&log, failure)),
        }
    }

    /// An item as it is pushed, and where it goes.
    pub(super) fn entry(
        &self,
        shared: &QueueState,
        item: T,
    ) -> Result<(Spot, BatchItem<T>), Error> {
        let key = self.definition.key;
        let key = key.map(|key| KeyText::into_text(key(&item, KeyText::new(&BY_HAND)))).transpose();
        let key = key.map_err(|unhashable| {
            // Without its key the item could overtake others, or be overtaken.
            count(&shared.counters.failed, 1);
            Error::new(ErrorKind::Codec, format!("the item was not pushed: {unhashable}"))
        })?;
        let spot = shared.spot(key.as_deref());
        let key = key.unwrap_or_default();
        Ok((spot, BatchItem { position: None, key, version: 0, item }))
    }

    /// What a push says of a failure after which its item is not delivered otherwise.
    pub(super) fn refusal(&self, log: &Partitions, failure: Failure) -> Error {
        let counters = &log.shared.counters;
        let (counter, kind, message) = match failure {
            Failure::Full => {
                let message = format!("queue {:?} is full", self.definition.site.name);
                (&counters.full, ErrorKind::Full, message)
            }
            Failure::Unreplicated(refusal) => {
                let mut message = "the item is in the queue, but on too few replicas".to_owned();
                if let Some(refusal) = refusal {
                    message = format!("{message}, as far as is known: {}", Error::from(refusal));
                }
                (&counters.failed, ErrorKind::Unreplicated, message)
            }
            Failure::Untried => {
                let message =
                    "the item was not pushed, because one before it is on too few replicas";
                (&counters.failed, ErrorKind::Unavailable, message.to_owned())
            }
            Failure::Moved => {
                let message = "the item was not pushed, as its partition changes again and again";
                (&counters.failed, ErrorKind::Unavailable, message.to_owned())
            }
            Failure::Missed(Missed { error, in_doubt }) => {
                let cause = Error::from(error);
                let kind = if in_doubt { ErrorKind::InDoubt } else { cause.kind() };
                (&counters.failed, kind, cause.to_string())
            }
        };
        count(counter, 1);
        Error::new(kind, message)
    }

    /// The item as bytes, unless the sink would get another one.
    pub(super) fn encode(&self, cache: &Core, item: &T) -> Result<Vec<u8>, Error> {
        let site = self.definition.site;
        let (settings, options) = (cache.settings(), &site.options);
        let codec = options.codec.unwrap_or(settings.codec);
        let schema = Schema { codec, version: options.version };
        let Payload { bytes, item: start, encoded } = payload::encode(schema, item)
            .map_err(|_| Error::new(ErrorKind::Codec, "the item could not be encoded"))?;
        if bytes.len() > settings.max_value_bytes {
            let message = "the encoded item is larger than `max_value_bytes`";
            return Err(Error::new(ErrorKind::Codec, message));
        }
        if site.callsite.tries(encoded) {
            let payload = bytes.get(start..).unwrap_or_default();
            fidelity::compare(item, codec, payload, self.definition.equal).map_err(|difference| {
                site.callsite.trials().fail();
                let description = format_args!(
                    "an item was pushed that its sink would not get as it is: {difference}. It was \
                     refused. Let the type's `Serialize` and `Deserialize` agree, leave that part \
                     out of the item, or say `lossy_values` if what the sink gets will do"
                );
                misuse::report(cache, &site.callsite, Misuse::AlteredValue, description);
                let message = format!("the sink would get another item: {difference}");
                Error::new(ErrorKind::Altered, message)
            })?;
        }
        Ok(bytes)
    }

    /// Delivers an item past the queue, if that is wanted and does no harm.
    async fn past(
        &self,
        log: &Partitions,
        partition: u32,
        stamp: PushTime,
        (entry, payload): (BatchItem<T>, Vec<u8>),
        missed: Missed,
    ) -> Result<(), Error> {
        self.may_pass(log, &missed)?;
        let entry = BatchItem { version: stamp.version(), ..entry };
        self.deliver(log, partition, entry, Some(payload)).await
    }

    /// Whether an item that the server may not have is to be delivered past the queue.
    pub(super) fn may_pass(
        &self,
        log: &Partitions,
        Missed { error, in_doubt }: &Missed,
    ) -> Result<(), Error> {
        let failed = |message: &str| {
            count(&log.shared.counters.failed, 1);
            let error = log.cache.explained(error.clone());
            let kind = if *in_doubt { ErrorKind::InDoubt } else { error.kind() };
            let failed = Error::new(kind, format!("{error}{message}"));
            Err(match error.cause() {
                Some(cause) => failed.because(cause.clone()),
                None => failed,
            })
        };
        if !self.definition.site.options.direct {
            return failed(if *in_doubt { "; the item may be in the queue" } else { "" });
        }
        // Twice the same value is one value; twice the same increment is two.
        if *in_doubt && !matches!(self.definition.merge(), Merge::Last) {
            return failed("; the item may be in the queue, so it was not delivered past it");
        }
        if log.shared.sink::<T>().is_none() {
            return failed("; no worker of this queue in this process can deliver past it");
        }
        Ok(())
    }

    /// Delivers an item past the queue, together with others.
    pub(super) async fn deliver(
        &self,
        log: &Partitions,
        partition: u32,
        entry: BatchItem<T>,
        payload: Option<Vec<u8>>,
    ) -> Result<(), Error> {
        let site = self.definition.site;
        let Some(detour) = log.shared.sink::<T>() else {
            let message = format!(
                "there is no queue {:?}, nor a worker in this process that could deliver past it",
                site.name
            );
            return Err(Error::new(ErrorKind::Unavailable, message));
        };
        let (cache, merge) = (log.cache.clone(), self.definition.merge());
        match detour.deliver(cache, log.shared.site, partition, entry, payload, merge).await {
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
