//! The stored bytes of an entry: format version 1.
//!
//! One Redis string per key holds exactly one of four records. Integers are big-endian; times are
//! milliseconds since the Unix epoch by the *server's* clock.
//!
//! | offset | bytes | field | in |
//! |---:|---:|---|---|
//! | 0 | 2 | magic `C1 CA`: no UTF-8 text, JSON or MessagePack begins with `C1` | all |
//! | 2 | 1 | format version, `01` | all |
//! | 3 | 1 | kind: `V`alue, `L`ease, `F`ence, `T`ombstone | all |
//! | 4 | 8 | origin: which primary stored it | all |
//! | 12 | 8 | XXH3-64 of the full key | all |
//! | 20 | 16 | token of the attempt that leased or filled | V, L |
//! | 36 | 8 | stored at | V |
//! | 44 | 8 | fresh until | V |
//! | 52 | 4 | what the load cost, in milliseconds | V |
//! | 56 | 4 | `version` of the function's value type | V |
//! | 60 | 1 | codec: `J`SON, `M`essagePack, `P`ostcard | V |
//! | 61 | 1 | flags: 1 = the payload is an error, 2 = kept after "fresh until"; the others zero | V |
//! | 62 | 2 | where the payload begins, at least 64 | V |
//! | 64 | 24·n | tags of the entry, in the function's order: XXH3-64 of the tag's key (8), its stamp (16) | V |
//! | 64 + 24·n | … | payload; of an error that all processes can read, behind 8 bytes that tell whose it is | V |
//! | 20 | 1 | dirty: writers have overlapped | F |
//! | 21 | 24·n | writers: token (16), deadline (8) | F |
//!
//! The stamp of a tag is the token of the value record in the tag's own key, whose payload is empty
//! and whose codec is 0. The bytes between header and payload must be exactly those that the reader
//! expects: anything else is a miss.
//!
//! Kind, magic and the meaning of `F` and `T` are the same in every later format version, so that
//! an older process never stores through a newer one's fence.

#[cfg(test)]
mod tests;
pub(crate) mod token;
mod value;

use bytes::Bytes;

use self::token::Token;

pub(crate) use self::value::{
    Stamp, Value, ValueHeader, around_times, set_error, set_kept, stamp, value,
};

/// Length of the part that all kinds share.
pub(crate) const HEADER: usize = 20;
/// Length of a lease, and of a value up to its times.
pub(crate) const LEASE: usize = HEADER + Token::LEN;
/// Length of a value's header without extensions.
pub(crate) const VALUE_HEADER: usize = 64;

/// The first bytes of every record.
pub(crate) const MAGIC: [u8; 2] = [0xC1, 0xCA];
const FORMAT: u8 = 1;

/// The kind of a record, from its fourth byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Value,
    Lease,
    Fence,
    Tombstone,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Value => b'V',
            Self::Lease => b'L',
            Self::Fence => b'F',
            Self::Tombstone => b'T',
        }
    }

    const fn of(byte: u8) -> Option<Self> {
        match byte {
            b'V' => Some(Self::Value),
            b'L' => Some(Self::Lease),
            b'F' => Some(Self::Fence),
            b'T' => Some(Self::Tombstone),
            _ => None,
        }
    }
}

/// Identity of the primary that stored a record; zero where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin(pub(crate) [u8; 8]);

/// XXH3-64 of a full key: tells a reply that belongs to another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyHash(pub(crate) u64);

impl KeyHash {
    pub(crate) fn of(key: &str) -> Self {
        Self(xxhash_rust::xxh3::xxh3_64(key.as_bytes()))
    }
}

/// The first twenty bytes of a record.
pub(crate) fn header(kind: Kind, origin: Origin, key: KeyHash) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..2].copy_from_slice(&MAGIC);
    header[2] = FORMAT;
    header[3] = kind.byte();
    header[4..12].copy_from_slice(&origin.0);
    header[12..].copy_from_slice(&key.0.to_be_bytes());
    header
}

/// A whole lease record.
pub(crate) fn lease(origin: Origin, key: KeyHash, token: Token) -> [u8; LEASE] {
    let mut lease = [0; LEASE];
    lease[..HEADER].copy_from_slice(&header(Kind::Lease, origin, key));
    lease[HEADER..].copy_from_slice(token.as_bytes());
    lease
}

/// What a reader finds in the bytes of a key.
#[derive(Debug)]
pub(crate) enum Found {
    /// A value of ours, for this key.
    Value(Value),
    /// A lease: an attempt is loading.
    Lease,
    /// A fence or a tombstone: a write runs, or database replicas are catching up.
    Fence,
    /// Ours but unreadable: truncated, of another format version, or of another kind. A miss.
    Damaged,
    /// A value of ours, with this token, but stored for another key.
    Misplaced(Token),
    /// Foreign data, which is left alone.
    Foreign,
}

/// The token of a lease or a value.
pub(crate) fn token(record: &[u8]) -> Option<Token> {
    let token = record.get(HEADER..LEASE)?.try_into().ok()?;
    Some(Token::from_bytes(token))
}

/// Whether these bytes are a value of ours, but of another key than the one with `key`.
pub(crate) fn is_misplaced(record: &[u8], key: KeyHash) -> bool {
    record.len() >= VALUE_HEADER
        && record[..4] == [MAGIC[0], MAGIC[1], FORMAT, Kind::Value.byte()]
        && record[12..HEADER] != key.0.to_be_bytes()
}

/// Whether these bytes are a value or a lease of ours that was stored by a primary other than
/// `origin`. A fence or a tombstone counts no matter who stored it.
pub(crate) fn is_of_another(record: &[u8], origin: Origin) -> bool {
    record.len() >= LEASE
        && record[..3] == [MAGIC[0], MAGIC[1], FORMAT]
        && matches!(Kind::of(record[3]), Some(Kind::Value | Kind::Lease))
        && record[4..12] != origin.0
}

/// Puts in which primary a record is sent to.
pub(crate) fn set_origin(record: &mut [u8], origin: Origin) {
    if let Some(field) = record.get_mut(4..12) {
        field.copy_from_slice(&origin.0);
    }
}

/// How much of a record [`glance`] needs: one byte more than a fence of one writer has.
pub(crate) const GLANCE: usize = HEADER + 1 + Token::LEN + 8 + 1;

/// What the beginning of a record says of whether it may be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Glance {
    /// Foreign data.
    Foreign,
    /// Writers have put up a fence: whether they have overlapped, and who is alone in it, if
    /// anybody is.
    Fence { dirty: bool, alone: Option<Token> },
    /// Anything else of ours, be it damaged.
    Ours,
}

/// Looks at the first [`GLANCE`] bytes of a record, or at all of a shorter one.
pub(crate) fn glance(record: &[u8]) -> Glance {
    if record.get(..2) != Some(&MAGIC[..]) {
        return Glance::Foreign;
    }
    let writer = record.get(HEADER + 1..HEADER + 1 + Token::LEN).and_then(|it| it.try_into().ok());
    match (record.get(3).copied().and_then(Kind::of), record.get(HEADER), writer) {
        (Some(Kind::Fence), Some(dirty), Some(writer)) if record.len() + 1 >= GLANCE => {
            let alone = (record.len() < GLANCE).then(|| Token::from_bytes(writer));
            Glance::Fence { dirty: *dirty == 1, alone }
        }
        _ => Glance::Ours,
    }
}

/// Whether it is a value, of any format, and no lease or fence.
pub(crate) fn holds_value(record: &[u8]) -> bool {
    record.starts_with(&MAGIC) && record.get(3).copied().and_then(Kind::of) == Some(Kind::Value)
}

/// Copies a field out; zeros where the record is shorter than its length was checked to be.
fn array<const N: usize>(record: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    if let Some(bytes) = record.get(at..at + N) {
        field.copy_from_slice(bytes);
    }
    field
}

/// Interprets `record`, as read from the key with the hash `key`.
pub(crate) fn read(record: Bytes, key: KeyHash) -> Found {
    let (Some(magic), Some(&format), Some(&kind)) = (record.get(..2), record.get(2), record.get(3))
    else {
        return Found::Foreign;
    };
    if magic != MAGIC {
        return Found::Foreign;
    }
    match (Kind::of(kind), format) {
        (Some(Kind::Fence | Kind::Tombstone), _) => Found::Fence,
        (Some(Kind::Lease), FORMAT) if record.len() == LEASE => Found::Lease,
        (Some(Kind::Value), FORMAT) if record.len() >= VALUE_HEADER => {
            if is_misplaced(&record, key) {
                return Found::Misplaced(Token::from_bytes(array(&record, HEADER)));
            }
            Value::new(record).map_or(Found::Damaged, Found::Value)
        }
        _ => Found::Damaged,
    }
}
