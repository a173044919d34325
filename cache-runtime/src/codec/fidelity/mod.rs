//! Whether a value comes back from the cache as it went in.
//!
//! A type decides itself what serde writes and reads of it, so what comes back may be another
//! value: a field that is skipped in one direction, a time that loses its fraction, a `Some(None)`.
//! A caller whose function ran has the original, and all others would have the altered one. So
//! values are tried before they are stored: decoded again, and compared with the original, as serde
//! shows both of them and by `PartialEq` where the type has it. The second finds what serde never
//! shows, such as a field with `#[serde(skip)]`.
//!
//! That costs about as much as two more encodings, so a release build tries the first values of
//! each function only, and from then on all of them if one of those was altered. It tries some more
//! when a value that it finds cannot be read. What its codec has no exact word for is always tried.

mod shape;
#[cfg(test)]
mod tests;
mod tree;

use std::any::type_name;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::shape::shape;
use self::tree::Tree;
use crate::codec::{Codec, CodecError};
use crate::support::panic::guarded;

/// How many values of a function a release build tries.
const FIRST: u32 = 16;
/// A value of more bytes than this is shown piece by piece only if its bytes differ: that takes
/// many times its size.
const LARGE: usize = 1 << 14;

/// What a function does about values that would come back as other ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fidelity {
    /// They are not stored, as far as they are tried.
    Tried,
    /// All are tried, and the call fails.
    Strict,
    /// They are stored as serde writes them.
    Lossy,
}

/// Which values of a function are tried.
#[derive(Debug)]
pub(crate) struct Trials {
    done: AtomicU32,
    has_failed: AtomicBool,
}

impl Trials {
    pub(crate) const fn new() -> Self {
        Self { done: AtomicU32::new(0), has_failed: AtomicBool::new(false) }
    }

    /// Whether the next value is to be tried.
    pub(crate) fn is_due(&self) -> bool {
        cfg!(debug_assertions) || self.is_due_in_release()
    }

    fn is_due_in_release(&self) -> bool {
        // The common case writes nothing: threads do not contend for the line.
        self.has_failed.load(Ordering::Relaxed)
            || (self.done.load(Ordering::Relaxed) < FIRST
                && self.done.fetch_add(1, Ordering::Relaxed) < FIRST)
    }

    /// A value was found that could not be read back: perhaps of a kind that was not among those
    /// that were tried.
    pub(crate) fn again(&self) {
        self.done.store(0, Ordering::Relaxed);
    }

    /// A value was altered: from now on, each is tried.
    pub(crate) fn fail(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
    }
}

/// A value that was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exactness {
    /// The codec had an exact word for all of it.
    Exact,
    /// Only a trial can tell whether it can be read back.
    Doubtful,
}

/// How a value that was read back differs from the original. Holds no part of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// It cannot be read back.
    Unreadable,
    /// At this place, as serde shows it.
    At(String),
    /// Only `PartialEq` of this type tells.
    Unseen(&'static str),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("what serde writes of it cannot be read back"),
            Self::At(path) if path.is_empty() => {
                f.write_str("read back, the value as a whole is another one")
            }
            Self::At(path) => write!(f, "read back, `{path}` is another value"),
            Self::Unseen(name) => write!(
                f,
                "read back, it is not equal to the original by the `PartialEq` of `{name}`, in a \
                 part that serde does not write, such as a field with `#[serde(skip)]`"
            ),
        }
    }
}

/// Appends the encoded value.
pub(crate) fn encode<T: Serialize>(
    value: &T,
    codec: Codec,
    out: &mut Vec<u8>,
) -> Result<Exactness, CodecError> {
    let start = out.len();
    if codec.encode(value, out).is_ok() {
        return Ok(Exactness::Exact);
    }
    out.truncate(start);
    codec.encode_loosely(value, out).map(|()| Exactness::Doubtful)
}

/// Whether a value is written as these bytes.
fn is_written_as<T: Serialize>(value: &T, codec: Codec, payload: &[u8]) -> bool {
    let mut bytes = Vec::with_capacity(payload.len());
    let written = guarded(|| codec.encode(value, &mut bytes));
    written.is_some_and(|written| written.is_ok()) && bytes == payload
}

/// Compares a value with what can be read from its encoded form. A panic of the type's own code
/// counts as what it prevents: that the value can be read, shown or compared.
pub(crate) fn compare<T: Serialize + DeserializeOwned>(
    value: &T,
    codec: Codec,
    payload: &[u8],
    is_equal: Option<fn(&T, &T) -> bool>,
) -> Result<(), Difference> {
    let Some(Ok(back)) = guarded(|| codec.decode::<T>(payload)) else {
        return Err(Difference::Unreadable);
    };
    let show = |value: &T| guarded(|| Tree::of(value, codec)).flatten();
    if (payload.len() <= LARGE || !is_written_as(&back, codec, payload))
        && let Some((before, after)) = show(value).zip(show(&back))
        && let Some(path) = before.difference(&after)
    {
        return Err(Difference::At(path));
    }
    // A value that is not even equal to itself holds a NaN, and its type's equality tells nothing.
    let differs =
        is_equal.and_then(|equal| guarded(|| equal(value, value) && !equal(value, &back)));
    if differs == Some(true) {
        return Err(Difference::Unseen(type_name::<T>()));
    }
    Ok(())
}
