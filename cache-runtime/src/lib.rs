//! Read-through caching.

mod background;
mod budget;
mod cache;
mod call;
mod callsite;
mod codec;
mod error;
mod flight;
mod journal;
mod key;
mod log;
#[cfg(cache_mutants)]
mod mutants;
mod outcome;
mod private;
mod read;
mod record;
#[cfg(test)]
mod simulation;
mod stats;
mod store;
mod token;
mod write;

pub use cache_macros::{cached, invalidates};

pub use crate::cache::{Cache, CacheBuilder, Keys};
pub use crate::call::{Call, CallExt};
pub use crate::codec::Codec;
pub use crate::error::{Error, ErrorKind};
pub use crate::key::{Key, KeyPart, KeyText, Segment};
pub use crate::stats::{FunctionStats, Latency, Stats};

#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}
