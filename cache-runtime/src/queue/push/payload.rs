//! Items as bytes, and what must agree for them to be delivered.
//!
//! Before the item stands the byte of its codec, so that a queue can change its codec while it
//! holds items. An item of another version than 0, or of a codec that has no names, has a longer
//! head:
//!
//! ```text
//! [codec] [item]                                               version 0, of a codec with names
//! [1] [codec] [version: u32] [shape: u64, 0 for none] [item]   the others, big-endian
//! ```

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::fidelity::{self, Exactness};
use crate::codec::{Codec, CodecError, Schema};
use crate::support::panic::guarded;

/// The first byte of a long head: that of no codec.
const LONG: u8 = 1;

/// An item that was encoded.
pub(in crate::queue) struct Payload {
    pub(in crate::queue) bytes: Vec<u8>,
    /// Where the item begins.
    pub(in crate::queue) item: usize,
    pub(in crate::queue) encoded: Exactness,
}

/// Why an item cannot be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Undecodable,
    /// It has the first of these versions, and the worker reads the second.
    Version(u32, u32),
    /// Its bytes decode, but to a type that shows another shape than the one that was encoded.
    Shape,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undecodable => f.write_str("the item does not decode"),
            Self::Version(its, own) => write!(
                f,
                "the item has version {its} of its type, and this worker reads version {own}; \
                 `redrive` gives it to a worker that reads version {its}"
            ),
            Self::Shape => f.write_str(
                "the item was pushed with another type, whose fields, variants or numbers differ \
                    from the worker's",
            ),
        }
    }
}

/// Whether the bytes of a codec hold no names, so that those of one type decode as another.
fn is_positional(codec: Codec) -> bool {
    match codec {
        Codec::Json => false,
        #[cfg(feature = "msgpack")]
        Codec::MessagePack => false,
        #[cfg(feature = "postcard")]
        Codec::Postcard => true,
    }
}

pub(in crate::queue) fn encode<T: Serialize>(
    schema: Schema,
    item: &T,
) -> Result<Payload, CodecError> {
    let Schema { codec, version } = schema;
    let mut bytes = Vec::new();
    if version != 0 || is_positional(codec) {
        let shape = if is_positional(codec) { fidelity::shape(item, codec) } else { None };
        bytes.extend([LONG, codec.id()]);
        bytes.extend(version.to_be_bytes());
        bytes.extend(shape.unwrap_or_default().to_be_bytes());
    } else {
        bytes.push(codec.id());
    }
    let start = bytes.len();
    let encoded = fidelity::encode(item, codec, &mut bytes)?;
    Ok(Payload { bytes, item: start, encoded })
}

/// A payload, taken apart.
struct Opened<'a> {
    codec: u8,
    version: u32,
    /// 0: it says nothing of its type's shape.
    shape: u64,
    item: &'a [u8],
}

/// None: it has no head.
fn open(payload: &[u8]) -> Option<Opened<'_>> {
    let (&first, rest) = payload.split_first()?;
    if first != LONG {
        return Some(Opened { codec: first, version: 0, shape: 0, item: rest });
    }
    let (head, item) = rest.split_first_chunk::<13>()?;
    let [codec, a, b, c, d, shape @ ..] = *head;
    let (version, shape) = (u32::from_be_bytes([a, b, c, d]), u64::from_be_bytes(shape));
    Some(Opened { codec, version, shape, item })
}

/// The item, if it was pushed with this version of its type, and with a type of the same shape
/// where that is known.
pub(crate) fn decode<T>(payload: &[u8], version: u32) -> Result<T, Unreadable>
where
    T: Serialize + DeserializeOwned,
{
    let opened = open(payload).ok_or(Unreadable::Undecodable)?;
    if opened.version != version {
        return Err(Unreadable::Version(opened.version, version));
    }
    let codec = Codec::of(opened.codec).ok_or(Unreadable::Undecodable)?;
    let item: T = codec.decode(opened.item).map_err(|CodecError| Unreadable::Undecodable)?;
    let is_of_type = || guarded(|| fidelity::shape(&item, codec)).flatten() == Some(opened.shape);
    if opened.shape != 0 && !is_of_type() { Err(Unreadable::Shape) } else { Ok(item) }
}

/// The item, or why it cannot be read, for who looks at it.
pub(in crate::queue) fn explain<T>(payload: &[u8], version: u32) -> Result<T, String>
where
    T: Serialize + DeserializeOwned,
{
    decode(payload, version).map_err(|unreadable| {
        let opened = open(payload).filter(|_| unreadable == Unreadable::Undecodable);
        let words = opened.and_then(|opened| match Codec::of(opened.codec) {
            Some(codec) => codec.decode_or_explain::<T>(opened.item).err(),
            None => Some(format!("{:#04x} is the byte of no codec of this program", opened.codec)),
        });
        match words {
            Some(words) => format!("{unreadable}: {words}"),
            None => unreadable.to_string(),
        }
    })
}

/// The encoded item without what stands before it; all of it, if it cannot be taken apart.
pub(in crate::queue) fn item(payload: &[u8]) -> &[u8] {
    open(payload).filter(|opened| Codec::of(opened.codec).is_some()).map_or(payload, |it| it.item)
}
