#![forbid(unsafe_code)]
#![deny(warnings, clippy::pedantic, missing_docs, unreachable_pub, unused_qualifications)]
#![no_implicit_prelude]
//! A crate as strict as they come, in which the usual names mean something else.

use ::std::iter::Iterator as _;

/// A row.
#[derive(::serde::Serialize, ::serde::Deserialize, Clone, Debug)]
pub struct User {
    id: i64,
}

#[allow(dead_code)]
type Option = ();
#[allow(dead_code)]
type Result = ();
#[allow(dead_code)]
mod core {}
#[allow(dead_code)]
mod std {}

/// Every option at once.
///
/// # Errors
///
/// For number 7.
#[::kv::cached(
    key = "user:<id>",
    ttl = 3600,
    lock(wait = "5s", lease = "10s"),
    jitter = 0.5,
    tags = ["org:<id>/<id:hash>", "users"],
    codec = Json,
    version = 3,
    when = id > 0,
    unless = |user| user.id == 3,
    max_concurrent_loads = 8,
    budget = "50ms",
    pooled,
    crate = ::kv
)]
pub async fn get_user(id: i64) -> ::std::result::Result<User, ::std::string::String> {
    if id == 7 {
        return ::std::result::Result::Err(::std::string::String::new());
    }
    ::std::result::Result::Ok(User { id })
}

/// A value that may be absent.
#[::kv::cached(key = "newest", ttl = 60, none_ttl = "3s", crate = ::kv)]
pub async fn newest() -> ::std::option::Option<User> {
    ::std::option::Option::Some(User { id: 7 })
}

/// The automatic key.
#[::kv::cached(ttl = "1h", crate = ::kv)]
pub async fn automatic(id: i64, name: &str) -> User {
    use ::std::borrow::ToOwned as _;
    let _ = name.to_owned();
    User { id }
}

/// A body that may run in the background, and every option about age.
///
/// # Errors
///
/// For number 7.
#[::kv::cached(
    key = "by-age:<id>:<name>",
    ttl = 3600,
    stale_while_revalidate = "10m",
    stale_if_error = "1h",
    load_timeout = "2s",
    early = 1.0,
    error_ttl = |error: &::std::string::String| {
        error.is_empty().then_some(::std::time::Duration::from_secs(5))
    },
    skip(pool),
    crate = ::kv
)]
pub async fn by_age(
    pool: &User,
    mut id: i64,
    name: &str,
) -> ::std::result::Result<User, ::std::string::String> {
    use ::std::ops::AddAssign as _;
    id.add_assign(pool.id);
    if id == 7 {
        let name = <::std::string::String as ::std::convert::From<&str>>::from(name);
        return ::std::result::Result::Err(name);
    }
    ::std::result::Result::Ok(User { id })
}

/// Parameters whose types Clippy likes by value only, or not in a reference.
#[::kv::cached(key = "types:<name:lower>/<title:trim:lower:hash>", ttl = 60, crate = ::kv)]
pub async fn types(
    name: ::std::option::Option<&str>,
    title: ::std::borrow::Cow<'_, str>,
) -> usize {
    name.map_or(0, str::len) + title.len()
}

/// A write of them.
#[::kv::invalidates(types(::std::option::Option::Some(title), title), crate = ::kv)]
pub async fn set_type(title: &str) {
    let _ = title;
}

/// Parameters whose names an expansion might use itself.
#[::kv::cached(key = "names:<key>:<read>:<cache>", ttl = 60, crate = ::kv)]
pub async fn names(key: i64, read: i64, cache: i64) -> i64 {
    key + read + cache
}

/// Why a value is refused.
#[derive(Clone, Debug)]
pub struct Refused;

impl ::std::convert::From<::kv::Error> for Refused {
    fn from(_: ::kv::Error) -> Self {
        Self
    }
}

/// Values that must come back as they were.
///
/// # Errors
///
/// If one does not.
#[::kv::cached(key = "exact:<id>", ttl = 60, strict_values, crate = ::kv)]
pub async fn exact(id: i64) -> ::std::result::Result<User, Refused> {
    ::std::result::Result::Ok(User { id })
}

/// Values that need not.
#[::kv::cached(key = "lossy:<id>", ttl = 60, lossy_values, crate = ::kv)]
pub async fn lossy(id: i64) -> User {
    User { id }
}

/// A handle.
#[derive(Debug)]
pub struct Pool;

/// Handles, whose names an expansion might use itself.
#[::kv::cached(key = "handles", ttl = 60, crate = ::kv)]
pub async fn handles(asked: &Pool, handle: ::std::sync::Arc<Pool>) -> i64 {
    let _ = (asked, handle);
    0
}

/// Many at once.
///
/// # Errors
///
/// Never.
#[::kv::cached(
    batch(id in ids),
    key = get_user_key(id),
    ttl = |user| ::std::time::Duration::from_secs(user.id.unsigned_abs()),
    lock,
    when = limit > 0,
    unless = |user| user.id == 3,
    jitter = 0.1,
    skip(limit),
    crate = ::kv
)]
pub async fn get_users(
    ids: &[i64],
    mut limit: usize,
) -> ::std::result::Result<::std::collections::HashMap<i64, User>, ::std::string::String> {
    use ::std::ops::SubAssign as _;
    limit.sub_assign(1);
    ::std::result::Result::Ok(ids.iter().take(limit).map(|id| (*id, User { id: *id })).collect())
}

/// Many with keys of their own.
#[::kv::cached(batch(id in ids), key = "one:<org>:<id>", ttl = 60, none_ttl = 1, crate = ::kv)]
pub async fn get_own(
    org: &str,
    ids: ::std::collections::BTreeSet<i64>,
) -> ::std::vec::Vec<(i64, User)> {
    let _ = org;
    ids.iter().map(|id| (*id, User { id: *id })).collect()
}

/// Items of every kind.
#[::kv::invalidates(
    each(id in ids) get_user(id),
    each(user in users) key = "user:<user.id>",
    each(user in users) tag = "org:<user.id>",
    each(id in result) get_user(id),
    crate = ::kv
)]
pub async fn each(ids: &[i64], users: ::std::vec::Vec<User>) -> ::std::vec::Vec<i64> {
    use ::std::borrow::ToOwned as _;
    let _ = users;
    ids.to_owned()
}

/// Targets over what was there before, and some that may lag.
#[::kv::invalidates(
    get_user(before.id),
    key = "a:<before.id>",
    keep_stale(each(id in ids) get_user(id), get_user(result.id), tag = "org:<before.id>"),
    before = async { ::std::option::Option::Some(User { id }) },
    crate = ::kv
)]
pub async fn replace_user(id: i64, ids: &[i64]) -> User {
    let _ = ids;
    User { id }
}

/// Targets of every kind.
///
/// # Errors
///
/// Never.
#[::kv::invalidates(
    get_user(id),
    automatic(id, name),
    get_user(result.id),
    key = "a:<id>",
    key = "b:<result.id>:<name>",
    tag = "org:<id>/<name>",
    tag = "org:<result.id>",
    pattern = "c:<id>:*",
    in_doubt = |error| error.len() > 3,
    pooled,
    crate = ::kv
)]
pub async fn rename_user(
    id: i64,
    name: &str,
) -> ::std::result::Result<User, ::std::string::String> {
    let _ = name;
    ::std::result::Result::Ok(User { id })
}

/// Values of every kind.
///
/// # Errors
///
/// Never.
#[::kv::write_through(
    automatic(user.id, name),
    automatic(id, name) = user,
    get_user(id) = ::std::clone::Clone::clone(result),
    key = names_key(&id, &id, &id) = id + result.id,
    invalidates(automatic(result.id, name), key = "a:<id>", tag = "org:<result.id>", pattern = "c:<id>:*"),
    only_ok,
    in_doubt = ::std::string::String::is_empty,
    pooled,
    crate = ::kv
)]
pub async fn save_user(
    id: i64,
    name: &str,
    user: User,
) -> ::std::result::Result<User, ::std::string::String> {
    use ::std::ops::Add as _;
    let _ = name;
    ::std::result::Result::Ok(User { id: user.id.add(id) })
}

/// A sink with every option.
///
/// # Errors
///
/// Never.
#[::kv::write_behind(
    queue = "users",
    key = "<user.id>",
    batch = 100,
    linger = "10ms",
    partitions = 2,
    merge = newer,
    put(get_user(user.id) = ::std::clone::Clone::clone(user)),
    put(automatic(7, "name") = User { id: 7 }),
    max_len = 1_000,
    push_timeout = "1s",
    max_attempts = 3,
    on_unavailable = "error",
    replicas = 1,
    lease = "10s",
    codec = Json,
    version = 2,
    lossy_values,
    pooled,
    crate = ::kv
)]
pub async fn save_users(
    table: &str,
    log: ::std::string::String,
    users: ::std::vec::Vec<User>,
) -> ::std::result::Result<(), ::std::string::String> {
    let _ = (table, log, users);
    ::std::future::ready(()).await;
    ::std::result::Result::Ok(())
}

fn newer(_: User, newer: User) -> User {
    newer
}

/// A sink that is told no more than it must be, with names that an expansion might use itself.
#[::kv::write_behind(queue = "keys", key = "<key>", crate = ::kv)]
pub async fn batch(batch: i64, queue: i64, puts: ::kv::Batch<i64>) {
    let _ = (batch, queue, puts);
    ::std::future::ready(()).await;
}

/// A function that names its cache.
#[::kv::cached(key = "named:<id>", ttl = 60, cache = cache, crate = ::kv)]
pub async fn named(cache: &::kv::Cache, id: i64) -> i64 {
    let _ = cache;
    id
}

/// A write that names the same.
#[::kv::invalidates(named(id), cache = cache, crate = ::kv)]
pub async fn set_named(cache: &::kv::Cache, id: i64) {
    let _ = (cache, id);
}

/// A repository.
#[derive(Debug)]
pub struct Repository {
    tenant: i64,
    cache: ::kv::Cache,
}

impl Repository {
    /// A method whose key uses `self`.
    #[::kv::cached(key = "tenant:<self.tenant>:<id>", ttl = 60, crate = ::kv)]
    pub async fn get(&self, id: i64) -> User {
        User { id: id + self.tenant }
    }

    /// A method that names its cache.
    #[::kv::cached(key = "shop:<self.tenant>:<id>", ttl = 60, cache = self.cache, crate = ::kv)]
    pub async fn shop(&self, id: i64) -> i64 {
        id + self.tenant
    }

    /// A write in the other cache.
    #[::kv::invalidates(Self::listed(id), crate = ::kv)]
    pub async fn list(&self, id: i64) {
        let _ = id;
    }

    /// An entry in the other cache.
    #[::kv::cached(key = "listed:<id>", ttl = 60, crate = ::kv)]
    pub async fn listed(&self, id: i64) -> i64 {
        let _ = self;
        id
    }

    /// An associated function.
    #[::kv::write_behind(queue = "repository", crate = ::kv)]
    pub async fn save(repository: &'static Self, users: ::std::vec::Vec<User>) {
        let _ = (repository, users);
        ::std::future::ready(()).await;
    }

    /// A method that has nothing of `self` in its key.
    #[::kv::cached(key = "method:<id>", ttl = 60, crate = ::kv)]
    pub async fn method(&self, id: i64) -> i64 {
        id
    }

    /// A write of the same entry.
    #[::kv::invalidates(self.get(id), crate = ::kv)]
    pub async fn set(&self, id: i64) {
        let _ = id;
    }

    /// A write that stores it.
    #[::kv::write_through(self.get(id) = User { id: self.tenant }, crate = ::kv)]
    pub async fn put(&self, id: i64) {
        let _ = id;
    }
}
