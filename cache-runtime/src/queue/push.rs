//! Into the queue, or past it where there is none to be reached.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::append::{Failure, Missed};
use super::batch::{Batch, Entry, Merge};
use super::log::Log;
use super::stats::count;
use super::{Queue, payload};
use crate::error::{Error, ErrorKind};
use crate::key::KeyText;
use crate::private;
use crate::store::queue::Stamp;

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
            Err(Failure::Unreplicated(refusal)) => {
                count(&counters.failed, 1);
                let mut message = "the item is in the queue, but on too few replicas".to_owned();
                if let Some(refusal) = refusal {
                    message = format!("{message}, as far as is known: {}", Error::from(refusal));
                }
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
