//! A bound on how deep values are nested.
//!
//! A recursive type takes stack for every level, and the bytes decide how many there are: a megabyte of `0x01` is a
//! million nodes of `struct Node { next: Option<Box<Node>> }` to postcard, and the digit `1` is an endless number of
//! `struct Wrapped(Option<Box<Wrapped>>)` to JSON, whose own bound counts brackets only. That of
//! `rmp-serde`, 1024, is more than 2 MiB of stack hold in a debug build. So every codec is put
//! behind these adapters, to which a value inside of another is one level deeper: elements, keys, fields, what is in
//! a `Some`, in a newtype and in a variant (two levels if the variant has fields, as in JSON).
//!
//! The same levels are counted in both directions, so that what is stored can be read.

mod de;
mod ser;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::{Serialize, Serializer};

/// How many values may be inside one another. `serde_json` reads 127 brackets, and a thread with 2 MiB of stack has
/// room for 16 KiB at each level.
pub(super) const LEVELS: u8 = 127;

/// Something of serde's, and how many levels there may be from here on.
struct Depth<T> {
    inner: T,
    left: u8,
}

impl<T> Depth<T> {
    /// As deep as the thing that `inner` came from.
    fn wrap<U>(&self, inner: U) -> Depth<U> {
        Depth { inner, left: self.left }
    }
}

/// One level less; `E` says that there is none.
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
