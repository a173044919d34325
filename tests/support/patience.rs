//! Caches to which a machine that is busy, or stands still for seconds, makes no difference.

use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder};

/// Longer than any test. A wait or a budget of this length never ends by itself.
pub const AGES: Duration = Duration::from_secs(3_600);

/// Longer than any machine stands still. What was not given back when a test is over ends by itself within its limits.
const WHILE: Duration = Duration::from_secs(60);

/// Settings with which no call goes without the cache, no lease and no fence is lost, and none is renewed, unless a test
/// wants it so.
pub fn patient() -> CacheBuilder {
    Cache::builder().budget(AGES).lease(WHILE).fence(WHILE)
}
