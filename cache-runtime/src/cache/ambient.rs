//! Which cache a function uses if it names none.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use tokio::task::futures::TaskLocalFuture;

use super::environment::Switch;
use super::{Cache, Inner};
use crate::callsite::Callsite;
use crate::misuse::{self, Misuse};

tokio::task_local! {
    static SCOPED: Cache;
}

static INSTALLED: ArcSwapOption<Inner> = ArcSwapOption::const_empty();

/// Whether the program has said that the fallback is a mistake.
static REQUIRED: AtomicBool = AtomicBool::new(false);

/// The fallback while nothing is installed.
static EMBEDDED: LazyLock<Cache> = LazyLock::new(Cache::in_memory);

/// Caches nothing: where caching is switched off, and where the fallback is not to be used.
static UNCACHED: LazyLock<Cache> = LazyLock::new(Cache::disabled);

impl Cache {
    /// Makes this the cache of all functions that name no cache and run in no [`scope`](Self::scope). A later call
    /// replaces it.
    pub fn install(&self) {
        INSTALLED.store(Some(self.inner.clone()));
    }

    /// From now on a call that finds no cache, neither named, nor in its task, nor installed, is a mistake: it runs its
    /// body uncached instead of using the memory of this process. The mistake is counted, described in the log once per
    /// function, and a panic if the environment variable `CACHE_RUNTIME_MISUSE` is `panic`. A push into a queue fails,
    /// or is delivered directly.
    ///
    /// Call it at start-up, in a program that always has a cache, so that a task that has lost its scope is not served
    /// entries that other processes have invalidated. It does not matter whether a cache is installed before or after.
    /// In tests the environment variable `CACHE_RUNTIME=require` is stricter: such a call panics. See
    /// [`tests_and_servers`](mod@crate::tests_and_servers).
    pub fn require_installed() {
        REQUIRED.store(true, Ordering::Relaxed);
    }

    /// The cache that a function would use here if it names none: that of the current task, else the installed one, else
    /// the one in this process's memory. Use it to pass the scope of a task on to another one:
    ///
    /// ```
    /// # use cache_runtime::{Cache, cached};
    /// # #[cached(key = "answer", ttl = "1h")] async fn answer() -> u8 { 42 }
    /// async fn handler() {
    ///     tokio::spawn(Cache::current().scope(async {
    ///         answer().await;
    ///     }));
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() { Cache::in_memory().scope(handler()).await; }
    /// ```
    #[must_use]
    pub fn current() -> Self {
        static BY_HAND: Callsite = Callsite::new("Cache::current", "");
        in_place(&BY_HAND)
    }

    /// A `tower` layer that runs each request in the [scope](Self::scope) of this cache: for the servers of axum, tonic
    /// and others, and for tests of an `axum::Router`. Needs the feature `tower`.
    #[cfg(feature = "tower")]
    #[must_use]
    pub fn layer(&self) -> crate::CacheLayer {
        crate::CacheLayer::new(self)
    }

    /// Makes this the cache of all functions that `future` calls and that name no cache. Tests can run in parallel
    /// this way, each with its own cache.
    ///
    /// Tasks that `future` spawns are not in the scope. Above all those of a server: it runs each connection in a task of
    /// its own, whose handlers use the installed cache, else one that all tests of a process share. Put the scope around
    /// each request ([`layer`](Self::layer)), or around what is spawned, as below. The guide
    /// [`tests_and_servers`](mod@crate::tests_and_servers) has recipes.
    ///
    /// ```
    /// # use cache_runtime::{Cache, cached};
    /// #[cached(key = "answer", ttl = "1h")]
    /// async fn answer() -> u8 {
    ///     42
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::in_memory();
    /// cache.scope(answer()).await;
    /// cache.scope(answer()).await;
    /// assert_eq!(cache.stats().function("answer").unwrap().hits, 1);
    ///
    /// let spawned = tokio::spawn(cache.scope(answer()));
    /// assert_eq!(spawned.await.unwrap(), 42);
    /// assert_eq!(cache.stats().function("answer").unwrap().hits, 2);
    /// # }
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        scope(self.clone(), future)
    }
}

/// The cache of a call of `function`: the task's, else the installed one, else the fallback; none at all where the
/// environment switches caching off.
///
/// # Panics
///
/// Where the environment asks for that, or its switch is malformed.
pub(crate) fn current(function: &'static Callsite) -> Cache {
    match Switch::get() {
        Switch::Off => UNCACHED.clone(),
        _ => in_place(function),
    }
}

/// The same, also where caching is switched off: for queues, since what is pushed has to get to the database, and for scopes
/// that are passed on.
pub(crate) fn in_place(function: &'static Callsite) -> Cache {
    if let Switch::Malformed(message) = Switch::get() {
        refuse(message);
    }
    given().unwrap_or_else(|| fallback(function))
}

/// The task's cache, else the installed one.
pub(crate) fn given() -> Option<Cache> {
    if let Ok(scoped) = SCOPED.try_with(Cache::clone) {
        return Some(scoped);
    }
    INSTALLED.load_full().map(|inner| Cache { inner })
}

/// What a call uses for which there is no cache, and which is told by its function's name.
#[cold]
fn fallback(function: &'static Callsite) -> Cache {
    let required = REQUIRED.load(Ordering::Relaxed);
    let (cache, instead) = match Switch::get() {
        Switch::Require => refuse(&format!(
            "`{}`: {NONE}, and `CACHE_RUNTIME` is `require`: {MEND}",
            function.name()
        )),
        Switch::Fallback(cache) if !required => return cache.clone(),
        _ if required => (&*UNCACHED, "it is not cached"),
        _ => (&*EMBEDDED, "it uses the memory of this process, which all of its tests share"),
    };
    let description = format_args!("{NONE}, so {instead}: {MEND}");
    misuse::report(cache, function, Misuse::NoCache, description);
    cache.clone()
}

const NONE: &str = "no cache is installed, and the task of this call has none";
const MEND: &str = "call `Cache::install` at start-up, or run the call in `Cache::scope` (a task is not in the \
     scope of the one that spawned it; `CacheLayer` puts the requests of a server into one)";

#[expect(clippy::panic, reason = "asked for by an environment variable that is for tests")]
fn refuse(message: &str) -> ! {
    panic!("{message}")
}

pub(crate) fn scope<F: Future>(cache: Cache, future: F) -> TaskLocalFuture<Cache, F> {
    SCOPED.scope(cache, future)
}

/// Runs something that is no future, in a scope.
#[cfg(feature = "tower")]
pub(crate) fn scope_sync<R>(cache: Cache, call: impl FnOnce() -> R) -> R {
    SCOPED.sync_scope(cache, call)
}
