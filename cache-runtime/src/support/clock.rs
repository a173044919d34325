//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
pub(crate) fn wall_us() -> u64 {
    #[cfg(test)]
    if let Some(clock) = crate::testing::simulation::clock() {
        return clock.wall_us();
    }
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(wall.as_micros()).unwrap_or_default()
}
