//! What expansions of the attribute macros name. No part of the public interface: it changes without notice.

pub use core;

pub use crate::callsite::Callsite;
pub use crate::key::KeyText;
pub use crate::outcome::{
    IsAbsent, NeverAbsent, Otherwise, Outcome, Probe, Returns, Unshared, Value, Written,
};
pub use crate::queue::{Puts, QueueBuilder, QueueSite, SinkResult, queue, worker};
pub use crate::read::{Read, read};
pub use crate::write::{Targets, Write, write};
pub use crate::{__outcome as outcome, __returns as returns, __strict as strict, __value as value};

/// Starts the key of a function.
pub fn key(callsite: &'static Callsite) -> KeyText {
    KeyText::new(callsite)
}

/// Starts a key or a pattern that belongs to no function.
pub fn template() -> KeyText {
    KeyText::new(&crate::callsite::BY_HAND)
}
