//! A hash that is the same for equal values of any serializable type in every process, and
//! different for others.
//!
//! The value is written in a form of its own ([`encoder`]), in which all that serde distinguishes
//! differs, and the bytes are hashed. A codec's form will not do: to JSON, `None`, `()`,
//! `Some(None)`, infinities and NaN are all `null`.

mod encoder;
mod layout;
mod lists;
#[cfg(test)]
mod tests;
mod types;

use std::any::type_name;
use std::fmt;

use serde::Serialize;

use self::encoder::{Refusal, encode};
use crate::key::builder::Hash;

/// A value that has no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Unhashable {
    /// The name of its type.
    ty: &'static str,
    why: Refusal,
}

/// Hashes a value.
pub(super) fn hash<T: Serialize + ?Sized>(value: &T) -> Result<Hash, Unhashable> {
    let mut bytes = Vec::with_capacity(256);
    match encode(value, &mut bytes) {
        Ok(()) => Ok(Hash::of(&bytes)),
        Err(why) => Err(Unhashable { ty: type_name::<T>(), why }),
    }
}

/// Names types, and never a value.
impl fmt::Display for Unhashable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ty, why } = self;
        write!(f, "a value of type `{ty}` cannot be hashed for a key, because ")?;
        match why {
            Refusal::Unserializable => f.write_str(
                "it does not serialize, like a path that is not UTF-8: put parts of it that do \
                 into the key, or implement `KeyPart` for its type",
            ),
            Refusal::TooDeep => f.write_str("it is nested too deep: put parts of it into the key"),
            Refusal::Skipped(ty) => write!(
                f,
                "serde skips a field of `{ty}`, so that values which differ there would have the \
                 same key: put the fields that count into the key, `<name.field>`, or implement \
                 `KeyPart` for the type",
            ),
        }
    }
}
