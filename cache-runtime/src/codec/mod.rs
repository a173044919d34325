//! Encoding and decoding of values.

mod depth;
pub(crate) mod fidelity;
#[cfg(test)]
#[cfg(all(feature = "msgpack", feature = "postcard"))]
mod tests;

use std::fmt;

#[cfg(feature = "msgpack")]
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::depth::{Bounded, Refused, Written};

/// How values are encoded in the store.
///
/// An entry records its codec, and bytes of another codec are a miss, so a function can change its
/// codec at any time. Old and new processes that run side by side both have hits meanwhile.
///
/// Values nested deeper than 127 levels are neither stored nor read, whatever the codec. Each value
/// inside another is a level, so the limit of a linked list made of `Option<Box<Node>>` is 63
/// nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// JSON: readable in `redis-cli`, and tolerant of added, removed and reordered fields.
    #[default]
    Json,
    /// `MessagePack` with field names: about a quarter smaller than JSON, and as tolerant. Feature
    /// `msgpack`.
    #[cfg(feature = "msgpack")]
    MessagePack,
    /// Postcard: the smallest and fastest, but positional. A changed type may decode to a wrong
    /// value, so every change of the type needs a new `version = n` on the function. Feature
    /// `postcard`.
    #[cfg(feature = "postcard")]
    Postcard,
}

/// What must agree for an entry to be read: how it was encoded, and which version of the value's
/// type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) codec: Codec,
    pub(crate) version: u32,
}

/// A value that could not be encoded, or bytes that do not decode.
///
/// Holds no text of the codec's: its messages may quote the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodecError;

/// Why bytes behind a value do not decode.
#[cfg(any(feature = "msgpack", feature = "postcard"))]
const LEFT_OVER: &str = "there are bytes left over";

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value does not fit its codec")
    }
}

impl Codec {
    /// The codec's byte in a record.
    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::Json => b'J',
            #[cfg(feature = "msgpack")]
            Self::MessagePack => b'M',
            #[cfg(feature = "postcard")]
            Self::Postcard => b'P',
        }
    }

    /// Whether a byte is that of a codec, be it one whose feature this program has not.
    pub(crate) const fn has(id: u8) -> bool {
        matches!(id, b'J' | b'M' | b'P')
    }

    /// What a byte is called that is a codec's, be it one whose feature this program has not.
    pub(crate) const fn name_of(id: u8) -> &'static str {
        match id {
            b'J' => "json",
            b'M' => "msgpack",
            b'P' => "postcard",
            _ => "unknown",
        }
    }

    /// The codec of a byte.
    pub(crate) fn of(id: u8) -> Option<Self> {
        match id {
            b'J' => Some(Self::Json),
            #[cfg(feature = "msgpack")]
            b'M' => Some(Self::MessagePack),
            #[cfg(feature = "postcard")]
            b'P' => Some(Self::Postcard),
            _ => None,
        }
    }

    /// Appends the encoded value, if it is not nested too deep to be read back, and if the codec
    /// has a word for all of it: JSON has none for floats that are not finite, JSON and
    /// `MessagePack` have none for `Some(None)` and `Some(())`.
    pub(crate) fn encode<T: Serialize>(
        self,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let refused = match self {
            Self::Json => Refused::NULLS_AND_FLOATS,
            #[cfg(feature = "msgpack")]
            Self::MessagePack => Refused::NULLS,
            #[cfg(feature = "postcard")]
            Self::Postcard => Refused::NOTHING,
        };
        self.write(&Written(value, refused), out)
    }

    /// The same, with `null` for what the codec has no word for: whether that can be read back,
    /// only a trial can tell.
    pub(crate) fn encode_loosely<T: Serialize>(
        self,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        self.write(&Written(value, Refused::NOTHING), out)
    }

    fn write<T: Serialize>(
        self,
        value: &Written<'_, T>,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        match self {
            Self::Json => serde_json::to_writer(out, value).map_err(|_| CodecError),
            #[cfg(feature = "msgpack")]
            Self::MessagePack => rmp_serde::encode::write_named(out, value).map_err(|_| CodecError),
            #[cfg(feature = "postcard")]
            Self::Postcard => postcard::to_io(value, out).map(|_| ()).map_err(|_| CodecError),
        }
    }

    /// Decodes a whole payload; bytes left over are an error, and so is what nests deeper than
    /// values that are stored: no bytes exhaust the stack.
    pub(crate) fn decode<T: DeserializeOwned>(self, payload: &[u8]) -> Result<T, CodecError> {
        self.read(payload, |_| CodecError)
    }

    /// The same, and why bytes do not decode, in the words of the codec, which may quote them: only
    /// for who is shown the bytes as well.
    pub(crate) fn decode_or_explain<T: DeserializeOwned>(
        self,
        payload: &[u8],
    ) -> Result<T, String> {
        self.read(payload, |words| words.to_string())
    }

    fn read<T: DeserializeOwned, E>(
        self,
        payload: &[u8],
        failed: impl Fn(&dyn fmt::Display) -> E,
    ) -> Result<T, E> {
        let Bounded(value) = match self {
            Self::Json => {
                // Checked as a whole: `from_slice` checks each string, which takes longer.
                let text = str::from_utf8(payload).map_err(|words| failed(&words))?;
                serde_json::from_str(text).map_err(|words| failed(&words))?
            }
            #[cfg(feature = "msgpack")]
            Self::MessagePack => {
                // One made with `from_read_ref` does not tell what is left over.
                let mut rest = rmp_serde::Deserializer::new(payload);
                let value = Bounded::deserialize(&mut rest).map_err(|words| failed(&words))?;
                if rest.get_ref().is_empty() { value } else { return Err(failed(&LEFT_OVER)) }
            }
            #[cfg(feature = "postcard")]
            Self::Postcard => match postcard::take_from_bytes(payload) {
                Ok((value, [])) => value,
                Ok(_) => return Err(failed(&LEFT_OVER)),
                Err(words) => return Err(failed(&words)),
            },
        };
        Ok(value)
    }
}
