//! One event per change of state, or nothing without the feature `tracing`.

use std::fmt;

/// Something got worse.
pub(crate) fn warn(event: fmt::Arguments<'_>) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "cache_runtime", "{event}");
    #[cfg(not(feature = "tracing"))]
    let _ = event;
}

/// Something got better.
pub(crate) fn info(event: fmt::Arguments<'_>) {
    #[cfg(feature = "tracing")]
    tracing::info!(target: "cache_runtime", "{event}");
    #[cfg(not(feature = "tracing"))]
    let _ = event;
}
