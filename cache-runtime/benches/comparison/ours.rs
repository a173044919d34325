//! Annotated functions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::cached;

use super::subject::{Page, User};

/// Bodies of `slow_user` that ran in this process.
pub(crate) static LOADS: AtomicU64 = AtomicU64::new(0);

#[cached(key = "user:<id>", ttl = 3600)]
pub(crate) async fn user(id: u64) -> User {
    User::new(id)
}

#[cached(key = "page:<number>", ttl = 3600)]
pub(crate) async fn page(number: u64) -> Page {
    Page::new(number)
}

#[cached(key = "slow:<id>", ttl = 3600, lock, skip(body))]
pub(crate) async fn slow_user(id: u64, body: Duration) -> User {
    LOADS.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(body).await;
    User::new(id)
}
