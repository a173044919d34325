//! What servers say, and how it is said to them: replies in RESP2, and in RESP3 where it was asked
//! for.
//!
//! A string in a reply is a part of the buffer that it was received in: nothing is copied before
//! it is decoded. What is kept for long would keep the whole buffer, and is copied instead.
//!
//! The rules are those of <https://redis.io/docs/latest/develop/reference/protocol-spec/>. The
//! types that servers stream in pieces of unknown number are left out: no server sends them.

mod decode;
mod error;
mod frames;
#[cfg(test)]
pub(in crate::store) mod tests;
pub(in crate::store) mod write;

use bytes::Bytes;

pub(crate) use self::error::ServerError;
pub(crate) use self::frames::Frames;

/// A reply, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RespValue {
    Nil,
    Int(i64),
    /// A string of any bytes; in RESP3 also one that says how it is to be shown.
    BulkString(Bytes),
    SimpleString(String),
    Boolean(bool),
    Double(f64),
    /// An integer of any size, in digits.
    BigNumber(Bytes),
    Array(Vec<RespValue>),
    Set(Vec<RespValue>),
    Map(Vec<(RespValue, RespValue)>),
    /// What the server says without having been asked.
    Push(Vec<RespValue>),
    ServerError(ServerError),
}

/// What was received is not of this protocol, or more than is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProtocolError;

impl RespValue {
    /// The text of a string, if it is one.
    pub(in crate::store) fn text(&self) -> Option<&str> {
        match self {
            Self::BulkString(bytes) => str::from_utf8(bytes).ok(),
            Self::SimpleString(text) => Some(text),
            _ => None,
        }
    }
}
