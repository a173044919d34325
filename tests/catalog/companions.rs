//! Functions that writes know by their companions.

use cache_runtime::{cached, invalidates, write_through};

#[cached(key = "companions:<id>", ttl = 60)]
async fn usual(id: i64) -> i64 {
    id
}

#[cached(key = "companions:named:<id>", ttl = 60, companion = entry)]
async fn named(id: i64) -> i64 {
    id
}

/// A key that looks like that of `entry`, which is no function.
#[cached(key = "companions:suffixed:<id>", ttl = 60, companion = entry_key)]
async fn suffixed(id: i64) -> i64 {
    id
}

#[cached(key = entry(&id), ttl = 60)]
async fn named_too(id: i64) -> i64 {
    id
}

#[invalidates(usual_key(id))]
async fn by_usual(id: i64) {
    _ = id;
}

#[invalidates(key = entry(&id))]
async fn by_named(id: i64) {
    _ = id;
}

#[write_through(entry_key(id))]
async fn by_suffixed(id: i64) -> i64 {
    id
}
