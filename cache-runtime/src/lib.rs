//! Read-through caching for async functions, backed by Redis, with one attribute per function, and no way for stale
//! data to get into the cache.
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
//! Where to look: [`macro@cached`], [`macro@invalidates`], [`macro@write_through`] and [`macro@write_behind`]
//! document their options. [`Cache`] is the handle to the store, and has the operations done by hand. [`Key`] names
//! an entry, [`CallExt`] changes how a single call uses the cache, and [`Stats`] has the counters.
//!
//! # What happens in a call
//!
//! A **read** looks up its key with one `GET`. A **hit** is decoded and returned, and nothing else happens.
//!
//! On a **miss** the call joins the **flight** of its key: one caller in this process, the leader, does the rest, and
//! the others wait for its result. The leader asks the store for the key's **lease**, a short-lived record with a
//! random token, stored in place of the value. The holder of the lease **loads**: it runs the body, and renews the
//! lease meanwhile. If another process holds the lease, a function with `lock` waits for that process's value, and
//! one without `lock` runs its body and stores nothing.
//!
//! After the load comes the **fill**, a compare-and-set: the value is stored only if the key still holds the lease of
//! this attempt. An invalidation removes whatever is in the key, lease or value, so a value that was loaded before a
//! write is never stored after it. That is the whole argument, and it holds just as well for a plain `DEL` from any
//! other client.
//!
//! A **write** puts a **fence** into the key before its body runs. After the body, it removes the fence together with
//! whatever the entry held. While the fence is there, readers run their bodies and store nothing. This closes the gap
//! between the commit and the invalidation. A writer that dies in that gap leaves nothing stale behind: its fence
//! expires, and the next reader loads. A write that is dropped, or panics, leaves its fence up for the same reason: its
//! database may commit when nobody waits for it any more. Several writers may fence an entry at once; the last one to
//! finish lifts the fence.
//!
//! Where a write knows the new value, [`macro@write_through`] stores it in place of the old one: the command that
//! removes the fence also stores the value, provided that the fence has been in place since before the body and no
//! other write of the entry has overlapped. Two overlapping writes store nothing, because only the database knows
//! which of them came last.
//!
//! A **batch** (`batch(id in ids)`) behaves like one read per id, run side by side: each has its own flight, lease
//! and fill, and their commands are sent together. The body runs once, for all the ids that this call has to load.
//! Only when those are stored and served does the call wait for ids that others are loading, so overlapping batches
//! never wait for each other.
//!
//! Lease, value and fence are one record in one key. Eviction, expiry and `FLUSHALL` therefore remove the right to
//! fill together with the value: there is no state in which only part of it is gone.
//!
//! # Tags
//!
//! Entries may have **tags**: `tags = ["org:<org_id>"]`. A tag has a key of its own, which follows the same protocol
//! and whose value is the tag's **stamp**, just a random token. A load captures the stamps of its entry's tags before
//! the body runs, creating any that are missing, and its value is stored together with them. A lookup reads the entry
//! and the stamps in one command, and is a hit only if they match. So invalidating a tag
//! (`#[invalidates(tag = "org:<org_id>")]`, [`Cache::invalidate_tag`]) means invalidating one key, however many
//! entries have the tag: a removed stamp never comes back, and every value stored with it is a miss. A value loaded
//! before the invalidation carries the old stamp, no matter when it is stored. A fence on the tag keeps its stamp
//! from being captured and entries with the tag from being found. A stamp that was evicted is a miss too. No clocks
//! are compared, and there is no list of entries that could grow or get lost.
//!
//! The cost is one more key to read on a hit, and one more script on a miss, for each tag, in the same round trips.
//! Where others wait for the load, its fill reads the stamps once more. Functions without tags send nothing extra.
//! Programs that disagree about an entry's tags, as during a deployment, do not find each other's values.
//!
//! # What is guaranteed
//!
//! - Once `#[invalidates]` has returned with its invalidation acknowledged, no read that starts later, in any
//!   process, returns or stores a value loaded before that write.
//! - With the fence in place, the same holds from the moment of the commit, even if the writer crashes, is dropped or
//!   panics, as long as the fence lasts longer than the database takes to end the transaction of a client that is gone
//!   ([`fence`](CacheBuilder::fence)).
//! - What `#[write_through]` stores is the latest value in the database, provided that all writes of the entry go
//!   through this library: a value is stored only under a fence that has been in place since before the body, and
//!   only if no other write overlapped.
//!
//! Not guaranteed:
//!
//! - Anything, once Redis has lost what it acknowledged (a failover, an old snapshot, a split brain, an evicted
//!   fence). The ttl bounds how long such a value stays.
//! - Writes that neither go through `#[invalidates]` nor delete the key.
//! - Loads from database replicas that lag further behind than `hold_off`, and loads inside an older snapshot.
//! - The time between commit and invalidation, for writes without a fence (`fence = "off"`, patterns, targets over
//!   `result`).
//! - A commit that is hidden by an error which neither `in_doubt` nor `fence = "strict"` keeps the fence for. If it
//!   comes after the fence was lifted, the old value may be served until the entry is invalidated again, which is when
//!   the fence would have expired.
//! - Exactly one load, once a lease has been lost.
//! - Consistency across several entries: each is exact by itself.
//!
//! # Past the time to live
//!
//! A value kept for `stale_while_revalidate` or `stale_if_error` stays in its key until a **refresh** replaces it
//! there, with a compare-and-set on the token of the value that was read. So an invalidation wins against a refresh
//! just as it does against a load, and no refresh overwrites anything newer. A lease in a second key, `<key>!r`,
//! keeps all processes but one from refreshing the same entry; it saves work, and correctness does not depend on it.
//! A failed refresh leaves a tombstone there for a second. The age of a value is measured by Redis's clock alone:
//! lookups of such functions ask for its time, and other functions with the same key find a mark in the record and
//! ask too.
//!
//! A value of another release, which has another `version`, codec or other tags, stays in its key too. This release's is
//! an entry in a third key, `<key>!…!s`, which has the first key as a tag: it is valid while that one's value is what it
//! was before the load.
//!
//! Refreshes run in the background, in limited number and in the [scope](Cache::scope) of the call's cache, and may
//! outlive the call. [`Cache::shutdown`] waits for them.
//!
//! # Failing open
//!
//! A function returns what its body returns, whatever the store does. Redis may delay a read for at most the cache's
//! [`budget`](CacheBuilder::budget); while it is known to be down it is not asked at all. A record that cannot be
//! decoded is a miss, data that is not ours is left alone, and a failed fill is not reported as an error. Flights
//! work without a store: within one process, callers of the same key still share one load. When nothing can be cached
//! any more, [`max_concurrent_loads`](CacheBuilder::max_concurrent_loads) limits the total load on the origin.
//!
//! An invalidation that was not acknowledged is kept in this process and sent again until it is. Meanwhile its keys
//! are **bypassed**: a process never reads back what it knows to be outdated. Call [`Cache::flush`] before a program
//! ends to wait for these invalidations; [`Stats::journal_depth`] says how many there are.
//!
//! [`Error`] is for those who use [`Cache`] by hand, and for writes with `fence = "strict"`. The guide
//! [`mod@when_redis_fails`] goes through every fault.
//!
//! # Writing behind
//!
//! [`macro@write_behind`] puts a durable queue in front of a function that writes to the database, for example to
//! count page views. A push is acknowledged when Redis has the item; workers deliver items in batches, at least once,
//! and in order for each key. The guide [`mod@writing_behind`] says what is promised, and how a sink makes redelivery
//! harmless.
//!
//! # Choosing options
//!
//! - **Keys.** One entity, one key, with its type in front: `user:<id>`. Everything that decides the result belongs
//!   in the key, the tenant above all; put everything else (a pool, a client, a span) in `skip`. Give your ids and
//!   enums `#[derive(KeyPart)]`. For a filter with many fields use one `<filter:hash>`. Functions that return the same entity can share a key with
//!   `key = get_user_key(&id)`, and one invalidation then covers them all. Two functions must not make equal keys in any
//!   other way, even if they return the same type: one would read what the other stored.
//! - **ttl.** If every write is annotated, the ttl only limits what no cache can know about: writes that bypass this
//!   library, and acknowledged invalidations that Redis lost in a failover. Choose minutes to a day. If writes are
//!   not annotated, the ttl *is* the answer to how old a value may be. `jitter = 0.1` keeps entries that were stored
//!   together from expiring together.
//! - **lock.** Wherever a load costs more than a few milliseconds. Without it, each process loads for itself: at
//!   worst one query per process, and nobody waits for another process.
//! - **`none_ttl`.** Where clients ask for rows that do not exist. Keep it short, and let the write that creates the
//!   row invalidate: `#[invalidates(get_user(result.id))]`.
//! - **`stale_while_revalidate`.** Where a load is slow and a value past its ttl does no harm: then only the first
//!   load keeps anyone waiting. `early = 1.0` comes close to that without serving anything past its ttl.
//! - **`stale_if_error`, `error_ttl`.** Where the origin may be down for longer than the ttl: for most programs an
//!   hour of the old value is better than no value. `error_ttl` keeps callers from repeating a load that has just
//!   failed.
//! - **batch.** Wherever a list of ids meets a table: beside the function of one id, with the same key. It pays off
//!   most where lists overlap. A list that is always the same is better cached as one entry.
//! - **fence.** `"try"`, the default, for nearly all writes; `"strict"` where a stale value is worse than a write
//!   that is refused while Redis is down; `"off"` where writes are frequent and it does not matter if readers get the
//!   old value for a moment.
//!
//! # Testing code that uses it
//!
//! Give each test a cache of its own with [`Cache::scope`], and tests can run in parallel. [`Cache::in_memory`] has
//! the same leases, fences and expiry as Redis and runs on Tokio's clock, which a test may pause; with
//! [`Cache::disabled`] every call runs its body.
//!
//! ```
//! # use std::time::Duration;
//! use cache_runtime::{Cache, cached};
//!
//! #[cached(key = "greeting:<name>", ttl = 60)]
//! async fn greeting(name: &str) -> String {
//!     format!("Hello, {name}!")
//! }
//!
//! # /*
//! #[tokio::test(start_paused = true)]
//! # */
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() { greets_once_a_minute().await }
//! async fn greets_once_a_minute() {
//!     let cache = Cache::in_memory();
//!     cache
//!         .scope(async {
//!             greeting("Ada").await;
//!             greeting("Ada").await;
//!             assert_eq!(cache.stats().function("greeting").unwrap().loads_ok, 1);
//!             tokio::time::advance(Duration::from_secs(60)).await;
//!             assert_eq!(cache.get(&greeting_key("Ada")).await.unwrap(), None);
//!         })
//!         .await;
//!     Cache::disabled().scope(greeting("Ada")).await; // runs the body
//! }
//! ```
//!
//! A task spawned inside a scope is not part of it, and uses the installed cache. So do the handlers of a server, which
//! runs each connection in a task of its own. The guide [`mod@tests_and_servers`] has recipes for axum, tonic, actix-web
//! and `tokio::spawn`, and the environment variables for tests and CI: `CACHE_RUNTIME=off cargo test` switches caching
//! off, `CACHE_RUNTIME=require` makes a call that has lost its cache panic.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `tracing` (default) | one log line at first use and per change of state, target `cache_runtime`; per call only at level TRACE |
//! | `axum`, `chrono`, `rust_decimal`, `time`, `ulid`, `url`, `uuid` | types of these crates [in keys](trait@KeyPart) |
//! | `catalog` | `catalog()` lists every annotated function, `assert_catalog_consistent` checks their keys |
//! | `metrics` | `Stats::export` passes the counters to the `metrics` facade |
//! | `msgpack` | `Codec::MessagePack` |
//! | `postcard` | `Codec::Postcard` |
//! | `tls` | `rediss://` |
//! | `tower` | `Cache::layer`: a `tower` layer that runs each request of a server in the scope of a cache |
//! | `full` | all of these |

// First, since the page of `Cache` begins with the methods of the first module that has any.
mod cache;
#[cfg(feature = "catalog")]
mod catalog;
mod codec;
mod engine;
mod error;
mod key;
mod metrics;
mod policy;
mod private;
mod queue;
mod read;
mod record;
mod store;
mod support;
/// For the fuzz targets as well, whose cfg is set by `cargo fuzz` alone.
#[cfg(any(test, fuzzing))]
mod testing;
mod typing;
mod write;

#[doc = include_str!("doc/when_redis_fails.md")]
pub mod when_redis_fails {}

#[doc = include_str!("doc/operations.md")]
pub mod operations {}

#[doc = include_str!("doc/tests_and_servers.md")]
pub mod tests_and_servers {}

#[doc = include_str!("doc/writing_behind.md")]
pub mod writing_behind {}

pub use cache_macros::{KeyPart, cached, invalidates, write_behind, write_through};

pub use crate::cache::call::{Call, CallExt};
#[cfg(feature = "tower")]
pub use crate::cache::layer::{CacheLayer, CacheService, InScope};
pub use crate::cache::{Cache, CacheBuilder, Keys};
#[cfg(feature = "catalog")]
pub use crate::catalog::{
    CachedFunction, Catalog, Problem, WriteFunction, assert_catalog_consistent, catalog,
};
pub use crate::codec::Codec;
pub use crate::error::cause::{Cause, Failure, Refusal};
pub use crate::error::{Error, ErrorKind};
pub use crate::key::{AsTag, Displayed, Key, KeyPart, KeyText, Lower, Segment, Tag, TagText, Trim};
pub use crate::metrics::{BreakerState, FunctionStats, Latency, Stats};
pub use crate::metrics::{MeasuredLength, QueueLength, QueueStats};
pub use crate::queue::{
    Batch, DeadLetter, DeadLetterId, ParseDeadLetterIdError, PushManyError, Queue, QueueSummary,
    SinkError, SinkErrorKind, Versioned, Worker,
};
pub use crate::store::Failover;
pub use crate::store::queue::{ParsePositionError, Position};
pub use crate::typing::SharedError;
pub use crate::typing::own::Own;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub use crate::testing::fuzzing;

#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}

/// Compiles the code in the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadmeDoctests;
