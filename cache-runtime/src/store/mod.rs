//! Where entries live: in Redis, or in this process's memory. Stores know bytes and the protocol,
//! not value types or policies.
//!
//! A [request](protocol::request) is sent by [`Store::send`], and several of a kind by
//! [`Store::send_all`]. The embedded store executes it ([`memory`]); for Redis it is a command or a
//! script ([`redis`]), which the node gets that has the key.

mod coalesce;
mod digests;
pub(crate) mod embedded;
mod failover;
pub(crate) mod glob;
pub(crate) mod memory;
pub(crate) mod namespace;
pub(crate) mod protocol;
pub(crate) mod queue;
pub(crate) mod quiet;
pub(crate) mod redis;
pub(crate) mod sweeps;

use std::sync::Arc;

use tokio::sync::oneshot;

use self::coalesce::Coalescer;
pub(crate) use self::coalesce::Together;
pub(crate) use self::digests::Digests;
use self::embedded::Embedded;
pub use self::failover::Failover;
use self::memory::{Execute, MemoryStore};
pub(crate) use self::protocol::error::{StoreError, StoreResult};
pub(crate) use self::protocol::inspect::{Inspect, Inspected};
pub(crate) use self::protocol::reply::{Acquired, Ended, Stamped};
use self::protocol::request::Effect;
pub(crate) use self::protocol::request::{
    Acquire, Begin, CaptureStamp, End, Fill, Get, Invalidate, Keyed, MakeStale, Name, Now, Refresh,
    Release, Renew, kept,
};
use self::queue::redis::RedisQueue;
use self::queue::{QueueKeys, QueueStore};
use self::redis::RedisStore;
use self::redis::commands::Command;
use crate::metrics::EmbeddedStats;
use crate::support::budget::Deadline;

/// Keys in one piece of a request about many: as many as a server does in a millisecond or so,
/// since others wait behind them.
pub(crate) const PIECE: usize = 256;

/// A request that every store answers.
pub(crate) trait Operation: Execute + Command {}

impl<R: Execute + Command> Operation for R {}

/// A store of one kind or the other. Clones are the same store.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    place: Place,
    /// Holds back what is requested through this handle.
    coalescer: Option<Arc<Coalescer>>,
}

#[derive(Clone, Debug)]
enum Place {
    Embedded(Arc<dyn Embedded>),
    Redis(Arc<RedisStore>),
}

impl Store {
    /// An embedded store whose values take at most about `capacity` bytes.
    pub(crate) fn in_memory(capacity: usize) -> Self {
        Self::embedded(Arc::new(MemoryStore::new(capacity)))
    }

    /// An embedded store at the end of a way.
    pub(crate) fn embedded(store: Arc<dyn Embedded>) -> Self {
        Self { place: Place::Embedded(store), coalescer: None }
    }

    /// What the embedded store holds.
    pub(crate) fn embedded_stats(&self) -> Option<EmbeddedStats> {
        match &self.place {
            Place::Embedded(store) => store.here().map(MemoryStore::stats),
            Place::Redis(_) => None,
        }
    }

    /// A handle to the same store for [futures that use it together](Together).
    pub(crate) fn coalescing(&self) -> Self {
        Self { place: self.place.clone(), coalescer: Some(Arc::default()) }
    }

    /// Sends a request.
    pub(crate) async fn send<R: Operation>(
        &self,
        name: Name<'_>,
        mut request: R,
        by: Deadline,
    ) -> StoreResult<R::Reply> {
        if let Some(coalescer) = &self.coalescer {
            match coalescer.hold(name, request, by) {
                Ok(answer) => return answer.await,
                Err(sent_at_once) => request = sent_at_once,
            }
        }
        match &self.place {
            Place::Redis(store) => store.router.send(Keyed { name, request }, by).await,
            Place::Embedded(store) => {
                if let Some(store) = store.here() {
                    return Ok(request.execute(store, name));
                }
                if R::EFFECT == Effect::Writes {
                    store.hasten();
                }
                send_far(&**store, Keyed { name, request }, by).await
            }
        }
    }

    /// Sends many requests: in one round trip for all of them, or for each [piece](PIECE) of them.
    /// There is one result per request, in order; a failure for one key does not affect the others.
    ///
    /// The deadline is that of the first piece, and each of the others has as much time: it bounds
    /// the wait for an answer, and it is not the number of keys that makes a request time out. Once
    /// a piece has not been answered, the rest is not sent. A fence is sent only as long as the
    /// first of them certainly stands.
    pub(crate) async fn send_all<R: Operation>(
        &self,
        mut requests: Vec<Keyed<'_, R>>,
        by: Deadline,
    ) -> Vec<StoreResult<R::Reply>> {
        if let Some(coalescer) = &self.coalescer {
            match coalescer.hold_all(requests, by) {
                Ok(answers) => return coalesce::all(answers).await,
                Err(sent_at_once) => requests = sent_at_once,
            }
        }
        match &self.place {
            Place::Redis(store) => store.router.send_all(requests, by).await,
            Place::Embedded(store) => {
                if let Some(store) = store.here() {
                    let execute = |it: Keyed<'_, R>| Ok(it.request.execute(store, it.name));
                    return requests.into_iter().map(execute).collect();
                }
                if R::EFFECT == Effect::Writes {
                    store.hasten();
                }
                let mut results = Vec::with_capacity(requests.len());
                for request in requests {
                    results.push(send_far(&**store, request, by).await);
                }
                results
            }
        }
    }

    /// Sends the same request about many keys.
    pub(crate) async fn send_each<R: Operation + Clone>(
        &self,
        names: &[Name<'_>],
        request: R,
        by: Deadline,
    ) -> Vec<StoreResult<R::Reply>> {
        self.send_all(Keyed::each(names, &request), by).await
    }

    /// The store itself, if it is in this process and nothing lies between.
    pub(crate) fn here(&self) -> Option<&MemoryStore> {
        match &self.place {
            Place::Embedded(store) => store.here(),
            Place::Redis(_) => None,
        }
    }

    /// The store in Redis, if it is one.
    pub(crate) fn redis(&self) -> Option<&Arc<RedisStore>> {
        match &self.place {
            Place::Redis(store) => Some(store),
            Place::Embedded(_) => None,
        }
    }

    /// One of its queues.
    pub(crate) fn queue(&self, keys: QueueKeys) -> QueueStore {
        match &self.place {
            Place::Redis(store) => QueueStore::Redis(RedisQueue::new(Arc::clone(store), keys)),
            Place::Embedded(store) => QueueStore::Embedded(store.queue()),
        }
    }

    /// The length of the longest record that is stored.
    pub(crate) fn longest_record(&self) -> usize {
        self.here().map_or(usize::MAX, MemoryStore::longest_record)
    }

    /// Waits until the connection has been lost or established.
    pub(crate) async fn changed(&self) {
        match &self.place {
            Place::Redis(store) => _ = store.changed(store.snapshot()).await,
            Place::Embedded(store) => store.changed().await,
        }
    }
}

impl From<RedisStore> for Store {
    fn from(store: RedisStore) -> Self {
        Self { place: Place::Redis(Arc::new(store)), coalescer: None }
    }
}

/// Sends a request to an embedded store at the end of a way.
async fn send_far<R: Operation>(
    store: &dyn Embedded,
    Keyed { name, mut request }: Keyed<'_, R>,
    by: Deadline,
) -> StoreResult<R::Reply> {
    if R::EFFECT != Effect::Reads && store.is_quiet() {
        if let Some(reply) = request.while_quiet() {
            return Ok(reply);
        }
        request.withhold();
    }
    let text = name.text.to_owned();
    let execute = move |store: &MemoryStore| request.execute(store, Name::new(&text));
    work_far(store, R::EFFECT, by, execute).await
}

/// Has something done with an embedded store at the end of a way.
async fn work_far<T: Send + 'static>(
    store: &dyn Embedded,
    effect: Effect,
    by: Deadline,
    work: impl FnOnce(&MemoryStore) -> T + Send + 'static,
) -> StoreResult<T> {
    let (given, mut taken) = oneshot::channel();
    store.send(effect, by, Box::new(move |store| _ = given.send(work(store)))).await?;
    taken.try_recv().map_err(|_| StoreError::Unexpected)
}
