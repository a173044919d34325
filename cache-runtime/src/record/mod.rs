//! The stored bytes of an entry: how they are made, and what a reader finds in them. The
//! [`layout`] says where what stands.

mod description;
pub(crate) mod layout;
mod stamp;
#[cfg(test)]
mod tests;
pub(crate) mod token;
mod value;

use bytes::Bytes;

use self::layout::{DIRTY, FORMAT, FORMAT_AT, KEY, KIND, ORIGIN, WRITERS};
pub(crate) use self::layout::{HEADER, LEASE, MAGIC, VALUE_HEADER};
use self::token::Token;

pub(crate) use self::description::{Described, describe};
pub(crate) use self::stamp::{Stamp, length_of_names, set_stamps};
pub(crate) use self::value::{
    Value, ValueHeader, around_times, index, set_error, set_kept, size, stale, stamp, value,
};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    header[FORMAT_AT] = FORMAT;
    header[KIND] = kind.byte();
    header[ORIGIN..KEY].copy_from_slice(&origin.0);
    header[KEY..].copy_from_slice(&key.0.to_be_bytes());
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
    /// Stands for a record that another primary has stored, which is not to be believed.
    OfAnotherPrimary,
    /// Foreign data, which is left alone.
    Foreign,
}

/// What a store answers in place of a record that it does not believe. It is of no kind.
pub(crate) const OF_ANOTHER_PRIMARY: &[u8] = &[MAGIC[0], MAGIC[1], FORMAT, b'-'];

/// The key that these bytes were stored for, if they are a record of ours.
pub(crate) fn key(record: &[u8]) -> Option<KeyHash> {
    let key = record.get(KEY..HEADER)?.try_into().ok()?;
    Some(KeyHash(u64::from_be_bytes(key)))
}

/// The token of a lease or a value.
pub(crate) fn token(record: &[u8]) -> Option<Token> {
    let token = record.get(HEADER..LEASE)?.try_into().ok()?;
    Some(Token::from_bytes(token))
}

/// Whether these bytes are a value of ours, but of another key than the one with `key`.
pub(crate) fn is_misplaced(record: &[u8], key: KeyHash) -> bool {
    record.len() >= VALUE_HEADER
        && record[..ORIGIN] == [MAGIC[0], MAGIC[1], FORMAT, Kind::Value.byte()]
        && record[KEY..HEADER] != key.0.to_be_bytes()
}

/// Whether these bytes are a value or a lease of ours that was stored by a primary other than
/// `origin`. A fence or a tombstone counts no matter who stored it.
pub(crate) fn is_of_another(record: &[u8], origin: Origin) -> bool {
    record.len() >= LEASE
        && record[..KIND] == [MAGIC[0], MAGIC[1], FORMAT]
        && matches!(Kind::of(record[KIND]), Some(Kind::Value | Kind::Lease))
        && record[ORIGIN..KEY] != origin.0
}

/// Puts in which primary a record is sent to.
pub(crate) fn set_origin(record: &mut [u8], origin: Origin) {
    if let Some(field) = record.get_mut(ORIGIN..KEY) {
        field.copy_from_slice(&origin.0);
    }
}

/// How much of a record [`glance`] needs: one byte more than a fence of one writer has.
pub(crate) const GLANCE: usize = WRITERS + Token::LEN + 8 + 1;

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
    if record.get(..MAGIC.len()) != Some(&MAGIC[..]) {
        return Glance::Foreign;
    }
    let writer = record.get(WRITERS..WRITERS + Token::LEN).and_then(|it| it.try_into().ok());
    match (record.get(KIND).copied().and_then(Kind::of), record.get(DIRTY), writer) {
        (Some(Kind::Fence), Some(dirty), Some(writer)) if record.len() + 1 >= GLANCE => {
            let alone = (record.len() < GLANCE).then(|| Token::from_bytes(writer));
            Glance::Fence { dirty: *dirty == 1, alone }
        }
        _ => Glance::Ours,
    }
}

/// Whether it is a value, of any format, and no lease or fence.
pub(crate) fn holds_value(record: &[u8]) -> bool {
    record.starts_with(&MAGIC) && record.get(KIND).copied().and_then(Kind::of) == Some(Kind::Value)
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
    if record == OF_ANOTHER_PRIMARY {
        return Found::OfAnotherPrimary;
    }
    let (Some(magic), Some(&format), Some(&kind)) =
        (record.get(..MAGIC.len()), record.get(FORMAT_AT), record.get(KIND))
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
