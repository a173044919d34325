//! Read-through caching.

#[cfg_attr(not(test), expect(dead_code, reason = "wired by the cache"))]
mod log;
#[cfg_attr(not(test), expect(dead_code, reason = "wired by the cache"))]
mod record;
#[cfg_attr(not(test), expect(dead_code, reason = "wired by the cache"))]
mod store;
#[cfg_attr(not(test), expect(dead_code, reason = "wired by the cache"))]
mod token;
