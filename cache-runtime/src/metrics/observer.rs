//! Code of the program that is told what happens in a cache.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;

use crate::metrics::{BreakerState, Ending, OutcomeKind, UncachedReason};
use crate::policy::Callsite;
use crate::support::log;
use crate::support::panic::guarded;

/// How many observations may wait for an observer.
const WAITING: usize = 8192;

/// Is told what happens in a cache; see [`CacheBuilder::observer`](crate::CacheBuilder::observer).
/// Closures that take an [`Observation`] are observers.
///
/// An observer cannot break or delay a call. It runs on a thread of its own, which begins with the
/// first observation and ends when the cache is dropped. Calls put their observations into a queue
/// with room for 8,192. If the observer is so slow that the queue is full, further ones are lost,
/// and it is told [how many](Observation::Lost). If it panics, the log says so, and it goes on with
/// the next observation.
///
/// ```
/// use std::sync::mpsc;
///
/// use cache_runtime::stats::{Observation, OutcomeKind};
/// use cache_runtime::{Cache, cached};
///
/// #[cached(key = "square:<n>", ttl = 60)]
/// async fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (loads, seen) = mpsc::channel();
/// let observer = move |observation| match observation {
///     Observation::Called { function, outcome: OutcomeKind::Loaded, .. } => {
///         _ = loads.send(function);
///     }
///     _ => {}
/// };
/// let cache = Cache::builder().observer(observer).in_memory()?;
/// cache.scope(square(4)).await;
/// assert!(seen.recv()?.ends_with("square"));
/// # Ok(()) }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Something has happened. Observations of one thread come in their order.
    fn observe(&self, observation: Observation);
}

impl<F: Fn(Observation) + Send + Sync + 'static> Observer for F {
    fn observe(&self, observation: Observation) {
        self(observation);
    }
}

/// Something that has happened in a cache. There is no key and no argument in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observation {
    /// A call of a cached function has ended, or one for an id of a batch.
    #[non_exhaustive]
    Called {
        /// The path of the function.
        function: &'static str,
        /// How the call ended.
        outcome: OutcomeKind,
        /// Why the body ran although the cache was to be used.
        uncached: Option<UncachedReason>,
    },
    /// An entry or a tag was to be invalidated, or all that match a pattern.
    #[non_exhaustive]
    Invalidated {
        /// Whether it was a pattern.
        is_pattern: bool,
        /// Whether the store has acknowledged it. Otherwise the journal sends it again, and its
        /// entries bypass the cache in this process until then.
        is_acknowledged: bool,
    },
    /// The circuit breaker of a server has changed its state.
    #[non_exhaustive]
    Breaker {
        /// The server, as `host:port` or the path of a socket.
        server: String,
        /// The state that it has now.
        state: BreakerState,
    },
    /// So many observations were lost, because the queue was full.
    Lost(u64),
}

/// An observer, and the queue in front of it. Clones are the same one.
#[derive(Clone)]
pub(crate) struct ObserverHandle(Arc<Inner>);

struct Inner {
    observer: Arc<dyn Observer>,
    lost: Arc<AtomicU64>,
    /// None if the thread could not be had.
    queue: OnceLock<Option<SyncSender<Observation>>>,
}

impl ObserverHandle {
    pub(crate) fn new(observer: impl Observer) -> Self {
        let lost = Arc::default();
        Self(Arc::new(Inner { observer: Arc::new(observer), lost, queue: OnceLock::new() }))
    }

    /// Calls that have ended in the same way.
    pub(super) fn called(&self, callsite: &'static Callsite, ending: Ending, calls: u64) {
        let Ending { kind: outcome, why: uncached, .. } = ending;
        for _ in 0..calls {
            self.send(Observation::Called { function: callsite.name(), outcome, uncached });
        }
    }

    pub(crate) fn send(&self, observation: Observation) {
        let Some(queue) = self.0.queue.get_or_init(|| self.0.start()) else { return };
        if queue.try_send(observation).is_err() {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Inner {
    fn start(&self) -> Option<SyncSender<Observation>> {
        let (sender, receiver) = sync_channel(WAITING);
        let (observer, lost) = (Arc::clone(&self.observer), Arc::clone(&self.lost));
        let thread = thread::Builder::new().name("cache-observer".to_owned());
        match thread.spawn(move || run(&receiver, &*observer, &lost)) {
            Ok(_) => Some(sender),
            Err(error) => {
                log::warn(format_args!("there is no thread for the observer of a cache: {error}"));
                None
            }
        }
    }
}

/// Ends when the cache is dropped.
fn run(queue: &Receiver<Observation>, observer: &dyn Observer, lost: &AtomicU64) {
    for observation in queue {
        observe(observer, observation);
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            observe(observer, Observation::Lost(lost));
        }
    }
}

fn observe(observer: &dyn Observer, observation: Observation) {
    if guarded(|| observer.observe(observation)).is_none() {
        log::warn(format_args!("the observer of a cache has panicked; it goes on"));
    }
}

impl fmt::Debug for ObserverHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObserverHandle")
    }
}
