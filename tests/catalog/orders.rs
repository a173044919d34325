//! Functions whose keys collide, and a write that misses.

use cache_runtime::{Cache, cached, invalidates};

#[cached(key = "name:<id>", ttl = 60)]
async fn get_name(id: i64) -> String {
    id.to_string()
}

#[cached(key = "name:<id>", ttl = 60)]
async fn get_title(id: i64) -> Option<String> {
    Some(id.to_string())
}

/// May be `7`.
#[cached(key = "count:<kind>", ttl = 60)]
async fn get_any(kind: &str) -> bool {
    kind.is_empty()
}

#[cached(key = "count:<id>", ttl = 60)]
async fn get_count(id: i64) -> u64 {
    id.unsigned_abs()
}

/// In a cache of its own it meets nobody.
#[cached(key = "count:<id>", ttl = 60, cache = cache)]
async fn get_elsewhere(cache: &Cache, id: i64) -> String {
    id.to_string()
}

#[cached(key = "orders:<name>", ttl = 60)]
async fn find(name: &str) -> u64 {
    name.len() as u64
}

#[invalidates(find(name))]
async fn cancel(name: &str) {
    _ = name;
}

#[invalidates(crate::users::find(name))]
async fn cancel_for(name: &str) {
    _ = name;
}

/// A slip of the pen.
#[invalidates(key = "ordre:<id>")]
async fn forget(id: i64) {
    _ = id;
}
