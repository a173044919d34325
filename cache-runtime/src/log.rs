//! Log lines: one per change of state, never one per call.

/// Something an operator should know.
macro_rules! warning {
    ($($argument:tt)*) => {
        #[cfg(feature = "tracing")]
        tracing::warn!(target: "cache", $($argument)*);
        // What is only ever logged is used all the same.
        #[cfg(not(feature = "tracing"))]
        let _ = format_args!($($argument)*);
    };
}

/// A change for the better.
macro_rules! notice {
    ($($argument:tt)*) => {
        #[cfg(feature = "tracing")]
        tracing::info!(target: "cache", $($argument)*);
        #[cfg(not(feature = "tracing"))]
        let _ = format_args!($($argument)*);
    };
}

pub(crate) use {notice, warning};
