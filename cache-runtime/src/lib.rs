//! Read-through caching of async functions over Redis, by attribute, that cannot be filled with stale data.
//!
//! ```
//! use cache_runtime::{Cache, cached, invalidates};
//! # #[derive(Default)] struct Db(tokio::sync::Mutex<String>);
//! # type Result<T> = std::result::Result<T, std::io::Error>;
//!
//! #[cached(key = "user:<id>", ttl = "1h", lock)]
//! async fn get_user(db: &Db, id: i64) -> Result<String> {
//!     // SELECT name FROM user WHERE id = …
//! #   _ = id; Ok(db.0.lock().await.clone())
//! }
//!
//! #[invalidates(get_user(id))]
//! async fn rename_user(db: &Db, id: i64, name: &str) -> Result<()> {
//!     // UPDATE user SET name = …
//! #   *db.0.lock().await = name.to_owned(); Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! # let db = Db::default();
//! let cache = Cache::connect("memory:")?; // or "redis://127.0.0.1"
//! cache.install();
//! rename_user(&db, 7, "Ada").await?;
//! assert_eq!(get_user(&db, 7).await?, "Ada"); // runs the body
//! assert_eq!(get_user(&db, 7).await?, "Ada"); // does not
//! rename_user(&db, 7, "Grace").await?;
//! assert_eq!(get_user(&db, 7).await?, "Grace"); // does again
//! assert_eq!(cache.stats().function("get_user").unwrap().loads_ok, 2);
//! # Ok(()) }
//! ```
//!
//! [`macro@cached`], [`macro@invalidates`], [`macro@write_through`] and [`macro@write_behind`] have the options, [`Cache`] is
//! where entries live and what is done by hand, [`Key`] names an entry, [`CallExt`] changes one call, [`Stats`] tells what
//! happened.
//!
//! # What happens in a call
//!
//! A **read** looks its key up: one `GET`. A **hit** is decoded and returned, and that was all.
//!
//! On a **miss** the call joins the **flight** of its key: one caller of this process, the leader, does the rest, and
//! the others wait for what it gets. The leader asks the store for the **lease** of the key, a short-lived
//! record with a random token that stands where the value would. Whoever holds it **loads**: runs the body; the
//! lease is renewed meanwhile. Where another process holds it, a function with `lock` waits for that process's
//! value, and one without runs its body and stores nothing.
//!
//! After the load comes the **fill**, a compare-and-set: the value is stored only if the very lease of this attempt
//! is still in the key. An invalidation removes whatever is in the key, lease or value; so a value that was
//! loaded before a write is never stored after it. That is the whole of the argument, and it holds for a plain
//! `DEL` from any other client as well.
//!
//! A **write** puts a **fence** into the key before its body, and takes it down together with everything that the
//! entry held after it. Behind a fence readers run their bodies and store nothing. It closes the gap between the commit
//! and the invalidation, and a writer that dies in that gap leaves nothing stale behind: its fence runs out, and
//! the next reader loads. The fences of several writers add up; the last one to end lifts them.
//!
//! Where a write knows the new value, [`macro@write_through`] lets it take the place of the old one: the command that takes
//! the fence down stores it, if that fence has stood since before the body and no other write of the entry has overlapped. Two
//! writes that overlap store nothing, because nobody but the database knows which of them came last.
//!
//! A **batch** (`batch(id in ids)`) is as many reads as it has ids, side by side: each has its own flight, lease and
//! fill, and what they ask of the store goes out together. Its body runs once for all ids that it has to load; only when
//! these are stored and served does it wait for what others are loading, so two batches that overlap never wait for
//! each other.
//!
//! Lease, value and fence are one record in one key, so eviction, expiry and `FLUSHALL` take the right to fill
//! together with the value: whatever vanishes, vanishes whole.
//!
//! # Tags
//!
//! Entries may have **tags**: `tags = ["org:<org_id>"]`. A tag has a key of its own, under the same protocol, and the value in it
//! is its **stamp**, a random token and nothing else. A load captures the stamps of its entry's tags before the body runs,
//! making those that are missing, and its value is stored with them. A hit reads the entry and the stamps in one command,
//! and counts only if they are the same. So to invalidate a tag (`#[invalidates(tag = "org:<org_id>")]`,
//! [`Cache::invalidate_tag`]) is to invalidate one key, however many entries have it: a stamp that is gone never comes
//! back, and what was stored under it is a miss. What was loaded before the invalidation carries the old stamp,
//! whenever it is stored; a fence on the tag keeps everything under it from being captured or found; a stamp that was evicted is
//! a miss, too. No clocks are compared, and there is no list of entries that could grow or get lost.
//!
//! It costs a hit one key more to read for each tag, a miss one script more, in the same round trips; where others wait for the
//! load, its fill brings the stamps along once more. Functions without tags send what they always did. Programs that
//! disagree about an entry's tags, as during a deploy, do not find each other's values.
//!
//! # What is guaranteed
//!
//! - Once `#[invalidates]` has returned with its invalidation acknowledged, no read that starts later, in any
//!   process, returns or stores a value loaded before that write.
//! - With the fence up, the same holds from the commit on, and survives a crash of the writer, if the fence lasts
//!   longer than the database takes to end the transaction of a client that is gone
//!   ([`fence`](CacheBuilder::fence)).
//! - What `#[write_through]` stores is what the database has last, as far as writes of the entry go through this library: a
//!   value is stored under the fence that has stood since before the body, and only if no other write overlapped.
//!
//! Not guaranteed: anything where Redis lost what it had acknowledged (a failover, an old snapshot, a split brain,
//! an evicted fence), which the ttl bounds; writes that neither go through `#[invalidates]` nor delete the key; loads
//! from database replicas that lag further behind than `hold_off`, or inside an older snapshot; between commit and
//! invalidation, writes without a fence (`fence = "off"`, patterns, targets over `result`); exactly one load, once a
//! lease was lost; and several entries at once, each of which is exact by itself.
//!
//! # Past the time to live
//!
//! A value that is kept for `stale_while_revalidate` or `stale_if_error` stays in its key, and a **refresh** replaces
//! it there: a compare-and-set with the token of the value that was seen. So an invalidation wins against a
//! refresh as it does against a load, and no refresh overwrites anything newer. What keeps all processes but one from
//! refreshing the same entry is a lease in a key beside it, `<key>!r`; it is there for economy, not for
//! correctness. A failed refresh leaves a tombstone there for a second. How old a value is, Redis alone says:
//! lookups of such functions ask for its time, and other functions with the same key find a mark in the record and
//! ask too.
//!
//! Refreshes run in the background of the process, bounded, within [`Cache::scope`], and may outlive the call;
//! [`Cache::shutdown`] ends that.
//!
//! # Failing open
//!
//! A function returns what its body returns, whatever the store does. Redis may hold a read up for the cache's
//! [`budget`](CacheBuilder::budget) and no longer; when it is known to be down it is not asked. What cannot be
//! decoded is a miss, what is not ours is left alone, and a fill that fails is nobody's error. Flights go on
//! without a store: of one process, one load per key runs and one is waited for. What an origin gets in all when
//! nothing is cached any more is bounded by [`max_concurrent_loads`](CacheBuilder::max_concurrent_loads).
//!
//! An invalidation that was not acknowledged is kept in this process, sent again until it is, and its keys are
//! **bypassed** meanwhile: a process never reads back what it knows to be outdated. [`Cache::flush`] waits for them
//! before a program ends; [`Stats::journal_depth`] says how many there are.
//!
//! [`Error`] exists for those who use [`Cache`] by hand, and for writes with `fence = "strict"`.
//!
//! # Writing behind
//!
//! [`macro@write_behind`] puts a durable queue in front of a function that writes to the database: a push is acknowledged when
//! Redis has the item, and a worker delivers in batches, at least once and in the order of the items' keys. View counts
//! are what it is for. [`mod@writing_behind`] tells what is promised, and how a sink makes redelivery harmless.
//!
//! # Choosing
//!
//! - **Keys.** One entity, one key, with its type in front: `user:<id>`. Whatever decides the result belongs into
//!   it, the tenant above all; what does not (a pool, a client, a span) is `skip`ped. A filter of many fields is one
//!   `<filter:hash>`. Functions that return the same entity share a key with `key = get_user_key(&id)`, and one
//!   invalidation reaches them all. Two functions that return different types must not have equal keys: one
//!   would read what the other stored.
//! - **ttl.** With every write annotated it only bounds what no cache can know: writes past this library, and
//!   acknowledged invalidations that a failing-over Redis lost. Minutes to a day. Without such writes it *is* the
//!   answer to how old a value may be. `jitter = 0.1` keeps entries that were stored together from ending together.
//! - **lock.** Wherever a load costs more than some milliseconds. Without it each process loads for itself, which
//!   is one query per process at worst, and nobody waits for another process.
//! - **`none_ttl`.** Where clients ask for what is not there. Short, and the write that creates the row
//!   invalidates: `#[invalidates(get_user(result.id))]`.
//! - **`stale_while_revalidate`.** Where a load is slow and a value past its ttl does no harm: nobody waits then but for
//!   the first load. `early = 1.0` comes close without serving anything past its ttl.
//! - **`stale_if_error`, `error_ttl`.** Where the origin may fail for longer than the ttl: an hour of the old value is
//!   better than none for most. `error_ttl` keeps callers from asking for what has just failed.
//! - **batch.** Wherever a list of ids meets a table: beside the function of one id, with its key. Where lists have the same few
//!   ids again and again it is worth most; a list that is always the same is better one entry of its own.
//! - **fence.** `"try"`, the default, for nearly all; `"strict"` where a stale value is worse than a write that is
//!   refused while Redis is down; `"off"` where a write is frequent and a moment of the old value is
//!   nobody's loss.
//!
//! # Testing code that uses it
//!
//! In a scope of its own a test has a cache of its own, and tests run in parallel. [`Cache::in_memory`] has the
//! same leases, fences and expiry as Redis, on Tokio's clock, which a test may pause; [`Cache::disabled`] runs every
//! body.
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
//! A task that is spawned inside a scope is outside of it, and uses the installed cache. Where that matters hand
//! it the scope: `tokio::spawn(cache.scope(work))`, or the cache: `cache = expr`.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `tracing` (default) | a log line for each change of state, target `cache`; none for a call |
//! | `catalog` | `catalog()` lists every annotated function, `assert_catalog_consistent` checks their keys |
//! | `metrics` | `Stats::export` to the `metrics` facade |
//! | `msgpack` | `Codec::MessagePack` |
//! | `postcard` | `Codec::Postcard` |
//! | `tls` | `rediss://` |
//! | `uuid` | `Uuid` in keys |
//! | `full` | all of these |

mod background;
mod budget;
mod cache;
mod call;
mod callsite;
#[cfg(feature = "catalog")]
mod catalog;
mod catalog_macros;
mod codec;
mod detach;
mod entry;
mod error;
mod errors;
mod flight;
mod journal;
mod key;
mod limit;
mod log;
#[cfg(cache_mutants)]
mod mutants;
mod outcome;
mod own;
mod private;
mod queue;
mod read;
mod record;
#[cfg(test)]
#[expect(
    unused_imports,
    reason = "what every expansion imports is not unused in a crate that uses its own macros"
)]
mod simulation;
mod stats;
mod store;
mod tags;
mod token;
mod write;

#[doc = include_str!("doc/when_redis_fails.md")]
pub mod when_redis_fails {}

#[doc = include_str!("doc/writing_behind.md")]
pub mod writing_behind {}

pub use cache_macros::{cached, invalidates, write_behind, write_through};

pub use crate::cache::{Cache, CacheBuilder, Failover, Keys};
pub use crate::call::{Call, CallExt};
#[cfg(feature = "catalog")]
pub use crate::catalog::{
    CachedFunction, Catalog, Problem, WriteFunction, assert_catalog_consistent, catalog,
};
pub use crate::codec::Codec;
pub use crate::error::{Error, ErrorKind};
pub use crate::key::{Key, KeyPart, KeyText, Segment, Tag, TagText};
pub use crate::own::Own;
pub use crate::queue::{
    Batch, DeadLetter, ParsePositionError, Position, Queue, QueueLength, QueueStats, Versioned,
    Worker,
};
pub use crate::stats::{BreakerState, FunctionStats, Latency, Stats};

#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}

/// For the fuzz targets, whose cfg is set by `cargo fuzz` alone.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadmeDoctests;
