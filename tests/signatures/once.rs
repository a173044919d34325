//! Proof that a body ran once.

use std::sync::atomic::{AtomicU64, Ordering};

use cache_runtime::{Cache, Key};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A number that no other run of any body has.
pub fn serial() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// A value that tells which run it is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub id: i64,
    pub serial: u64,
}

pub fn row(id: i64) -> Row {
    Row { id, serial: serial() }
}

/// Not `Clone`, as most errors are not.
#[derive(Debug, PartialEq, Eq)]
pub struct Failed(pub u64);

impl From<std::num::ParseIntError> for Failed {
    fn from(_: std::num::ParseIntError) -> Self {
        Self(serial())
    }
}

/// Stands for a pool of connections.
#[derive(Debug)]
pub struct Pool;

/// What is stored under `key`, as it was told apart from nothing.
pub async fn stored(cache: &Cache, key: &'static str) -> Option<Value> {
    cache.get(&Key::<Value>::builder().text(key).done()).await.unwrap()
}

/// Runs `$call` twice over a cache of its own. The body runs once: both give the same, and that is
/// stored under `$key`.
macro_rules! once {
    ($key:expr, $call:expr) => {{
        let cache = ::cache_runtime::Cache::in_memory();
        let first = cache.scope(async { $call.await }).await;
        let second = cache.scope(async { $call.await }).await;
        assert_eq!(first, second, "the body ran again");
        let expected = ::serde_json::to_value(&first).unwrap();
        assert_eq!($crate::once::stored(&cache, $key).await, Some(expected));
        first
    }};
}
pub(crate) use once;

/// As `once`, of a call that may fail.
macro_rules! once_ok {
    ($key:expr, $call:expr) => {
        $crate::once::once!($key, async { $call.await.unwrap() })
    };
}
pub(crate) use once_ok;

/// Runs `$call` twice over a cache of its own: the body runs each time, and nothing is stored under
/// `$key`.
macro_rules! each_time {
    ($key:expr, $call:expr) => {{
        let cache = ::cache_runtime::Cache::in_memory();
        let first = cache.scope(async { $call.await }).await;
        let second = cache.scope(async { $call.await }).await;
        assert_eq!($crate::once::stored(&cache, $key).await, None);
        (first, second)
    }};
}
pub(crate) use each_time;
