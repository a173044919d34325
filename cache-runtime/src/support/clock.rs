//! The wall clock.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Gives the time instead, where it gives any: that of a simulation.
pub(crate) static SUBSTITUTE: OnceLock<fn() -> Option<u64>> = OnceLock::new();

/// Microseconds since 1970.
pub(crate) fn wall_us() -> u64 {
    if let Some(simulated) = SUBSTITUTE.get().and_then(|substitute| substitute()) {
        return simulated;
    }
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(wall.as_micros()).unwrap_or_default()
}
