//! What all handles of one queue have in common, in one cache.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::Core;
use crate::engine::misuse::{self, Misuse};
use crate::key::Key;
use crate::metrics::queue::QueueCounters;
use crate::policy::QueueSite;
use crate::queue::admin::gauge::Gauge;
use crate::queue::placement::{LocalLayout, Spot};
use crate::queue::push::detour::Detour;
use crate::queue::push::group::Group;
use crate::queue::push::producer::Producer;
use crate::queue::sink::Sink;
use crate::queue::worker::report::Report;
use crate::store::StoreResult;
use crate::store::queue::redis::{Line, RedisQueue};
use crate::store::queue::{Lane, Layout, QueueKeys, QueueStore};
use crate::support::budget::Deadline;
use crate::support::log;
use crate::support::random::random_u64;

/// One queue of one cache.
pub(crate) struct QueueState {
    pub(super) site: &'static QueueSite,
    /// Its name, which may be a former one of the site's.
    pub(super) queue: &'static str,
    pub(super) counters: QueueCounters,
    pub(super) gauge: Gauge,
    pub(super) report: Report,
    pub(crate) store: QueueStore,
    /// By partition, as they are used.
    producers: Mutex<HashMap<u32, Arc<PartitionProducer>>>,
    /// Under it the server knows the numbers of the producers: another cache of this process
    /// counts for itself.
    producer_name: String,
    pub(super) layout: LocalLayout,
    keys: QueueKeys,
    next: AtomicU32,
    sinks: Mutex<Vec<(u64, Arc<dyn Any + Send + Sync>)>>,
    warned: AtomicBool,
    /// It was made known that there is this queue.
    pub(super) is_registered: AtomicBool,
    has_blocked: AtomicBool,
}

/// What the pushes of this process to one partition share.
#[derive(Debug)]
pub(super) struct PartitionProducer {
    pub(super) lane: Lane,
    pub(super) numbers: Producer,
    /// Key of what the server knows of the producer.
    pub(super) key: String,
    pub(super) group: Group,
    /// Pushes wait on it for replicas, so that others need not.
    line: tokio::sync::Mutex<Option<Arc<Line>>>,
}

impl PartitionProducer {
    /// A connection on which to wait for replicas.
    pub(super) async fn replicated(
        &self,
        redis: &RedisQueue,
        by: Deadline,
    ) -> StoreResult<Arc<Line>> {
        let mut line = self.line.lock().await;
        if let Some(line) = line.as_ref().filter(|line| !line.is_of_the_past()) {
            return Ok(Arc::clone(line));
        }
        let opened = Arc::new(redis.line(&self.lane, by).await?);
        *line = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// A connection has failed.
    pub(super) async fn forget(&self, failed: &Arc<Line>) {
        let mut line = self.line.lock().await;
        if line.as_ref().is_some_and(|line| Arc::ptr_eq(line, failed)) {
            *line = None;
        }
    }
}

impl QueueState {
    /// Reports a misuse if another sink has used the queue before.
    pub(crate) fn used_by(&self, site: &'static QueueSite, cache: &Core) {
        let (first, here) = (&self.site.callsite, &site.callsite);
        if std::ptr::eq(self.site, site) || first.source().is_compiled_again(&here.source()) {
            return;
        }
        let description = format_args!(
            "its queue `{}` ({}) is that of `{}` ({}), too, so each sink gets only some of the \
             items: give one of them a queue of another name",
            site.name,
            here.location(),
            first.name(),
            first.location(),
        );
        misuse::report(cache, here, Misuse::SharedQueue, description);
    }

    pub(super) fn new(cache: &Core, queue: &'static str, site: &'static QueueSite) -> Self {
        let keys = QueueKeys::new(cache.settings().namespace.prefix(), &in_keys(queue));
        Self {
            site,
            queue,
            counters: QueueCounters::default(),
            gauge: Gauge::default(),
            report: Report::default(),
            store: QueueStore::new(cache.store(), keys.clone()),
            keys,
            producers: Mutex::default(),
            producer_name: format!("{:016x}", random_u64()),
            layout: LocalLayout::new(site.options.partitions),
            next: AtomicU32::new(0),
            sinks: Mutex::default(),
            warned: AtomicBool::new(false),
            is_registered: AtomicBool::new(false),
            has_blocked: AtomicBool::new(false),
        }
    }

    /// Where an item of a key goes; without one anywhere, in turn.
    pub(super) fn spot(&self, key: Option<&str>) -> Spot {
        self.spot_by(self.layout.current(), key)
    }

    /// The same by a layout.
    pub(super) fn spot_by(&self, layout: Layout, key: Option<&str>) -> Spot {
        let Layout { epoch, us, .. } = layout;
        let spread = layout.spread.max(1);
        let partition = match key {
            // Not to be changed: it would take the items of a key out of their order.
            Some(key) => {
                let hash = xxhash_rust::xxh3::xxh3_64(key.as_bytes());
                u32::try_from(hash % u64::from(spread)).unwrap_or_default()
            }
            None => self.next.fetch_add(1, Ordering::Relaxed) % spread,
        };
        Spot { partition, epoch, spread, us, is_keyed: key.is_some() }
    }

    /// What pushes to a partition share.
    pub(super) fn producer_for(&self, partition: u32) -> Arc<PartitionProducer> {
        let mut producers = lock(&self.producers);
        let producer = producers.entry(partition).or_insert_with(|| {
            let lane = self.keys.lane(partition);
            Arc::new(PartitionProducer {
                numbers: Producer::default(),
                key: lane.producer(&self.producer_name),
                lane,
                group: Group::default(),
                line: tokio::sync::Mutex::default(),
            })
        });
        Arc::clone(producer)
    }

    /// Makes a sink available to pushes, until the number is [withdrawn](Self::withdraw).
    pub(super) fn offer<T>(&self, sink: &Sink<T>) -> u64
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        lock(&self.sinks).push((number, Arc::new(Detour::new(sink.clone()))));
        number
    }

    pub(super) fn withdraw(&self, number: u64) {
        lock(&self.sinks).retain(|(other, _)| *other != number);
    }

    /// The sink of a worker that was made in this process.
    pub(super) fn sink<T: Send + 'static>(&self) -> Option<Arc<Detour<T>>> {
        lock(&self.sinks).iter().find_map(|(_, sink)| Arc::clone(sink).downcast().ok())
    }

    /// Whether a sink blocks its thread for the first time.
    pub(super) fn is_first_block(&self) -> bool {
        !self.has_blocked.swap(true, Ordering::Relaxed)
    }

    /// Says once that the queue is not durable.
    pub(super) fn warn_of_memory(&self) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            log::warn(format_args!(
                "queue {:?} is kept in this process's memory: what its worker has not delivered \
                    when the process ends is lost",
                self.queue
            ));
        }
    }
}

impl fmt::Debug for QueueState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("QueueState").field(&self.queue).finish()
    }
}

/// A queue's name as it stands in keys: braces in it would move their hash tag.
pub(super) fn in_keys(queue: &str) -> String {
    Key::<()>::builder().part(queue).done().as_str().to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
