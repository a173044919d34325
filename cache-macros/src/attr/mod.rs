//! What the user wrote in the attribute, with its spans. Nothing here looks at two options
//! together.
//!
//! Each attribute has one table of its options (`options`), whose rows say how a value is parsed
//! (`value`, `duration`, `key`, ..) and where it is kept (`argument`).

mod argument;
pub(crate) mod batch;
pub(crate) mod cached;
#[cfg(test)]
mod documented;
pub(crate) mod duration;
pub(crate) mod each;
mod entry;
pub(crate) mod invalidates;
pub(crate) mod kept;
mod key;
mod name;
mod options;
mod pieces;
pub(crate) mod put;
pub(crate) mod setting;
pub(crate) mod tags;
pub(crate) mod target;
#[cfg(test)]
mod tests;
mod unknown;
mod value;
pub(crate) mod write_behind;
pub(crate) mod write_through;

pub(crate) use self::argument::List;
pub(crate) use self::key::KeyArg;
