//! The items that expansions of the attribute macros use. Not part of the public API: they change without notice.

pub use core;
#[cfg(feature = "catalog")]
pub use inventory;

#[cfg(feature = "catalog")]
pub use crate::catalog::{CachedSite, Target, WriteSite};

pub use crate::callsite::Callsite;
pub use crate::detach::{detach, detach_lent};
pub use crate::errors::{
    Cloned as ErrorsCloned, Forgotten as ErrorsForgotten, Written as ErrorsWritten,
    ttl as error_ttl,
};
pub use crate::key::KeyText;
use crate::key::{Tag, TagText};
pub use crate::outcome::{
    IsAbsent, NeverAbsent, Otherwise, Outcome, Probe, Returns, Unshared, Value, Written,
};
pub use crate::queue::{
    Fold, Place, Puts, QueueBuilder, QueueSite, SinkResult, merge, queue, worker,
};
pub use crate::read::{
    Again, Answers, Batched, HeldBy, Id, Ids, Negative, Read, ReadMany, again, read, read_many,
};
pub use crate::write::{Targets, Through, Values, Write, kept, write};
pub use crate::{
    __batched as batched, __catalog as catalog, __errors as errors, __outcome as outcome,
    __returns as returns, __strict as strict, __through as through, __value as value,
};

/// Starts the key of a function.
pub fn key(callsite: &'static Callsite) -> KeyText {
    KeyText::new(callsite)
}

/// Starts a tag.
pub fn tag() -> TagText {
    Tag::builder()
}

/// Starts a key or a pattern that belongs to no function.
pub fn template() -> KeyText {
    KeyText::new(&crate::callsite::BY_HAND)
}
