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

pub(super) use self::de::Bounded;
pub(super) use self::ser::{Refused, Written};

/// How many values may be inside one another. `serde_json` reads 127 brackets, and a thread with 2
/// MiB of stack has room for 16 KiB per level.
pub(super) const LEVELS: u8 = 127;

/// One level less, or the error `E` if there is none left.
#[inline]
fn deeper<E>(left: u8, error: fn(&'static str) -> E) -> Result<u8, E> {
    left.checked_sub(1).ok_or_else(|| error("nested too deep"))
}
