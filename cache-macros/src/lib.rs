//! The attribute macros of `cache-runtime`, which re-exports them: depend on that crate instead.
//!
//! An attribute goes through five stages, one module each: what the user wrote (`attr`, `function`),
//! what it comes to (`model`), whether that is sound (`check`), what is emitted (`expand`), and, if it
//! is not sound, the function as it was, with every error that was found (`fallback`).

// A panic in a macro hides what the compiler would have said.
#![cfg_attr(
    not(test),
    deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod attr;
mod check;
mod diagnostics;
mod expand;
mod fallback;
mod function;
mod model;
mod parameter;
mod piece;
mod scope;
mod syntax;
mod template;
mod types;

use proc_macro2::TokenStream;
use quote::quote;

use crate::attr::cached::CachedArgs;
use crate::attr::invalidates::InvalidatesArgs;
use crate::attr::write_behind::WriteBehindArgs;
use crate::attr::write_through::WriteThroughArgs;
use crate::model::{Cached, Invalidates, WriteBehind, WriteThrough};

/// Answers calls of an `async fn` from the cache, and runs its body only if it must.
///
/// ```
/// # use cache_runtime::cached;
/// # #[derive(serde::Serialize, serde::Deserialize)] struct User;
/// # struct PgPool; struct Error;
/// #[cached(key = "user:<id>", ttl = 3600, lock)]
/// async fn get_user(db: &PgPool, id: i64) -> Result<User, Error> {
///     // SELECT .. FROM users WHERE id = $1
/// #   let _ = (db, id); Err(Error)
/// }
/// ```
///
/// Of a `Result` only the `Ok` is stored, and the error type needs nothing. `None` is not stored without
/// `none_ttl`. The compiler decides by the type, so aliases such as `sqlx::Result<User>` work. What is
/// stored must implement `serde::Serialize` and `serde::Deserialize`.
///
/// It works on free functions, methods, methods of trait implementations, and methods under
/// `#[async_trait]`. Whatever the cache does, the function returns what its body returns; but for
/// `shed_after`, by which it asks to be turned away instead.
///
/// # Options
///
/// A duration is a whole number of seconds, or text with the units `ms`, `s`, `m`, `h`, `d` and `w` such as
/// `"1h 30m"` (both are checked when you compile), or an expression of type `Duration`.
///
/// | option | meaning | default |
/// |---|---|---|
/// | `key = "user:<id>"` | the template of the key, see below | module path, name and all parameters that are not skipped |
/// | `key = expression` | a `Key<T>`: functions that share one entry | |
/// | `ttl = "1h"` | how long a value is served; the expression sees the parameters by reference | required |
/// | <code>ttl = \|user: &User\| ..</code> | the same, worked out from the value | |
/// | `lock` | callers in all processes wait for one of them to run the body | other processes run it too, but only one stores |
/// | `lock(wait = "5s", lease = "10s")` | a duration each: how long to wait before running the body after all; how long the one who runs it may be out of touch before another takes over | set by the cache |
/// | `skip(db, ctx)` | parameters that are knowingly no part of the key | |
/// | `batch(id in ids)` | one call reads many entries: those of all ids in a parameter, see below | one |
/// | `tags = ["org:<org_id>"]` | groups that the entry belongs to, see below | none |
/// | `none_ttl = "30s"` | store `None`, and `Ok(None)`, and serve it for that long | not stored |
/// | `stale_while_revalidate = "10m"` | how long after its ttl a value is served, while it is refreshed in the background, see below | not at all |
/// | `stale_if_error = "1h"` | how long after its ttl a value is served where the load fails, see below | not at all |
/// | `load_timeout = "2s"` | how long a load is waited for where there is a stale value, see below | until it ends |
/// | `early = 1.0` | refresh a value before its ttl ends, see below | not at all |
/// | <code>error_ttl = \|error: &Error\| ..</code> | an `Option<Duration>`: for how long this error is stored in the place of a value, and served | not stored |
/// | `when = expression` | a `bool` over the parameters: whether to use the cache for this call | `true` |
/// | <code>unless = \|user\| ..</code> | a `bool` over the value: whether not to store it | `false` |
/// | `jitter = 0.1` | each ttl is shortened by a random part up to this fraction, from 0.0 to 1.0 | set by the cache |
/// | `cache = expression` | a `Cache` or `&Cache` | the one of the task's scope, else the installed one |
/// | `codec = MessagePack` | `Json`, `MessagePack` or `Postcard`, as far as the features are on | set by the cache |
/// | `version = 2` | counted up when stored values change their meaning: older ones are misses | `0` |
/// | `max_concurrent_loads = 8` | how many bodies of this function run at once in this process; other callers that must load wait in line | bounded by the cache, if at all |
/// | `shed_after = "1s"` | how long a call waits in that line, or in the cache's, before it is turned away with `ErrorKind::Overloaded`: the error type implements `From<cache_runtime::Error>` | waits until its turn comes |
/// | `budget = "50ms"` | how long the store may hold up a call, all its commands together, before it goes without | set by the cache |
/// | `companion = false` | make no `get_user_key`, see below | `true` |
/// | `crate = path` | where `cache_runtime` is, if not at `::cache_runtime` | |
///
/// A load inside a load that is bounded takes no second place. A load in a task that the body spawns does: if
/// the body waits for that task, all places may be taken by bodies that wait, so give it a `shed_after`.
///
/// # Past the ttl
///
/// A value that nobody has invalidated may be served after its ttl, within one of two windows, which begin when the ttl
/// ends. An invalidation removes it whatever its age. `None` and stored errors have no window.
///
/// - Within `stale_while_revalidate` the caller gets the old value at once, and one refresh begins in the background
///   unless one is under way in any process.
/// - Within `stale_if_error`, and where that is longer past `stale_while_revalidate`, callers load; others of the same
///   process wait for that load, those of other processes too with `lock`. If the body returns an error, all of them
///   get the old value instead. A panic is a panic. The function must return a `Result`.
/// - With `load_timeout` callers wait for the load that long, in either window; it runs in the background from the start.
///   Does it fail or take longer, they get the old value; it goes on, and stores what it gets. Where there is no old value
///   the body is awaited, in the foreground, for as long as it takes.
///
/// After a refresh that failed, the entry rests for a second: the old value is served without another attempt. Where a
/// refresh succeeds and its value is not to be stored (`None`, `unless`), the old value is removed. While too many
/// refreshes run, and after `Cache::shutdown`, old values are served without one.
///
/// `early = beta` refreshes a value before its ttl ends: each hit draws a lot, and wins it the likelier the nearer the
/// end and the longer the last load took; with 1.0 mostly within a few times what a load takes. The one who wins
/// refreshes, in the background with `stale_while_revalidate` or `load_timeout` and else before it returns, and the
/// others keep hitting. (XFetch: Vattani, Chierichetti, Lowenstein, 2015.)
///
/// Functions with one of these four options ask Redis for its time with every lookup, in the same round trip.
///
/// For the background, with `stale_while_revalidate` and `load_timeout`, the body moves into a function of its own and
/// gets copies of the arguments, made only when they are needed: of `&str`, `&[T]` and `&T` what `ToOwned` makes of them,
/// of values and `self` their `Clone`. They must be `Send + Sync + 'static`. `&mut`, types with references inside,
/// `impl Trait` and patterns are compile errors, as are implementations of traits, which have no room for that function.
///
/// An error that `error_ttl` chooses is stored under the same lease as a value, and an invalidation removes it. If the
/// error type implements `serde::Serialize` and `serde::Deserialize`, it serves all processes; if only `Clone` (and
/// `Send + Sync + 'static`), the process that met it, and the others load for themselves.
///
/// # Key templates
///
/// | in the template | in the key |
/// |---|---|
/// | `<id>`, `<user.id>`, `<self.tenant>` | the value of a parameter or field: a `KeyPart` |
/// | `<filter:hash>` | a stable hash of anything `Serialize` |
/// | `<T>`, `<N>`, `<Self>` | the name of a type parameter, the value of a const parameter, the name of the type |
/// | `{..}` | a Redis Cluster hash tag: at most one |
/// | `<<`, `>>` | `<`, `>` |
/// | anything else | itself; no whitespace, no `*` |
///
/// Values are escaped, so that different arguments always give different keys. A parameter that looks like
/// data, such as an integer, a string or an id, must be in the key or in `skip`: calls that differ in it
/// would share one value otherwise.
///
/// # Tags
///
/// A tag is a name that entries have in common. To invalidate it is to invalidate all of them at once, however many there are
/// and whatever their keys: `#[invalidates(tag = "org:<org_id>")]`, or `cache.invalidate_tag(..)`.
///
/// ```
/// # use cache_runtime::{cached, invalidates};
/// # #[derive(serde::Serialize, serde::Deserialize)] struct User;
/// # struct PgPool; struct Error;
/// #[cached(key = "user:<id>", ttl = "1h", tags = ["org:<org_id>"], skip(org_id))]
/// async fn get_user(db: &PgPool, org_id: i64, id: i64) -> Result<User, Error> {
///     // SELECT .. FROM users JOIN orgs ..
/// #   let _ = (db, org_id, id); Err(Error)
/// }
///
/// #[cached(key = "users:<org_id>:<page>", ttl = "1h", tags = ["org:<org_id>"])]
/// async fn list_users(db: &PgPool, org_id: i64, page: u32) -> Result<Vec<User>, Error> {
///     // ..
/// #   let _ = (db, org_id, page); Err(Error)
/// }
///
/// #[invalidates(tag = "org:<org_id>")]
/// async fn rename_org(db: &PgPool, org_id: i64, name: &str) -> Result<(), Error> {
///     // UPDATE orgs SET name = $2 WHERE id = $1
/// #   let _ = (db, org_id, name); Ok(())
/// }
/// ```
///
/// Their templates are those of keys, over the parameters, which the companion then takes as well. At most 16, and a hit reads
/// one key more for each, in the same round trip; a miss asks once more for each. Functions without tags pay nothing. The
/// tags go with the key: functions that share an entry by `key = get_user_key(&id)` share its tags, and an entry that
/// was stored with other tags, by an older version of the program say, is a miss.
///
/// # Batches
///
/// With `batch(id in ids)` one call reads the entries of many ids, and the body runs once, with those that must be loaded;
/// not at all if all are there. The key is that of one id, and `id` is a reference: `key = get_user_key(id)` shares the
/// entries of `get_user`, so that either finds what the other has loaded and one invalidation reaches both.
/// `key = "user:<id>"` makes entries of its own, with a companion that takes one id.
///
/// ```
/// # use std::collections::HashMap;
/// # use cache_runtime::{cached, invalidates};
/// # #[derive(serde::Serialize, serde::Deserialize)] struct User;
/// # struct PgPool; struct Error;
/// #[cached(key = "user:<id>", ttl = 3600)]
/// async fn get_user(db: &PgPool, id: i64) -> Result<Option<User>, Error> {
///     // SELECT .. FROM users WHERE id = $1
/// #   let _ = (db, id); Err(Error)
/// }
///
/// #[cached(batch(id in ids), key = get_user_key(id), ttl = 3600, none_ttl = 30)]
/// async fn get_users(db: &PgPool, ids: &[i64]) -> Result<HashMap<i64, User>, Error> {
///     // SELECT .. FROM users WHERE id = ANY($1): `ids` are those that are missing
/// #   let _ = (db, ids); Err(Error)
/// }
///
/// #[invalidates(each(id in ids) get_user(id))]
/// async fn block_users(db: &PgPool, ids: &[i64]) -> Result<(), Error> {
///     // UPDATE users SET blocked = true WHERE id = ANY($1)
/// #   let _ = (db, ids); Ok(())
/// }
/// ```
///
/// | | |
/// |---|---|
/// | ids | `&[Id]`, `Vec<Id>`, `HashSet<Id>` or `BTreeSet<Id>`; an id is `Clone`, `Eq` and `Hash` |
/// | returns | `HashMap<Id, V>`, `BTreeMap<Id, V>` or `Vec<(Id, V)>`, the latter in the order of the ids; alone or in a `Result` |
/// | key | a `Key<V>`, or a `Key<Option<V>>`: `Some` is found, `None` is known not to be there |
///
/// An id is loaded once and returned once, however often it is given. Ids without a value are left out of the answer; with
/// `none_ttl`, which needs a `Key<Option<V>>`, they are remembered for that long. What the body returns for other ids than
/// it was given is ignored. `ttl` and `unless` by value see what one id stores.
///
/// For each id a batch does what a single call does: ids that others are loading, single calls or batches, are waited for, and
/// each is loaded once. What is to be loaded is loaded before anything is waited for; where the others fail, the body runs once
/// more. So parameters by value must be `Clone`, and a `&mut` one does not compile.
///
/// # The companion
///
/// A function `get_user` gets a companion `get_user_key(id: &i64) -> Key<User>` of the same visibility. It
/// takes the parameters that the key uses, by shared reference, and through it everything else is said:
/// reading, storing and invalidating by hand.
///
/// ```
/// # use cache_runtime::{cached, Key};
/// #[cached(key = "name:<id>", ttl = "1h")]
/// async fn get_name(id: i64) -> Option<String> {
/// #   let _ = id;
///     // ..
/// #   None
/// }
///
/// let key: Key<Option<String>> = get_name_key(&7);
/// ```
///
/// The implementation of a trait has no room for it: say `companion = false` there. (Methods under
/// `#[async_trait]` never have one.) An associated function without `self` finds its companion only if
/// it mentions `Self` somewhere.
///
/// In a generic `impl` block, put `<Self>` into the key if what the method returns depends on the block's
/// parameters.
///
/// # Other attributes
///
/// They are kept. The attribute that is written first is applied first: `#[tracing::instrument]` above
/// `#[cached]` traces the runs of the body, below it traces the calls.
#[proc_macro_attribute]
pub fn cached(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let expanded = expand_cached(args.into(), item.clone());
    expanded.unwrap_or_else(|errors| fallback::original(&item, &errors)).into()
}

/// Invalidates what a write makes outdated, so that no older value can be served or stored afterwards.
///
/// ```
/// # use cache_runtime::{cached, invalidates};
/// # #[derive(serde::Serialize, serde::Deserialize)] struct User { id: i64 }
/// # struct PgPool; struct Error;
/// # #[cached(key = "user:<id>", ttl = 3600, lock)]
/// # async fn get_user(db: &PgPool, id: i64) -> Result<User, Error> { let _ = (db, id); Err(Error) }
/// #[invalidates(get_user(id))]
/// async fn rename_user(db: &PgPool, id: i64, name: &str) -> Result<(), Error> {
///     // UPDATE users SET name = $2 WHERE id = $1
/// #   let _ = (db, id, name); Ok(())
/// }
///
/// #[invalidates(get_user(result.id), pattern = "users:by-name:*")]
/// async fn add_user(db: &PgPool, name: &str) -> Result<User, Error> {
///     // INSERT INTO users ..
/// #   let _ = (db, name); Ok(User { id: 7 })
/// }
/// ```
///
/// Before the body runs, a fence goes up around every target that is known by then: loads that have begun
/// can store nothing any more. After the body, whatever became of it, the targets are invalidated and the
/// fence comes down; also if the caller drops the future half-way or the body panics.
///
/// # Targets
///
/// | target | invalidates |
/// |---|---|
/// | `get_user(id)`, `users::get_user(id)`, `Self::get_user(id)`, `self.get_user(id)` | what a cached function stored for these arguments: the ones its companion takes |
/// | `key = "user:<id>"` | the key of this template: entries of another crate or service |
/// | `key = expression` | a `Key<T>` |
/// | `tag = "org:<org_id>"` | every entry that has this tag |
/// | `tag = expression` | the same, of a `Tag` |
/// | `pattern = "user:<id>:*"` | every key that matches the glob; a value in it stands for itself only |
/// | `each(id in ids) get_user(id)` | any of these for every item of a collection, all in one round trip |
///
/// Any number of them, over the parameters (also those that the body moves) and over `result`, a reference
/// to the value that the body returned: the `Ok` of a `Result`. A target over `result` is known after the
/// body only and has no fence; the other things it uses are cloned before.
///
/// In `each(id in ids)`, `ids` is anything that can be iterated over by reference, and `id` a reference to an item:
///
/// ```
/// # use cache_runtime::{cached, invalidates};
/// # #[derive(serde::Serialize, serde::Deserialize)] struct User { id: i64 }
/// # struct PgPool; struct Error;
/// # #[cached(key = "user:<id>", ttl = 3600, lock)]
/// # async fn get_user(db: &PgPool, id: i64) -> Result<User, Error> { let _ = (db, id); Err(Error) }
/// #[invalidates(each(id in ids) get_user(id))]
/// async fn block_users(db: &PgPool, ids: &[i64]) -> Result<(), Error> {
///     // UPDATE users SET blocked = true WHERE id = ANY($1)
/// #   let _ = (db, ids); Ok(())
/// }
///
/// #[invalidates(each(user in result) get_user(user.id))]
/// async fn import_users(db: &PgPool, file: &str) -> Result<Vec<User>, Error> {
///     // INSERT INTO users .. ON CONFLICT .. RETURNING *
/// #   let _ = (db, file); Ok(Vec::new())
/// }
/// ```
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `fence = "try"` | if the fence cannot be put up, the write goes on | this one |
/// | `fence = "strict"` | if it cannot, the write is refused: the error type implements `From<cache_runtime::Error>` | |
/// | `fence = "off"` | there is none; the targets are invalidated after the body | |
/// | `hold_off = "2s"` | for that long after the write nothing is stored, until replicas have caught up; a duration as in `#[cached]` | none |
/// | `only_ok` | do nothing if the body returns an error; but an error can hide a commit | off |
/// | `in_transaction` | the write is committed by its caller, inside `cache.after_commit(..)` | such a parameter is an error |
/// | `cache = expression` | a `Cache` or `&Cache` | the one of the task's scope, else the installed one |
/// | `crate = path` | where `cache_runtime` is, if not at `::cache_runtime` | |
#[proc_macro_attribute]
pub fn invalidates(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let expanded = expand_invalidates(args.into(), item.clone());
    expanded.unwrap_or_else(|errors| fallback::original(&item, &errors)).into()
}

/// Stores what a write knows in the cache, in place of what it makes outdated.
///
/// ```
/// # use cache_runtime::{cached, write_through};
/// # #[derive(Clone, serde::Serialize, serde::Deserialize)] struct User { id: i64, org: i64, name: String }
/// # struct PgPool; struct Error;
/// # #[cached(key = "user:<id>", ttl = 3600, none_ttl = 30)]
/// # async fn get_user(db: &PgPool, id: i64) -> Result<Option<User>, Error> { let _ = (db, id); Ok(None) }
/// # #[cached(key = "name:<id>", ttl = 3600)]
/// # async fn get_name(db: &PgPool, id: i64) -> Result<String, Error> { let _ = (db, id); Err(Error) }
/// # #[cached(key = "users:<org>", ttl = 3600, skip(db))]
/// # async fn list_users(db: &PgPool, org: i64) -> Result<Vec<User>, Error> { let _ = (db, org); Err(Error) }
/// #[write_through(get_user(id), invalidates(list_users(org)))]
/// async fn rename_user(db: &PgPool, org: i64, id: i64, name: &str) -> Result<Option<User>, Error> {
///     // UPDATE users SET name = $2 WHERE id = $1 RETURNING ..
/// #   let _ = (db, org, id, name); Ok(None)
/// }
///
/// #[write_through(get_user(user.id) = Some(result.clone()), get_name(user.id) = user.name)]
/// async fn save_user(db: &PgPool, user: User) -> Result<User, Error> {
///     // INSERT INTO users .. ON CONFLICT .. RETURNING ..
/// #   let _ = db; Ok(user)
/// }
/// ```
///
/// It is `#[invalidates]` with a value at its end, and gives the same guarantees: a fence goes up before the body,
/// and comes down after it together with whatever the entry held. The same command stores the value, if the
/// fence has stood all the time and nobody else has written the entry meanwhile; a value is never stored that
/// is not the database's last.
///
/// In all other cases the write has invalidated the entry, and the next reader loads: if the body returns an error
/// or panics, if the caller drops the future half-way, if another write overlapped, if the fence was not
/// acknowledged or had to be renewed (a body that takes longer than a third of the cache's `fence`, 10 s), if the
/// value is `None` and its function has no `none_ttl`, if its function's `unless` excludes it, or needs the
/// arguments of a call to tell, if it cannot be encoded or is too large. Where the store does not answer, the
/// write succeeds, and the invalidation is sent again until it is acknowledged.
///
/// The body must have committed when it returns. Inside `cache.after_commit(..)` it is not known whether it has,
/// so there the entries are invalidated only. A parameter that is a transaction does not compile.
///
/// # Values
///
/// | entry | stores |
/// |---|---|
/// | `get_user(id)`, `users::get_user(id)`, `Self::get_user(id)`, `self.get_user(id)` | the value that the body returned: the `Ok` of a `Result` |
/// | `get_user(id) = expression` | the expression's value, over the parameters and over `result`, a reference to the value that the body returned |
/// | `key = expression`, `key = expression = expression` | the same, in the entry of a `Key<T>` |
///
/// Any number of them. A value of another type than the function's does not compile; a reference to one will
/// do. Ttl, codec, version and tags are those of the cached function. Parameters in an expression are as they
/// were before the body: they are cloned (of a reference, the reference), and one that the body may change,
/// `mut` or `&mut`, does not compile.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `invalidates(..)` | targets as in [`#[invalidates]`](macro@invalidates), to be invalidated only | none |
/// | `fence = "strict"` | if the fence cannot be put up, the write is refused: the error type implements `From<cache_runtime::Error>` | `"try"`: it goes on, and stores nothing |
/// | `hold_off = "2s"` | where nothing was stored, nothing will be for that long, until replicas have caught up | none |
/// | `only_ok` | an error means that nothing was written; but an error can hide a commit | off |
/// | `cache = expression` | a `Cache` or `&Cache` | the one of the task's scope, else the installed one |
/// | `crate = path` | where `cache_runtime` is, if not at `::cache_runtime` | |
#[proc_macro_attribute]
pub fn write_through(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let expanded = expand_write_through(args.into(), item.clone());
    expanded.unwrap_or_else(|errors| fallback::original(&item, &errors)).into()
}

/// Makes a function the sink of a durable queue: what is pushed to the queue reaches the function in batches.
///
/// ```
/// # use cache_runtime::write_behind;
/// # #[derive(serde::Serialize, serde::Deserialize)] struct PageView { page: String, count: u64 }
/// # impl PageView { fn add(&mut self, newer: &Self) { self.count += newer.count } }
/// # #[derive(Clone)] struct PgPool; type Error = std::fmt::Error;
/// #[write_behind(queue = "page-views", key = "<view.page>", merge = PageView::add, linger = "1s")]
/// async fn save_views(db: &PgPool, views: Vec<PageView>) -> Result<(), Error> {
///     // INSERT INTO page .. ON CONFLICT .. UPDATE ..
/// #   let _ = (db, views); Ok(())
/// }
///
/// # async fn anywhere(page: String) -> Result<(), cache_runtime::Error> {
/// // In any process:
/// save_views_queue().push(PageView { page, count: 1 }).await?;
/// # Ok(()) }
///
/// # async fn worker(db: PgPool, stop: impl Future<Output = ()>) {
/// // In each process that is to deliver:
/// save_views_worker(&db).run(stop).await;
/// # }
/// ```
///
/// The queue is kept in Redis streams, whose partitions the workers of all processes share. Every item that was
/// acknowledged reaches the sink at least once, items of one key in their order, or becomes a dead letter after
/// `max_attempts`. A batch may come twice, which would count increments twice: the guide `cache_runtime::writing_behind` tells how a sink
/// makes that harmless, what Redis must be configured like, and what happens when something fails.
///
/// # The sink
///
/// Its last parameter is the batch: a `Vec<T>`, the items merged by key, or a `Batch<T>`, which also has the partition, the position and
/// the items' versions. `T` implements `serde::Serialize` and `serde::Deserialize`.
///
/// The others are what it needs: a pool, a client, a setting. The worker keeps them and hands a clone to each call. So a reference
/// is to something that can be cloned (`&PgPool`) or made an owned value (`&str`); `&mut`, transactions and types that
/// borrow do not compile.
///
/// It returns `Result<(), E>` with `E: Display`, or nothing. The function itself stays as it is and can still be called. It is a free
/// function or an associated one without `self` (which finds its companions only if it mentions `Self` somewhere), and not
/// generic.
///
/// # The companions
///
/// A sink `save_views(db: &PgPool, views: Vec<PageView>)` gets two, of the same visibility:
///
/// - `save_views_queue() -> Queue<PageView>`: to push, and to look after the queue.
/// - `save_views_worker(db: impl Own<PgPool>) -> Worker`: takes all parameters but the last, `db` or `&db` where the sink takes a
///   reference.
///
/// # Options
///
/// A duration is written as in [`#[cached]`](macro@cached).
///
/// | option | meaning | default |
/// |---|---|---|
/// | `queue = "page-views"` | the name by which all processes find it: ASCII letters, digits, `-`, `_`, `.`, `:` | required |
/// | `key = "<view.page>"` | a template as in `#[cached]`, over one item that you name as you like: items of one key keep their order, and are merged | no order, no merging |
/// | `merge = none` | every item of a key reaches the sink | the last one of a batch does |
/// | `merge = path` | an older and a newer item make one: `fn(&mut T, T)`, `fn(&mut T, &T)` or `fn(T, T) -> T` | |
/// | `put(get_views(view.page) = expression)` | a push stores this value in the entry of a cached function, at once; any number of them | |
/// | `batch = 500` | how many items the sink is given at most | `500` |
/// | `linger = "1s"` | how long the first item of a batch waits for others | 100 ms |
/// | `partitions = 8` | how many workers can share the queue | `8` |
/// | `max_len = 100_000` | how many items wait at most; then pushes wait, and fail | unbounded |
/// | `push_timeout = "5s"` | how long a push waits for room, for replicas, or for an answer that was lost | 5 s |
/// | `max_attempts = 5` | how often the sink is given an item by itself, before that becomes a dead letter | `5` |
/// | `on_unavailable = "direct"` | without Redis, a push hands the item to the sink of a worker in its process, and waits for it | this one |
/// | `on_unavailable = "error"` | without Redis, a push fails | |
/// | `replicas = 1` | how many replicas must have an item before `push` returns | `0` |
/// | `lease = "5s"` | how long the partitions of a worker that was killed wait for another one | 5 s |
/// | `codec = MessagePack` | how items are written | set by the cache |
/// | `cache = expression` | a `Cache` or `&Cache`: a static or a call, as there are no parameters yet | the one of the task's scope, else the installed one |
/// | `crate = path` | where `cache_runtime` is, if not at `::cache_runtime` | |
///
/// Two sinks must not share a queue: each would get a part of the items.
#[proc_macro_attribute]
pub fn write_behind(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let expanded = expand_write_behind(args.into(), &item);
    expanded.unwrap_or_else(|errors| fallback::original(&item, &errors)).into()
}

fn expand_cached(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function = syn::parse2(item)?;
    diagnostics::collect(|diagnostics| {
        let args = CachedArgs::parse(args, diagnostics);
        let model = Cached::new(&function, &args, diagnostics);
        check::cached(&model, diagnostics);
        expand::cached(&model)
    })
}

fn expand_invalidates(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function = syn::parse2(item)?;
    diagnostics::collect(|diagnostics| {
        let args = InvalidatesArgs::parse(args, diagnostics);
        let model = Invalidates::new(&function, &args, diagnostics);
        check::invalidates(&model, diagnostics);
        expand::invalidates(&model)
    })
}

fn expand_write_through(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function = syn::parse2(item)?;
    diagnostics::collect(|diagnostics| {
        let args = WriteThroughArgs::parse(args, diagnostics);
        let model = WriteThrough::new(&function, &args, diagnostics);
        check::write_through(&model, diagnostics);
        expand::write_through(&model)
    })
}

fn expand_write_behind(args: TokenStream, item: &TokenStream) -> syn::Result<TokenStream> {
    let function = syn::parse2(item.clone())?;
    let companions = diagnostics::collect(|diagnostics| {
        let args = WriteBehindArgs::parse(args, diagnostics);
        let model = WriteBehind::new(&function, &args, diagnostics);
        check::write_behind(&model, diagnostics);
        expand::write_behind(&model)
    })?;
    Ok(quote!(#item #companions))
}
