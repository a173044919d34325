//! Delivers the items that were pushed.

mod backoff;
mod delivery;
pub(crate) mod invalidate;
mod keeper;
mod membership;
mod partition;
mod refusals;
pub(crate) mod report;

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::delivery::Task;
use self::membership::Member;
use crate::queue::partitions::Partitions;
use crate::queue::shared::QueueState;
use crate::queue::sink::{Item, Sink, SinkResult};
use crate::queue::{Batch, Queue};
use crate::support::shutdown_signal::{self, Stop, Stopped};

/// Passes the items of a queue to its sink, in batches; returned by the companion of a
/// `#[write_behind]` function.
///
/// Any number of workers, in any processes, share the partitions of a queue. Each has its fair
/// share of them, each partition has one owner at a time, and partitions move when a worker joins
/// or leaves. A worker uses the cache that is current when it is created, and its sink runs in that
/// cache's scope. As long as the worker exists, running or not, pushes in its process that find
/// Redis unavailable go directly to its sink.
#[must_use = "a worker does nothing until it is run"]
pub struct Worker {
    queue: &'static str,
    stop: Stop,
    stopped: Stopped,
    engine: Engine,
    /// What delivers the items of a queue of another name to the same sink.
    former: Box<dyn Fn(&'static str, Stopped) -> Engine + Send + Sync>,
}

type Engine = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A sink that pushes can use, while this exists.
struct Offer {
    shared: Arc<QueueState>,
    number: u64,
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.shared.withdraw(self.number);
    }
}

/// A worker of a queue: `sink` gets a clone of `environment` with every batch.
pub fn worker<T, E, F, D>(queue: Queue<T>, environment: E, sink: F) -> Worker
where
    T: Item + Send + 'static,
    E: Clone + Send + Sync + 'static,
    F: Fn(E, Batch<T>) -> D + Send + Sync + 'static,
    D: Future<Output: SinkResult> + Send + 'static,
{
    let Queue { definition } = queue;
    let site = definition.site;
    let sink = Sink::new(environment, sink);
    let cache = definition.cache();
    let shared = QueueState::of(&cache, site);
    let offer = Offer { number: shared.offer(&sink), shared: Arc::clone(&shared) };
    let log = Partitions { cache, shared };
    let (stop, stopped) = shutdown_signal::stop();
    let former = Box::new({
        let (cache, definition, sink) = (log.cache.clone(), definition.clone(), sink.clone());
        move |queue, stopped| -> Engine {
            let log = Partitions {
                shared: QueueState::former(&cache, queue, site),
                cache: cache.clone(),
            };
            let task = Task::new(definition.clone(), sink.clone());
            Box::pin(deliver(log, task, stopped))
        }
    });
    let told = stopped.clone();
    let engine = Box::pin(async move {
        let _offer = offer;
        deliver(log, Task::new(definition, sink), told).await;
    });
    Worker { queue: site.name, stop, stopped, engine, former }
}

async fn deliver<T>(log: Partitions, task: Task<T>, mut stop: Stopped)
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    if log.cache.store().is_none() {
        // Pushes go to the sink directly.
        stop.sent().await;
        return;
    }
    if log.is_in_memory() {
        log.shared.warn_of_memory();
    }
    Member::new(log, Arc::new(task)).run(stop).await;
}

impl Worker {
    /// Delivers also what is left in a queue of this name, to the same sink: that of the function
    /// before its queue was renamed. Its items are read as those of this function, in as many
    /// partitions as that queue has; workers of an older release that still deliver it share them.
    /// [`Batch::queue`] is the former name, so that stored positions still hold.
    ///
    /// Between items of the two queues there is no order, also if they have one key: a guard by
    /// version lets the newer one win. Where that is not enough, let the old queue run empty before
    /// anything is pushed to the new one. Once [`Cache::queues`](crate::Cache::queues) shows that
    /// it is empty and nobody pushes to it any more, this can go.
    ///
    /// ```
    /// # use cache_runtime::Worker;
    /// # async fn run(save_logins_worker: impl Fn() -> Worker, stop: impl Future<Output = ()>) {
    /// // `#[write_behind(queue = "sign-ins")]`, and `queue = "logins"` in the release before:
    /// save_logins_worker().formerly("logins").run(stop).await;
    /// # }
    /// ```
    pub fn formerly(self, queue: &'static str) -> Self {
        if queue == self.queue {
            return self;
        }
        let (engine, former) = (self.engine, (self.former)(queue, self.stopped.clone()));
        let engine = Box::pin(async move { _ = tokio::join!(engine, former) });
        Self { engine, ..self }
    }

    /// Delivers items until `shutdown` completes; then finishes the batches that it has started,
    /// and leaves the rest to other workers. A queue in this process's memory is emptied first,
    /// because there are no other workers. If no call of the sink ends for the length of
    /// [`shutdown_limit`](crate::CacheBuilder::shutdown_limit), 15 s by default, it ends
    /// nevertheless; the log then says how many items the sink still had. They are delivered again.
    ///
    /// It never ends by itself and never fails: it survives restarts and failovers of Redis, and
    /// waits while Redis is unavailable. A batch that the sink refuses is retried after growing
    /// pauses, then in halves, until the failing items are isolated; those become [dead
    /// letters](Queue::dead_letters) if the sink takes others meanwhile.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, nothing is lost: the next owner delivers again what this worker
    /// had read, at once or when a lease of a few seconds ends. The future of the sink may also be
    /// dropped in the middle of a batch, if the lease is lost meanwhile.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { stop, mut engine, .. } = self;
        {
            let mut shutdown = pin!(shutdown);
            tokio::select! {
                biased;
                () = engine.as_mut() => return,
                () = shutdown.as_mut() => stop.send(),
            }
        }
        engine.await;
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Worker").field(&self.queue).finish()
    }
}
