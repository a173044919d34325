//! Which cache the functions use that name none.

use crate::cache::Cache;
use crate::engine::ambient;
use crate::policy::Callsite;

impl Cache {
    /// Makes this the cache of all functions that name no cache and run in no
    /// [`scope`](Self::scope). A later call replaces it.
    pub fn install(&self) {
        ambient::install(&self.core);
    }

    /// From now on a call that finds no cache, neither named, nor in its task, nor installed, is a
    /// mistake: it runs its body uncached instead of using the memory of this process. The mistake
    /// is counted, described in the log once per function, and a panic if the environment variable
    /// `CACHE_RUNTIME_MISUSE` is `panic`. A push into a queue fails, or is delivered directly.
    ///
    /// Call it at start-up, in a program that always has a cache, so that a task that has lost its
    /// scope is not served entries that other processes have invalidated. It does not matter
    /// whether a cache is installed before or after. In tests the environment variable
    /// `CACHE_RUNTIME=require` is stricter: such a call panics. See
    /// [`tests_and_servers`](mod@crate::guide::tests_and_servers).
    pub fn require_installed() {
        ambient::require_installed();
    }

    /// The cache that a function would use here if it names none: that of the current task, else
    /// the installed one, else the one in this process's memory. Use it to pass the scope of a task
    /// on to another one:
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
        ambient::in_place(&BY_HAND).into()
    }

    /// A `tower` layer that runs each request in the [scope](Self::scope) of this cache: for the
    /// servers of axum, tonic and others, and for tests of an `axum::Router`. Needs the feature
    /// `tower`.
    #[cfg(feature = "tower")]
    #[must_use]
    pub fn layer(&self) -> crate::tower::CacheLayer {
        crate::tower::CacheLayer::new(self)
    }

    /// Makes this the cache of all functions that `future` calls and that name no cache. Tests can
    /// run in parallel this way, each with its own cache.
    ///
    /// Tasks that `future` spawns are not in the scope. Above all those of a server: it runs each
    /// connection in a task of its own, whose handlers use the installed cache, else one that all
    /// tests of a process share. Put the scope around each request ([`layer`](Self::layer)), or
    /// around what is spawned, as below. The guide
    /// [`tests_and_servers`](mod@crate::guide::tests_and_servers) has recipes.
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
    /// assert_eq!(cache.stats().function("answer").unwrap().hits(), 1);
    ///
    /// let spawned = tokio::spawn(cache.scope(answer()));
    /// assert_eq!(spawned.await.unwrap(), 42);
    /// assert_eq!(cache.stats().function("answer").unwrap().hits(), 2);
    /// # }
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        ambient::scope(self.core.clone(), future)
    }
}
