//! A limit on how deeply values are nested.
//!
//! A recursive type uses stack for every level, and the input decides how many levels there are: to
//! postcard, a megabyte of `0x01` is a million nodes of `struct Node { next: Option<Box<Node>> }`;
//! to JSON, whose own limit counts only brackets, the digit `1` is infinitely many levels of
//! `struct Wrapped(Option<Box<Wrapped>>)`. The limit of `rmp-serde`, 1024, is more than 2 MiB of
//! stack can hold in a debug build. So every codec is wrapped in these adapters, which count a
//! value inside another as one level: elements, keys, fields, the contents of a `Some`, of a
//! newtype and of a variant (two levels if the variant has fields, as in JSON).
//!
//! Levels are counted in the same way in both directions, so that whatever is stored can be read.
//!
//! The same adapters see what a codec has no word for: JSON writes `null` for a float that is not
//! finite, JSON and MessagePack for the content of a `Some` that is `None` or a unit. That is read
//! back as `None`, or not at all.

mod de;
mod ser;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::{Serialize, Serializer};

/// How many values may be inside one another. `serde_json` reads 127 brackets, and a thread with 2
/// MiB of stack has room for 16 KiB per level.
pub(super) const LEVELS: u8 = 127;

/// A serde object, and how many levels are left below it.
struct Depth<T> {
    inner: T,
    left: u8,
    /// Of use in writing only.
    refused: Refused,
}

/// What a writer refuses because it would be read back as something else.
#[derive(Clone, Copy)]
pub(super) struct Refused {
    /// Floats that are not finite.
    floats: bool,
    /// What is written as the codec's `null` inside a `Some`.
    nulls: bool,
    /// The value is the content of a `Some`.
    in_some: bool,
}

impl Refused {
    /// Of a codec whose `null` stands for several values.
    pub(super) const NULLS: Self = Self { floats: false, nulls: true, in_some: false };
    /// And for floats as well.
    pub(super) const NULLS_AND_FLOATS: Self = Self { floats: true, ..Self::NULLS };
    /// Nothing.
    pub(super) const NOTHING: Self = Self { floats: false, nulls: false, in_some: false };

    /// For an element, a field or the content of a variant.
    fn inside(self) -> Self {
        Self { in_some: false, ..self }
    }
}

impl<T> Depth<T> {
    fn read(inner: T, left: u8) -> Self {
        Self { inner, left, refused: Refused::NOTHING }
    }

    /// Wraps `inner`, which is inside this one, at the same depth.
    fn wrap<U>(&self, inner: U) -> Depth<U> {
        Depth { inner, left: self.left, refused: self.refused.inside() }
    }
}

/// One level less, or the error `E` if there is none left.
fn deeper<E>(left: u8, error: fn(&'static str) -> E) -> Result<u8, E> {
    left.checked_sub(1).ok_or_else(|| error("nested too deep"))
}

/// A value that is written within [`LEVELS`], as far as nothing in it is refused.
pub(super) struct Written<'a, T>(pub(super) &'a T, pub(super) Refused);

/// A value that is read within [`LEVELS`].
pub(super) struct Bounded<T>(pub(super) T);

impl<T: Serialize> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(inner, refused) = *self;
        Depth { inner, left: LEVELS, refused }.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Depth::read(deserializer, LEVELS - 1)).map(Self)
    }
}
