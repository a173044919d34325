//! Counters per function. Always on, at a few nanoseconds per event.

mod event;
#[cfg(feature = "metrics")]
mod export;
#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "prometheus-client", test))]
pub(crate) mod families;
mod histogram;
mod list;
mod measured;
mod names;
mod not_stored;
mod observer;
mod outcome;
#[cfg(feature = "prometheus-client")]
mod prometheus;
pub(crate) mod queue;
mod recorder;
mod round_trips;
mod row;
#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "prometheus-client", test))]
pub(crate) mod samples;
mod snapshot;
mod stores;
mod stripes;
mod table;

pub(crate) use self::event::Event;
#[cfg(feature = "opentelemetry")]
pub(crate) use self::histogram::UpperBound;
pub use self::histogram::{Histogram, Histograms};
pub use self::not_stored::NotStored;
pub(crate) use self::observer::ObserverHandle;
pub use self::observer::{Observation, Observer};
pub(crate) use self::outcome::Ending;
pub use self::outcome::{
    LoadResult, MissReason, Misses, OutcomeKind, Outcomes, UncachedCalls, UncachedReason,
};
pub use self::queue::{MeasuredLength, QueueLength, QueueStats};
pub(crate) use self::recorder::Recorder;
pub(crate) use self::round_trips::RoundTrips;
pub use self::round_trips::{OperationStats, ServerStats, StoreFailure, StoreOperation};
pub use self::snapshot::{FunctionStats, Stats};
pub use self::stores::{BreakerState, EmbeddedStats};
