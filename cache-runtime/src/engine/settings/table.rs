//! The settings of a cache: each is one row, with what it means, what applies without it, and how
//! the builder's method of its name makes it of an argument.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::codec::Codec;
use crate::metrics::{Observer, ObserverHandle};
use crate::store::Failover;
use crate::store::namespace::Namespace;
use crate::support::secret::Secret;
use crate::support::span::capped;

/// Builds a [`Cache`](crate::Cache); made by [`Cache::builder`](crate::Cache::builder).
///
/// A setting with which nothing could be cached is an error of [`connect`](Self::connect) and
/// [`in_memory`](Self::in_memory). A duration of more than thirty years counts as thirty years, so
/// `Duration::MAX` is a way to say "without end".
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::{Cache, ErrorKind};
///
/// # fn main() -> Result<(), cache_runtime::Error> {
/// let settings = Cache::builder()
///     .namespace("shop")
///     .budget(Duration::from_millis(50))
///     .fence(Duration::from_secs(30));
/// let cache = settings.clone().connect("redis://127.0.0.1")?; // connects on first use
///
/// // Mistakes that can be found without a server are reported immediately.
/// let error = settings.connect("127.0.0.1").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config);
/// # _ = cache; Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `connect` or `in_memory`"]
pub struct CacheBuilder {
    settings: Settings,
}

impl CacheBuilder {
    pub(crate) fn settings(self) -> Settings {
        self.settings
    }
}

macro_rules! settings {
    ($(
        $(#[$meta:meta])*
        $name:ident: $ty:ty = $default:expr, ($argument:ident: $given:ty) => $value:expr;
    )+) => {
        /// The settings shared by all calls of a cache; what they mean is said at the methods of
        /// [`CacheBuilder`].
        #[derive(Clone, Debug)]
        pub(crate) struct Settings {
            $(pub(crate) $name: $ty,)+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl CacheBuilder {
            $(
                $(#[$meta])*
                pub fn $name(mut self, $argument: $given) -> Self {
                    self.settings.$name = $value;
                    self
                }
            )+
        }
    };
}

settings! {
    /// The namespace of all keys of this cache: in the namespace `shop`, the key `user:7` is
    /// `@shop:user:7` in the store. Empty by default, and then it is `user:7`. Caches that share a
    /// server need different namespaces.
    ///
    /// No cache reaches the keys of another namespace, with or without one of its own, by whatever
    /// key or pattern: `shop:v2` is not inside `shop` (its keys begin with `@shop%3Av2:`), and a
    /// key of a cache without a namespace that begins with `@` is stored with `@:` in front.
    ///
    /// May contain letters, digits, `.`, `-`, `_`, `:` and other characters without a meaning in
    /// patterns or keys.
    namespace: Namespace = Namespace::default(),
        (namespace: impl Into<String>) => Namespace::new(namespace.into());

    /// The password for the server, where the URL has none. It needs no escape, and it stands in no
    /// URL, which a program's arguments or its log may show. A user is still named in the URL, as
    /// in `redis://ada:@host`. None by default, and as good as none if it is empty.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # fn main() -> Result<(), cache_runtime::Error> {
    /// let password = std::env::var("REDIS_PASSWORD").unwrap_or_default();
    /// let cache = Cache::builder().password(password).connect("redis://127.0.0.1")?;
    /// # _ = cache; Ok(()) }
    /// ```
    password: Secret = Secret::default(),
        (password: impl Into<String>) => Secret::new(password.into());

    /// How long the store may delay a call, all its commands together, before the call continues
    /// without it: 100 ms by default. Neither the load nor the time spent waiting for another
    /// caller's load counts. A function overrides it with `budget = "..."`.
    ///
    /// A write has this long once before its body and once after it; where it invalidates more than
    /// 256 entries, this long for each 256 of them, as long as the server answers. So has a batch
    /// of more than 256 ids, for finding, asking for and storing each 256 of them: it is a bound of
    /// the wait for an answer, and not of how much is asked for.
    ///
    /// At least a millisecond. A server that takes longer than half of it to answer a `PING` (but
    /// at least 50 ms and at most 5 s) counts as not answering.
    budget: Duration = Duration::from_millis(100), (budget: Duration) => capped(budget);

    /// How long a caller waits for another caller's load before it runs the body itself: 5 s by
    /// default; with zero it does not wait. A function overrides it with `lock(wait = "...")`.
    wait: Duration = Duration::from_secs(5), (wait: Duration) => capped(wait);

    /// How long a crashed loader keeps others from loading: 3 s by default. The lease of a live
    /// loader is renewed, however long it loads. At least a millisecond. A function overrides it
    /// with `lock(lease = "...")`.
    lease: Duration = Duration::from_secs(3), (lease: Duration) => capped(lease);

    /// How long a key stays uncached after its writer crashed, or was dropped or panicked: 10 s by
    /// default. To leave nothing stale, it must exceed the time that the database takes to end the
    /// transaction of a client that is gone. It may finish the statement that it is at, and commit,
    /// so give it a limit (such as PostgreSQL's `statement_timeout`) that is shorter. The fence of
    /// a live writer is renewed. At least a millisecond.
    ///
    /// It is also the time after which the entries of a failed write are invalidated again, in case
    /// its error hid a commit.
    fence: Duration = Duration::from_secs(10), (fence: Duration) => capped(fence);

    /// How values are encoded unless a function specifies a codec: JSON by default.
    codec: Codec = Codec::Json, (codec: Codec) => codec;

    /// The size limit of an encoded value, in bytes, for storing it and for reading it back: 8 MiB
    /// by default, and at least 1. Larger ones are counted
    /// ([`fills_oversized`](crate::stats::FunctionStats::fills_oversized) and
    /// [`Misses::oversized`](crate::stats::Misses::oversized)), and the log names each function
    /// that has them, once.
    ///
    /// Values above 1 MiB have a connection to Redis of their own, which is made when it is first
    /// needed: other calls do not wait behind them, and how long they take does not decide whether
    /// the server counts as down. The caller waits for them for as long as its
    /// [`budget`](Self::budget) lasts, like for any other, so choose one that is long enough for
    /// values of the size that you allow; one that was on its way is stored nevertheless.
    max_value_bytes: usize = 8 << 20, (bytes: usize) => bytes;

    /// How many commands this process has in flight to a server at once: 4,096 by default, and at
    /// least 1. In a cluster this is the bound for each primary; the embedded store has none.
    ///
    /// A server executes one command after the other, so more of them at once would not be answered
    /// sooner. Calls beyond the bound wait in line, first come, first served, for as long as their
    /// [`budget`](Self::budget) lasts, and those that wait to read the same key read it once for
    /// all of them. A call whose budget ends there continues without the store, which is counted
    /// ([`store_saturated`](crate::stats::FunctionStats::store_saturated)) and, when it begins and
    /// ends, logged; it is not taken for a failure of the server.
    ///
    /// ```
    /// # fn main() -> Result<(), cache_runtime::Error> {
    /// use cache_runtime::Cache;
    ///
    /// let cache = Cache::builder().max_in_flight(20_000).connect("redis://127.0.0.1")?;
    /// # _ = cache; Ok(()) }
    /// ```
    max_in_flight: usize = 4096, (commands: usize) => commands;

    /// How many bodies, of all functions together, run at once in this process: unlimited by
    /// default, and at least 1. A limit of what the origin can handle, divided by the number of
    /// processes, keeps it alive when the store is lost and every call becomes a load. Further
    /// calls wait in line; those of functions with `shed_after` are refused after that time.
    max_concurrent_loads: Option<usize> = None,
        (loads: usize) => Some(loads.min(Semaphore::MAX_PERMITS));

    /// How many stale entries this process refreshes at once: 64 by default. While that many
    /// refreshes are running, further stale entries are served without one. With 0, none is
    /// refreshed in the background. A refresh is a load like any other, and also counts towards
    /// [`max_concurrent_loads`](Self::max_concurrent_loads).
    max_background_refreshes: usize = 64, (refreshes: usize) => refreshes;

    /// How long [`Cache::shutdown`](crate::Cache::shutdown) waits for background work, and a
    /// [`Worker`](crate::Worker) that is to end for a call of its sink to end: 15 s by default,
    /// somewhat longer than a [`fence`](Self::fence).
    shutdown_limit: Duration = Duration::from_secs(15), (limit: Duration) => capped(limit);

    /// How far a newly promoted primary is trusted: [`Failover::Replay`] by default.
    failover: Failover = Failover::default(), (failover: Failover) => failover;

    /// The name of this program's connections in the server's `CLIENT LIST`: `cache` by default.
    /// With a name of its own, such as `shop-api`, an operator can tell whose connections these
    /// are, and which to close.
    ///
    /// May contain letters, digits and punctuation of ASCII, since Redis takes nothing else. A
    /// server that forbids `CLIENT SETNAME` is used without a name.
    client_name: String = "cache".to_owned(), (name: impl Into<String>) => name.into();

    /// Code that is told how each call of a cached function ends, which invalidations were
    /// acknowledged, and when the circuit breaker changes its state. It runs on a thread of its
    /// own, so it can neither break nor delay a call; [`Observer`] has an example, and says what
    /// happens if it panics or is slow. None by default.
    observer: Option<ObserverHandle> = None,
        (observer: impl Observer) => Some(ObserverHandle::new(observer));

    /// Whether the span of a call shows its key, for subscribers of `tracing` that ask for the
    /// level TRACE. By default they see a hash of it, as keys may tell who somebody is. Needs the
    /// feature `tracing`.
    trace_keys: bool = false, (shown: bool) => shown;

    /// How old a connection to a server may become before another one takes its place: unlimited by
    /// default, and at least a second. The next one is made first, so no call waits for it, and
    /// none is lost. Up to a tenth of the time is left off at random, so that many processes do not
    /// connect at once.
    ///
    /// The host's name is resolved anew for each connection. So this is for servers whose name
    /// comes to mean another address while the old one still answers, and for load balancers that
    /// prefer short connections. A connection that is lost, or whose server does not answer, is
    /// replaced at once in any case.
    max_connection_age: Option<Duration> = None, (age: Duration) => Some(capped(age));

    /// The runtime on which the tasks of connections run: those that make them, and those that move
    /// commands and replies between the callers and the sockets. It has to live for as long as the
    /// cache is used.
    ///
    /// By default it is the runtime of the first caller, where a command takes the shortest way. If
    /// user code blocks the threads of that runtime (in one that has a single thread, any call that
    /// does not return), nothing is sent for the callers on other runtimes of the program either:
    /// each waits for its budget, until after about a second one of them makes a connection of its
    /// own. Where that is to be expected, and cannot be moved to `spawn_blocking`, give the
    /// connections a runtime that runs nothing else. Each command then wakes another thread.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let connections = tokio::runtime::Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .thread_name("cache")
    ///     .enable_all()
    ///     .build()?;
    /// let cache = Cache::builder()
    ///     .connections_on(connections.handle())
    ///     .connect("redis://127.0.0.1")?;
    /// # _ = cache; Ok(()) }
    /// ```
    connections_on: Option<Handle> = None, (runtime: &Handle) => Some(runtime.clone());

    /// Whether a mistake in the use of the library that only a running program shows makes the call
    /// panic: no cache is installed, a value cannot be a part of a key or would come back from the
    /// cache as another one, two functions make the same key by accident, a function shares the
    /// entries of another with a `codec`, a `version` or tags of its own, two sinks have the same
    /// queue, an attribute uses another cache than the function whose entries it names, or a value
    /// is to be stored under a key made by hand that has no time to live. For tests. Otherwise such
    /// a mistake is counted ([`FunctionStats::misuses`](crate::stats::FunctionStats::misuses)) and
    /// described in the log, once per function and kind.
    ///
    /// By default the environment variable `CACHE_RUNTIME_MISUSE` decides, which is read once: with
    /// `panic` such calls panic, with `log`, or if it is not set, they do not.
    panic_on_misuse: Option<bool> = None, (panic: bool) => Some(panic);

    /// How much memory the entries of the embedded store take before it evicts values, in bytes: 64
    /// MiB by default, and at least 16 KiB.
    ///
    /// What an entry takes is its key, its record, and its share of the tables that hold it: a
    /// number under a short key takes some 400 bytes. A value larger than half of this is not
    /// stored, and counts in
    /// [`fills_oversized`](crate::stats::FunctionStats::fills_oversized). What keeps outdated
    /// values from being stored (leases, fences, and the tombstones of `hold_off`) is never
    /// evicted: values make room for it.
    capacity: usize = 64 << 20, (bytes: usize) => bytes;

    /// Whether the cache measures, besides counting: how long calls, loads and round trips take,
    /// and how large values are. Yes by default. It costs a hit some tens of nanoseconds, and some
    /// 12 KB of memory for each function and each server; without it, histograms are empty.
    histograms: bool = true, (measures: bool) => measures;

    /// How often this process looks how much the queues that it uses hold, so that
    /// [`Cache::stats`](crate::Cache::stats) and every export tell it without waiting for the
    /// server: every 5 s by default, and at most a hundred times a second. Each look costs the
    /// server a command for each partition. Queues of the embedded store are looked at when they
    /// are asked about.
    measure_queues: Duration = Duration::from_secs(5),
        (every: Duration) => capped(every.max(Duration::from_millis(10)));
}
