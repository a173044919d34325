//! What a record says to somebody who does not use it: an operator, who may have read no more of it
//! than its beginning.

use bytes::Bytes;

use crate::record::layout::{FORMAT, FORMAT_AT, KIND, MAGIC, VALUE_HEADER, WRITERS};
use crate::record::token::Token;
use crate::record::{KeyHash, Kind, LEASE, Value, array, is_misplaced};

/// Length of what a fence says of one writer.
const WRITER: usize = Token::LEN + 8;

/// What the bytes of a key are.
#[derive(Debug)]
pub(crate) enum Described {
    /// A value for this key. What stands behind the bytes that were read is missing in it.
    Value(Value),
    /// An attempt is loading.
    Lease,
    /// Writers are writing, each until its deadline, in milliseconds since the Unix epoch.
    Fence(Vec<u64>),
    /// Nothing may be stored for a while.
    Tombstone,
    /// Ours, but nothing that this process can read.
    Damaged,
    /// A value that was stored for another key.
    Misplaced,
    /// Somebody else's.
    Foreign,
}

/// Describes a record of which `head` is the beginning, and which has `size` bytes altogether.
pub(crate) fn describe(head: &Bytes, size: u64, key: KeyHash) -> Described {
    let kind = match (head.get(..MAGIC.len()), head.get(KIND)) {
        (Some(magic), Some(&kind)) if magic == MAGIC => Kind::of(kind),
        _ => return Described::Foreign,
    };
    let is_readable = head.get(FORMAT_AT) == Some(&FORMAT);
    match kind {
        Some(Kind::Fence) => {
            let writers = head.get(WRITERS..).unwrap_or_default().chunks_exact(WRITER);
            let deadlines = writers.map(|writer| u64::from_be_bytes(array(writer, Token::LEN)));
            Described::Fence(deadlines.collect())
        }
        Some(Kind::Tombstone) => Described::Tombstone,
        Some(Kind::Lease) if is_readable && size == LEASE as u64 => Described::Lease,
        Some(Kind::Value) if is_readable && head.len() >= VALUE_HEADER => {
            if is_misplaced(head, key) {
                return Described::Misplaced;
            }
            Value::beginning(head.clone(), size).map_or(Described::Damaged, Described::Value)
        }
        Some(Kind::Lease | Kind::Value) | None => Described::Damaged,
    }
}
