//! What a reply says that is there as a whole.

use bytes::Bytes;

use crate::store::redis::connection::wire::frames::{Head, count, head};
use crate::store::redis::connection::wire::{ProtocolError, RespValue, ServerError};

/// How deep values may be within one another. Those of our commands are three deep.
const DEEPEST: usize = 32;

/// The most elements that room is made for before they have been seen.
const FORESEEN: usize = 1024;

/// A reply that is being decoded.
pub(super) struct Decoder {
    reply: Bytes,
    at: usize,
}

impl Decoder {
    pub(super) fn new(reply: Bytes) -> Self {
        Self { reply, at: 0 }
    }

    /// The value that the reply consists of.
    pub(super) fn decode(mut self) -> Result<RespValue, ProtocolError> {
        self.value(DEEPEST)
    }

    /// The next value, which may be so deep.
    fn value(&mut self, depth: usize) -> Result<RespValue, ProtocolError> {
        let depth = depth.checked_sub(1).ok_or(ProtocolError)?;
        let rest = self.reply.get(self.at..).unwrap_or_default();
        let Head { kind, text, length } = head(rest)?.ok_or(ProtocolError)?;
        let number = || str::from_utf8(text).ok();
        let simple = match kind {
            b'+' => RespValue::SimpleString(String::from_utf8_lossy(text).into_owned()),
            b'-' => RespValue::ServerError(ServerError::new(text)),
            b':' => RespValue::Int(number().and_then(|it| it.parse().ok()).ok_or(ProtocolError)?),
            b',' => {
                RespValue::Double(number().and_then(|it| it.parse().ok()).ok_or(ProtocolError)?)
            }
            b'#' => match text {
                b"t" => RespValue::Boolean(true),
                b"f" => RespValue::Boolean(false),
                _ => return Err(ProtocolError),
            },
            b'_' => RespValue::Nil,
            b'(' => RespValue::BigNumber(self.reply.slice_ref(text)),
            _ => {
                let count = count(text, kind)?;
                self.at += length;
                return match count {
                    None => Ok(RespValue::Nil),
                    Some(count) => self.compound(kind, count, depth),
                };
            }
        };
        self.at += length;
        Ok(simple)
    }

    /// The value of which the first line has said the kind and the size.
    fn compound(
        &mut self,
        kind: u8,
        count: usize,
        depth: usize,
    ) -> Result<RespValue, ProtocolError> {
        Ok(match kind {
            b'$' => RespValue::BulkString(self.string(count)?),
            b'!' => RespValue::ServerError(ServerError::new(&self.string(count)?)),
            b'=' => {
                let string = self.string(count)?;
                // Three letters and a colon say how it is to be shown.
                if string.get(3) != Some(&b':') {
                    return Err(ProtocolError);
                }
                RespValue::BulkString(string.slice(4..))
            }
            b'*' => RespValue::Array(self.values(count, depth)?),
            b'~' => RespValue::Set(self.values(count, depth)?),
            b'>' => RespValue::Push(self.values(count, depth)?),
            b'%' => RespValue::Map(self.pairs(count, depth)?),
            b'|' => {
                self.pairs(count, depth)?;
                self.value(depth)?
            }
            _ => return Err(ProtocolError),
        })
    }

    fn string(&mut self, size: usize) -> Result<Bytes, ProtocolError> {
        let end = self.at.checked_add(size).ok_or(ProtocolError)?;
        if end.checked_add(2).is_none_or(|end| end > self.reply.len()) {
            return Err(ProtocolError);
        }
        let string = self.reply.slice(self.at..end);
        self.at = end + 2;
        Ok(string)
    }

    fn values(&mut self, count: usize, depth: usize) -> Result<Vec<RespValue>, ProtocolError> {
        let mut values = Vec::with_capacity(count.min(FORESEEN));
        for _ in 0..count {
            values.push(self.value(depth)?);
        }
        Ok(values)
    }

    fn pairs(
        &mut self,
        count: usize,
        depth: usize,
    ) -> Result<Vec<(RespValue, RespValue)>, ProtocolError> {
        let mut pairs = Vec::with_capacity(count.min(FORESEEN));
        for _ in 0..count {
            pairs.push((self.value(depth)?, self.value(depth)?));
        }
        Ok(pairs)
    }
}
