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
//! | 64 + 24·n | … | payload | V |
//! | 20 | 1 | dirty: writers have overlapped | F |
//! | 21 | 24·n | writers: token (16), deadline (8) | F |
//!
//! The stamp of a tag is the token of the value record in the tag's own key, whose payload is empty and whose codec is 0.
//! What stands between header and payload must be exactly what the reader expects there: anything else is a miss.
//!
//! Kind, magic and the meaning of `F` and `T` are the same in every later format version, so that an
//! older process never stores through a newer one's fence.

#[cfg(test)]
mod tests;

use bytes::Bytes;

use crate::token::Token;

/// Length of the part that all kinds share.
pub(crate) const HEADER: usize = 20;
/// Length of a lease, and of a value up to its times.
pub(crate) const LEASE: usize = HEADER + Token::LEN;
/// Length of a value's header without extensions.
pub(crate) const VALUE_HEADER: usize = 64;

/// Length of what a value says of one of its tags.
const STAMP: usize = 8 + Token::LEN;
/// As many as the field can tell where the payload begins behind them.
const MOST_STAMPS: usize = (u16::MAX as usize - VALUE_HEADER) / STAMP;

/// The first bytes of every record.
pub(crate) const MAGIC: [u8; 2] = [0xC1, 0xCA];
const FORMAT: u8 = 1;

/// Where a value's flags are.
const FLAGS: usize = 61;
/// The flag of an error, which stands where a value would.
const ERROR: u8 = 1;
/// The flag of a value that stays after it has ceased to be fresh.
const KEPT: u8 = 2;

/// What a record is, told from its fourth byte.
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
    /// Somebody is loading.
    Lease,
    /// Somebody is writing, or database replicas are catching up.
    Fence,
    /// Ours but unreadable: cut short, of another format version, or of another kind. A miss.
    Damaged,
    /// A value of ours, with this token, but of another key.
    Misplaced(Token),
    /// Somebody else's data: to be left alone.
    Foreign,
}

/// A value record, its header read and its payload not yet decoded.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    record: Bytes,
    payload: usize,
}

impl Value {
    /// The attempt that stored it.
    pub(crate) fn token(&self) -> Token {
        Token::from_bytes(array(&self.record, HEADER))
    }

    pub(crate) fn version(&self) -> u32 {
        u32::from_be_bytes(array(&self.record, 56))
    }

    /// The codec's byte; see [`Codec`](crate::Codec).
    pub(crate) fn codec(&self) -> u8 {
        self.record.get(60).copied().unwrap_or_default()
    }

    /// Whether it was stored with these tags, in this order, and under these stamps.
    pub(crate) fn has_stamps(&self, stamps: &[Stamp]) -> bool {
        self.extension().len() == stamps.len() * STAMP
            && self.stamps().eq(stamps.iter().map(Stamp::bytes))
    }

    /// Whether it was stored with these tags, in this order, whatever their stamps.
    pub(crate) fn has_tags(&self, tags: impl ExactSizeIterator<Item = KeyHash>) -> bool {
        self.extension().len() == tags.len() * STAMP
            && self.stamps().map(|stamp| array(&stamp, 0)).eq(tags.map(|tag| tag.0.to_be_bytes()))
    }

    fn stamps(&self) -> impl Iterator<Item = [u8; STAMP]> {
        self.extension().chunks_exact(STAMP).map(|stamp| array(stamp, 0))
    }

    /// What stands between header and payload.
    fn extension(&self) -> &[u8] {
        self.record.get(VALUE_HEADER..self.payload).unwrap_or_default()
    }

    /// The encoded value.
    pub(crate) fn payload(&self) -> &[u8] {
        self.record.get(self.payload..).unwrap_or_default()
    }
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

/// Whether these bytes are a value or a lease of ours that another primary than `origin` stored. A fence or a tombstone
/// holds whoever put it there.
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

/// What comes before a value's times, and what after: the server puts those in.
pub(crate) fn around_times(record: &[u8]) -> (&[u8], &[u8]) {
    (record.get(..LEASE).unwrap_or_default(), record.get(LEASE + 16..).unwrap_or_default())
}

/// Says in a value record that it stays after it has ceased to be fresh.
pub(crate) fn set_kept(record: &mut [u8]) {
    if let Some(flags) = record.get_mut(FLAGS) {
        *flags |= KEPT;
    }
}

/// Says in a value record that its payload is an error.
pub(crate) fn set_error(record: &mut [u8]) {
    if let Some(flags) = record.get_mut(FLAGS) {
        *flags |= ERROR;
    }
}

/// What decides by age.
impl Value {
    /// Until when it is fresh, by the server's clock.
    pub(crate) fn fresh_until_ms(&self) -> u64 {
        u64::from_be_bytes(array(&self.record, 44))
    }

    /// What its load cost.
    pub(crate) fn cost_ms(&self) -> u32 {
        u32::from_be_bytes(array(&self.record, 52))
    }

    /// Whether it is an error that is remembered in the place of a value.
    pub(crate) fn is_error(&self) -> bool {
        self.record.get(FLAGS).is_some_and(|flags| flags & ERROR != 0)
    }

    /// Whether it stays after it has ceased to be fresh: that it is there does not say that it is.
    pub(crate) fn is_kept(&self) -> bool {
        self.record.get(FLAGS).is_some_and(|flags| flags & KEPT != 0)
    }

    /// The bytes as they were read.
    pub(crate) fn record(&self) -> &Bytes {
        &self.record
    }
}

/// What only tests ask for; the format has it for operators.
#[cfg(test)]
impl Value {
    pub(crate) fn stored_at_ms(&self) -> u64 {
        u64::from_be_bytes(array(&self.record, 36))
    }
}

/// Copies a field out; zeros where the record is shorter than its length was checked to be.
fn array<const N: usize>(record: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    if let Some(bytes) = record.get(at..at + N) {
        field.copy_from_slice(bytes);
    }
    field
}

/// Tells what `record`, read from the key with `key`, is.
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
            let payload = usize::from(u16::from_be_bytes(array(&record, 62)));
            if (VALUE_HEADER..=record.len()).contains(&payload) {
                Found::Value(Value { record, payload })
            } else {
                Found::Damaged
            }
        }
        _ => Found::Damaged,
    }
}

/// What an entry says of one of its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Hash of the tag's key.
    pub(crate) tag: KeyHash,
    /// The token that stood in the tag's key before the entry was loaded.
    pub(crate) token: Token,
}

impl Stamp {
    fn bytes(&self) -> [u8; STAMP] {
        let mut bytes = [0; STAMP];
        bytes[..8].copy_from_slice(&self.tag.0.to_be_bytes());
        bytes[8..].copy_from_slice(self.token.as_bytes());
        bytes
    }
}

/// What a value record says besides its tags and its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueHeader {
    pub(crate) key: KeyHash,
    pub(crate) token: Token,
    pub(crate) cost_ms: u32,
    pub(crate) version: u32,
    pub(crate) codec: u8,
}

/// A value record under construction: header and tags, ready for the payload to be appended. Origin and times are
/// filled in where the value is stored. Tags beyond [`MOST_STAMPS`] are left out, and so the entry is never found.
pub(crate) fn value(header: ValueHeader, stamps: &[Stamp]) -> Vec<u8> {
    let stamps = stamps.get(..MOST_STAMPS).unwrap_or(stamps);
    let payload = u16::try_from(VALUE_HEADER + stamps.len() * STAMP).unwrap_or_default();
    let mut record = Vec::with_capacity(512);
    record.extend_from_slice(&self::header(Kind::Value, Origin::default(), header.key));
    record.extend_from_slice(header.token.as_bytes());
    record.extend_from_slice(&[0; 16]);
    record.extend_from_slice(&header.cost_ms.to_be_bytes());
    record.extend_from_slice(&header.version.to_be_bytes());
    record.extend_from_slice(&[header.codec, 0]);
    record.extend_from_slice(&payload.to_be_bytes());
    for stamp in stamps {
        record.extend_from_slice(&stamp.bytes());
    }
    record
}

/// Puts other stamps into a record.
#[cfg(cache_mutants)]
pub(crate) fn restamp(record: &mut [u8], stamps: &[Stamp]) {
    let places = record.get_mut(VALUE_HEADER..).unwrap_or_default().chunks_exact_mut(STAMP);
    places.zip(stamps).for_each(|(place, stamp)| place.copy_from_slice(&stamp.bytes()));
}

/// The record in a tag's key.
pub(crate) fn stamp(tag: KeyHash, token: Token) -> Vec<u8> {
    value(ValueHeader { key: tag, token, cost_ms: 0, version: 0, codec: 0 }, &[])
}
