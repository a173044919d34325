//! How calls end, why some are uncached, and why lookups find nothing.

use std::fmt;

use serde::Serialize;

use crate::metrics::list::{miss_reasons, outcomes, uncached_reasons};
use crate::metrics::names::names;
use crate::metrics::snapshot::Counter;

macro_rules! kinds {
    (
        $(#[$kind_doc:meta])*
        $kind:ident, $counts:ident => $metric:literal, $label:ident, shown as $prefix:literal;
        $($(#[$doc:meta])* $field:ident: $variant:ident;)*
    ) => {
        $(#[$kind_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum $kind {
            $($(#[$doc])* $variant,)*
        }

        impl $kind {
            /// All of them.
            pub const ALL: [Self; [$(stringify!($variant)),*].len()] = [$(Self::$variant),*];

            #[doc = concat!("The value of the label `", stringify!($label), "`.")]
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($field),)*
                }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[doc = concat!("A count for each [`", stringify!($kind), "`].")]
        #[doc = concat!(
            "\n\nExported as `", $metric, "`, by the label `", stringify!($label), "`."
        )]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        #[non_exhaustive]
        pub struct $counts {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl $counts {
            pub(super) fn new(count: impl Fn($kind) -> u64) -> Self {
                Self { $($field: count($kind::$variant),)* }
            }

            /// The count of one of them.
            #[must_use]
            pub const fn of(&self, kind: $kind) -> u64 {
                match kind {
                    $($kind::$variant => self.$field,)*
                }
            }

            /// The sum of all counts.
            #[must_use]
            pub const fn total(&self) -> u64 {
                0 $(+ self.$field)*
            }

            /// Every counter, with its metric.
            pub(super) fn counters(&self) -> impl Iterator<Item = Counter> + use<> {
                [$(Counter {
                    field: concat!($prefix, stringify!($field)),
                    count: self.$field,
                    metric: $metric,
                    label: (stringify!($label), stringify!($field)),
                }),*]
                .into_iter()
            }
        }
    };
}
outcomes!(kinds);
uncached_reasons!(kinds);
miss_reasons!(kinds);

names! {
    /// How the run of a body ended.
    pub enum LoadResult {
        /// With a value.
        Ok = "ok",
        /// With an error.
        Failed = "error",
        /// It was dropped, or panicked.
        Cancelled = "cancelled",
    }
}

/// How a call ends: its outcome, and why if it is [`OutcomeKind::Uncached`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) kind: OutcomeKind,
    pub(crate) why: Option<UncachedReason>,
    /// How long the load took that the store has spared the call, in milliseconds.
    pub(crate) saved_ms: u32,
}

impl Ending {
    /// The call was served a value whose load took so long.
    pub(crate) fn served(kind: OutcomeKind, cost_ms: u32) -> Self {
        Self { kind, why: None, saved_ms: cost_ms }
    }
}

impl From<OutcomeKind> for Ending {
    fn from(kind: OutcomeKind) -> Self {
        Self { kind, why: None, saved_ms: 0 }
    }
}

impl From<UncachedReason> for Ending {
    fn from(why: UncachedReason) -> Self {
        Self { kind: OutcomeKind::Uncached, why: Some(why), saved_ms: 0 }
    }
}
