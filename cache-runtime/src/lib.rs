//! Read-through caching for async functions, backed by Redis, with one attribute per function, and
//! no way for stale data to get into the cache.
//!
//! ```
//! use cache_runtime::{Cache, cached, invalidates};
//! # #[derive(Default)] struct DbPool(tokio::sync::Mutex<String>);
//! # type Result<T> = std::result::Result<T, std::io::Error>;
//!
//! #[cached(key = "user:<id>", ttl = "1h", lock)]
//! async fn get_user(db: &DbPool, id: i64) -> Result<String> {
//!     // SELECT name FROM user WHERE id = …
//! #   _ = id; Ok(db.0.lock().await.clone())
//! }
//!
//! #[invalidates(get_user(id))]
//! async fn rename_user(db: &DbPool, id: i64, name: &str) -> Result<()> {
//!     // UPDATE user SET name = …
//! #   *db.0.lock().await = name.to_owned(); Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! # let db = DbPool::default();
//! let cache = Cache::connect("memory:")?; // or "redis://127.0.0.1"
//! cache.install();
//! rename_user(&db, 7, "Ada").await?;
//! assert_eq!(get_user(&db, 7).await?, "Ada"); // runs the body
//! assert_eq!(get_user(&db, 7).await?, "Ada"); // a hit
//! rename_user(&db, 7, "Grace").await?;
//! assert_eq!(get_user(&db, 7).await?, "Grace"); // runs the body again
//! assert_eq!(cache.stats().function("get_user").unwrap().loads_ok, 2);
//! # Ok(()) }
//! ```
//!
//! Where to look: [`macro@cached`], [`macro@invalidates`], [`macro@write_through`] and
//! [`macro@write_behind`] document their options. [`Cache`] is the handle to the store, and has the
//! operations done by hand. [`Key`] names an entry, [`CallExt`] changes how a single call uses the
//! cache, and [`Stats`] has the counters.
//!
//! The [`guide`](mod@guide) begins with [ten minutes](mod@guide::start) and a real database, and
//! says what is [guaranteed](mod@guide::consistency), what happens when
//! [Redis fails](mod@guide::when_redis_fails), how to [migrate](mod@guide::migrating), and
//! [when not to](mod@guide::when_not_to_use_it) use it.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `tracing` (default) | one log line at first use and per change of state, target `cache_runtime`; per call only at level TRACE |
//! | `axum`, `chrono`, `rust_decimal`, `time`, `ulid`, `url`, `uuid` | types of these crates [in keys](trait@KeyPart) |
//! | `cli` (no part of `full`) | the program `cachectl`: see [`operations`](mod@guide::operations#the-program) |
//! | `catalog` | `catalog()` lists every annotated function, `assert_catalog_consistent` checks their keys |
//! | `metrics` | `Stats::export` passes the counters to the `metrics` facade |
//! | `msgpack` | `Codec::MessagePack` |
//! | `postcard` | `Codec::Postcard` |
//! | `tls` | `rediss://` |
//! | `tower` | `Cache::layer`: a `tower` layer that runs each request of a server in the scope of a cache |
//! | `full` | all others |

#![cfg_attr(docsrs, feature(doc_cfg))]

// First, since the page of `Cache` begins with the methods of the first module that has any.
mod cache;
#[cfg(feature = "catalog")]
pub mod catalog;
mod codec;
mod engine;
pub mod error;
pub mod inspect;
pub mod key;
mod metrics;
mod policy;
mod private;
pub mod queue;
mod read;
mod record;
mod store;
mod support;
/// For the fuzz targets as well, whose cfg is set by `cargo fuzz` alone.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod testing;
mod typing;
mod write;

#[doc = include_str!("doc/guide.md")]
pub mod guide {
    #[doc = include_str!("doc/start.md")]
    pub mod start {}

    #[doc = include_str!("doc/strategies.md")]
    pub mod strategies {}

    #[doc = include_str!("doc/keys.md")]
    pub mod keys {}

    #[doc = include_str!("doc/freshness.md")]
    pub mod freshness {}

    #[doc = include_str!("doc/consistency.md")]
    pub mod consistency {}

    #[doc = include_str!("doc/lists_and_relations.md")]
    pub mod lists_and_relations {}

    #[doc = include_str!("doc/transactions.md")]
    pub mod transactions {}

    #[doc = include_str!("doc/writing_behind.md")]
    pub mod writing_behind {}

    #[doc = include_str!("doc/tests_and_servers.md")]
    pub mod tests_and_servers {}

    #[doc = include_str!("doc/observing.md")]
    pub mod observing {}

    #[doc = include_str!("doc/operations.md")]
    pub mod operations {}

    #[doc = include_str!("doc/when_redis_fails.md")]
    pub mod when_redis_fails {}

    #[doc = include_str!("doc/deploying.md")]
    pub mod deploying {}

    #[doc = include_str!("doc/migrating.md")]
    pub mod migrating {}

    #[doc = include_str!("doc/when_not_to_use_it.md")]
    pub mod when_not_to_use_it {}

    #[doc = include_str!("doc/glossary.md")]
    pub mod glossary {}
}

/// A [`Tag`] from a template over variables: `tag!("author:<article.author>")`.
///
/// Literal text is taken as it is, and values are escaped, as in the templates of an attribute. So
/// it makes the tag that `tags = ["author:<id>"]` makes and `#[invalidates(tag = "author:<id>")]`
/// invalidates, for an `id` of the same text. All that is said of templates holds, such as
/// `<name:trim:lower>` and `<filter:hash>`.
///
/// It is for tags that only the value tells:
///
/// ```
/// use cache_runtime::{Cache, cached, invalidates, tag};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Article {
///     slug: String,
///     author: u64,
/// }
///
/// #[cached(
///     key = "article:<slug>",
///     ttl = "1h",
///     tags = |article: &Article| [tag!("author:<article.author>")],
/// )]
/// async fn article(slug: &str) -> Article {
///     Article { slug: slug.to_owned(), author: 7 }
/// }
///
/// #[invalidates(tag = "author:<id>")]
/// async fn rename_author(id: u64, name: &str) {
///     // UPDATE users ..
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cache_runtime::Error> {
/// # let cache = Cache::in_memory();
/// # cache.scope(async {
/// assert_eq!(article("tea").await.author, 7);
/// assert!(cache.get(&article_key("tea")).await?.is_some());
/// rename_author(7, "Ada").await;
/// assert!(cache.get(&article_key("tea")).await?.is_none());
/// # Ok(()) }).await }
/// ```
#[macro_export]
macro_rules! tag {
    ($template:tt) => {
        $crate::__private::tag!($crate, $template)
    };
}

pub use cache_macros::{KeyPart, cached, invalidates, write_behind, write_through};

pub use crate::cache::call::{Call, CallExt, CallWithOutcome};
pub use crate::cache::{Cache, CacheBuilder};
#[cfg(feature = "catalog")]
#[doc(inline)]
pub use crate::catalog::catalog;
pub use crate::codec::Codec;
#[doc(inline)]
pub use crate::error::{Error, ErrorKind};
#[doc(inline)]
pub use crate::key::{Key, KeyPart, Tag};
pub use crate::metrics::Stats;
#[doc(inline)]
pub use crate::queue::{Batch, Queue, Worker};
pub use crate::store::Failover;

/// The counters: what a cache, its functions and its queues have done.
pub mod stats {
    #[cfg(feature = "prometheus-client")]
    pub use crate::cache::prometheus::PrometheusCollector;
    pub use crate::engine::report::Outcome;
    pub use crate::metrics::{
        BreakerState, EmbeddedStats, FunctionStats, Histogram, Histograms, LoadResult,
        MeasuredLength, MissReason, Misses, NotStored, Observation, Observer, OperationStats,
        OutcomeKind, Outcomes, QueueLength, QueueStats, ServerStats, Stats, StoreFailure,
        StoreOperation, UncachedCalls, UncachedReason,
    };
}

/// The scope of a cache around each request of a `tower` server. Needs the feature `tower`.
#[cfg(feature = "tower")]
pub mod tower {
    pub use crate::cache::layer::{CacheLayer, CacheService, InScope};
}

#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}

/// Compiles the code in the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadmeDoctests;
