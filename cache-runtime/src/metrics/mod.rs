//! Counters per function. Always on, at a few nanoseconds per event.

mod event;
#[cfg(feature = "metrics")]
mod export;
mod histogram;
mod list;
mod outcome;
pub(crate) mod queue;
mod recorder;
mod snapshot;
mod table;

pub(crate) use self::event::Event;
pub use self::histogram::Latency;
pub(crate) use self::outcome::Ending;
pub use self::outcome::{MissReason, Misses, OutcomeKind, Outcomes, UncachedCalls, UncachedReason};
pub use self::queue::{MeasuredLength, QueueLength, QueueStats};
pub(crate) use self::recorder::Recorder;
pub use self::snapshot::{BreakerState, FunctionStats, Stats};
