//! A limit on how deeply values are nested.
//!
//! A recursive type uses stack for every level, and the input decides how many levels there are: to postcard, a
//! megabyte of `0x01` is a million nodes of `struct Node { next: Option<Box<Node>> }`; to JSON, whose own limit
//! counts only brackets, the digit `1` is infinitely many levels of `struct Wrapped(Option<Box<Wrapped>>)`. The limit
//! of `rmp-serde`, 1024, is more than 2 MiB of stack can hold in a debug build. So every codec is wrapped in these
//! adapters, which count a value inside another as one level: elements, keys, fields, the contents of a `Some`, of a
//! newtype and of a variant (two levels if the variant has fields, as in JSON).
//!
//! Levels are counted in the same way in both directions, so that whatever is stored can be read.

mod de;
mod ser;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::{Serialize, Serializer};

/// How many values may be inside one another. `serde_json` reads 127 brackets, and a thread with 2 MiB of stack has
/// room for 16 KiB per level.
pub(super) const LEVELS: u8 = 127;

/// A serde object, and how many levels are left below it.
struct Depth<T> {
    inner: T,
    left: u8,
}

impl<T> Depth<T> {
    /// Wraps `inner` at the same depth.
    fn wrap<U>(&self, inner: U) -> Depth<U> {
        Depth { inner, left: self.left }
    }
}

/// One level less, or the error `E` if there is none left.
fn deeper<E>(left: u8, error: fn(&'static str) -> E) -> Result<u8, E> {
    left.checked_sub(1).ok_or_else(|| error("nested too deep"))
}

/// A value that is written and read within [`LEVELS`].
pub(super) struct Bounded<T>(pub(super) T);

impl<T: Serialize> Serialize for Bounded<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Depth { inner: self.0, left: LEVELS }.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Depth { inner: deserializer, left: LEVELS - 1 }).map(Self)
    }
}
