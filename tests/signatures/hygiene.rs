//! Code that shares nothing with the prelude, and another name of the crate.
#![no_implicit_prelude]

use ::cache_runtime as caching;

#[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
pub struct User {
    id: i64,
    serial: u64,
}

// Names that an expansion must not pick up.
mod std {}
mod core {}
#[expect(dead_code, reason = "names that an expansion must not pick up")]
type Option = ();
#[expect(dead_code, reason = "names that an expansion must not pick up")]
type Result = ();

#[caching::cached(
    key = "user:<id>",
    ttl = 3600,
    lock(wait = "5s"),
    crate = caching,
    jitter = 0.5,
    codec = Json,
    when = id > 0,
    unless = |user| user.id == 3
)]
async fn get_user(id: i64) -> ::std::result::Result<User, ()> {
    if id == 7 {
        return ::std::result::Result::Err(());
    }
    ::std::result::Result::Ok(User { id, serial: crate::once::serial() })
}

#[caching::cached(ttl = "1h", crate = caching)]
async fn automatic(id: i64, name: &str) -> User {
    let _ = name;
    User { id, serial: crate::once::serial() }
}

#[caching::invalidates(
    get_user(id),
    automatic(id, name),
    get_user(result.id),
    key = "a:<id>",
    key = "b:<result.id>:<name>",
    crate = caching
)]
async fn rename_user(id: i64, name: &str) -> ::std::result::Result<User, ()> {
    let _ = name;
    ::std::result::Result::Ok(User { id, serial: crate::once::serial() })
}

pub(crate) async fn no_prelude_and_another_name() {
    use ::std::assert_eq;
    use ::std::assert_ne;

    let cache = caching::Cache::in_memory();
    let calls = async {
        let (user, other) = (get_user(1).await, automatic(1, "Ada").await);
        assert_eq!(get_user(1).await, user);
        assert_eq!(automatic(1, "Ada").await, other);
        assert_ne!(automatic(1, "Eve").await, other);
        ::std::assert!(rename_user(1, "Ada").await.is_ok());
        assert_ne!(get_user(1).await, user);
        assert_ne!(automatic(1, "Ada").await, other);
        assert_eq!(get_user(7).await, ::std::result::Result::Err(()));
    };
    cache.scope(calls).await;
    assert_eq!(automatic_key(&1, "Ada").as_str(), "signatures::hygiene::automatic:1:Ada");
}
