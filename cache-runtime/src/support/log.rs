//! One event per change of state, and for those who look at every call one per counter; nothing
//! without the feature `tracing`.

use std::fmt;

/// Something got worse.
pub(crate) fn warn(event: fmt::Arguments<'_>) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "cache_runtime", "{event}");
    #[cfg(not(feature = "tracing"))]
    let _ = event;
}

/// Something was counted.
#[inline]
pub(crate) fn trace(event: fmt::Arguments<'_>) {
    #[cfg(feature = "tracing")]
    tracing::trace!(target: "cache_runtime", "{event}");
    #[cfg(not(feature = "tracing"))]
    let _ = event;
}

/// Something got better, or is used from now on.
pub(crate) fn info(event: fmt::Arguments<'_>) {
    #[cfg(feature = "tracing")]
    tracing::info!(target: "cache_runtime", "{event}");
    #[cfg(not(feature = "tracing"))]
    let _ = event;
}
