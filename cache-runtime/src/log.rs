//! Log lines: one per change of state, never one per call.

/// Something an operator should know.
macro_rules! warning {
    ($($argument:tt)*) => {
        #[cfg(feature = "tracing")]
        tracing::warn!(target: "cache", $($argument)*);
    };
}

/// A change for the better.
macro_rules! notice {
    ($($argument:tt)*) => {
        #[cfg(feature = "tracing")]
        tracing::info!(target: "cache", $($argument)*);
    };
}

pub(crate) use {notice, warning};
