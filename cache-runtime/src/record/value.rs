//! Value records: everything besides the payload.

use bytes::Bytes;

use crate::record::layout::{CODEC, COST, FLAGS, FRESH_UNTIL, KEY, PAYLOAD_AT, STORED_AT, VERSION};
use crate::record::stamp::{FormerStamp, LENGTH, STAMP, Stamp, names_field};
use crate::record::token::Token;
use crate::record::{HEADER, KeyHash, Kind, Origin, VALUE_HEADER, array, header};

/// Length of what a tag's record says of the former stamp.
const FORMER: usize = Token::LEN + 8;
/// As many as the field can tell where the payload begins behind them.
pub(super) const MOST_STAMPS: usize = (u16::MAX as usize - VALUE_HEADER) / STAMP;

/// The codec of an index.
const INDEX: u8 = b'I';

/// The flag of an error, which stands where a value would.
const ERROR: u8 = 1;
/// The flag of a value that stays after it has ceased to be fresh.
const KEPT: u8 = 2;
/// The flag of a value that names the tags which it has told itself.
const NAMES: u8 = 4;

/// How long the payload of a whole record is.
pub(crate) fn size(record: &[u8]) -> usize {
    let payload = usize::from(u16::from_be_bytes(array(record, PAYLOAD_AT)));
    record.len().saturating_sub(payload)
}

/// A value record, its header read and its payload not yet decoded.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    record: Bytes,
    payload: usize,
}

impl Value {
    /// Reads the header of a record that is no shorter; none where it does not fit the record.
    pub(super) fn new(record: Bytes) -> Option<Self> {
        let payload = usize::from(u16::from_be_bytes(array(&record, PAYLOAD_AT)));
        (VALUE_HEADER..=record.len()).contains(&payload).then_some(Self { record, payload })
    }

    /// Reads the header of a record of `size` bytes, of which no more than these were read.
    pub(super) fn beginning(head: Bytes, size: u64) -> Option<Self> {
        let payload = u16::from_be_bytes(array(&head, PAYLOAD_AT));
        let is_within = u64::from(payload) <= size && usize::from(payload) >= VALUE_HEADER;
        is_within.then_some(Self { record: head, payload: payload.into() })
    }

    /// Where its payload begins.
    pub(crate) fn payload_at(&self) -> usize {
        self.payload
    }

    /// The attempt that stored it.
    pub(crate) fn token(&self) -> Token {
        Token::from_bytes(array(&self.record, HEADER))
    }

    /// The hash of the key that it was stored for.
    pub(crate) fn key(&self) -> KeyHash {
        KeyHash(u64::from_be_bytes(array(&self.record, KEY)))
    }

    /// Whether it says where the value of an alias is.
    pub(crate) fn is_index(&self) -> bool {
        self.codec() == INDEX
    }

    pub(crate) fn version(&self) -> u32 {
        u32::from_be_bytes(array(&self.record, VERSION))
    }

    /// The codec's byte; see [`Codec`](crate::Codec).
    pub(crate) fn codec(&self) -> u8 {
        self.record.get(CODEC).copied().unwrap_or_default()
    }

    /// Whether what stands between header and payload can be stamps, and names behind them.
    pub(crate) fn is_whole(&self) -> bool {
        self.extension().0.len().is_multiple_of(STAMP)
            && (!self.names_tags() || self.names().is_some())
    }

    /// Whether it was stored with these tags, in this order, and under these stamps.
    pub(crate) fn has_stamps(&self, stamps: &[Stamp]) -> bool {
        self.extension().0.len() == stamps.len() * STAMP
            && self.stamps().eq(stamps.iter().map(Stamp::bytes))
    }

    /// Whether it was stored with these tags, in this order, whatever their stamps.
    pub(crate) fn has_tags(&self, tags: impl ExactSizeIterator<Item = KeyHash>) -> bool {
        self.extension().0.len() == tags.len() * STAMP
            && self.stamps().map(|stamp| array(&stamp, 0)).eq(tags.map(|tag| tag.0.to_be_bytes()))
    }

    /// The keys of the tags that the value has told itself, in their order; `None` if it is of a
    /// function whose values tell none, or is damaged.
    pub(crate) fn names(&self) -> Option<Vec<&str>> {
        let mut left = self.extension().1?;
        let mut names = Vec::new();
        while !left.is_empty() {
            let (length, rest) = left.split_first_chunk::<LENGTH>()?;
            let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            names.push(str::from_utf8(name).ok()?);
            left = rest;
        }
        Some(names)
    }

    fn names_tags(&self) -> bool {
        self.record.get(FLAGS).is_some_and(|flags| flags & NAMES != 0)
    }

    /// The tags that it was stored with, each with the stamp that it had then.
    pub(crate) fn tags(&self) -> impl Iterator<Item = (KeyHash, Token)> {
        self.stamps().map(|stamp| {
            let tag = KeyHash(u64::from_be_bytes(array(&stamp, 0)));
            (tag, Token::from_bytes(array(&stamp, stamp.len() - Token::LEN)))
        })
    }

    fn stamps(&self) -> impl Iterator<Item = [u8; STAMP]> {
        self.extension().0.chunks_exact(STAMP).map(|stamp| array(stamp, 0))
    }

    /// What stands between header and payload: the stamps, and the names if there are any.
    fn extension(&self) -> (&[u8], Option<&[u8]>) {
        let all = self.record.get(VALUE_HEADER..self.payload).unwrap_or_default();
        if !self.names_tags() {
            return (all, None);
        }
        let split = all.split_last_chunk::<LENGTH>().and_then(|(rest, length)| {
            let length = usize::from(u16::from_be_bytes(*length));
            rest.split_at_checked(rest.len().checked_sub(length)?)
        });
        split.map_or((all, None), |(stamps, names)| (stamps, Some(names)))
    }

    /// The encoded value.
    pub(crate) fn payload(&self) -> &[u8] {
        self.record.get(self.payload..).unwrap_or_default()
    }
}

/// What decides by age.
impl Value {
    /// When it was stored, by the server's clock.
    pub(crate) fn stored_at_ms(&self) -> u64 {
        u64::from_be_bytes(array(&self.record, STORED_AT))
    }

    /// Until when it is fresh, by the server's clock.
    pub(crate) fn fresh_until_ms(&self) -> u64 {
        u64::from_be_bytes(array(&self.record, FRESH_UNTIL))
    }

    /// What its load cost.
    pub(crate) fn cost_ms(&self) -> u32 {
        u32::from_be_bytes(array(&self.record, COST))
    }

    /// Whether it is an error that is remembered in the place of a value.
    pub(crate) fn is_error(&self) -> bool {
        self.record.get(FLAGS).is_some_and(|flags| flags & ERROR != 0)
    }

    /// What a tag's record says of the former stamp.
    pub(crate) fn former(&self) -> Option<FormerStamp> {
        let payload = self.payload();
        (self.codec() == 0 && payload.len() == FORMER).then(|| FormerStamp {
            token: Token::from_bytes(array(payload, 0)),
            until_ms: u64::from_be_bytes(array(payload, Token::LEN)),
        })
    }

    /// Since when it has been stale, where a tag of its own has had another stamp since then, and
    /// all others have theirs. None if it was not stored under present stamps and former ones, or
    /// is not kept after it has ceased to be fresh.
    pub(crate) fn stale_since_ms(&self, stamps: &[Stamp]) -> Option<u64> {
        if !self.is_kept() || self.extension().0.len() != stamps.len() * STAMP {
            return None;
        }
        let since = |(own, stamp): ([u8; STAMP], &Stamp)| {
            if own == stamp.bytes() {
                return Some(u64::MAX);
            }
            let former = stamp.former?;
            let then = Stamp { token: former.token, ..*stamp };
            (own == then.bytes()).then_some(former.until_ms)
        };
        self.stamps().zip(stamps).map(since).try_fold(u64::MAX, |least, it| Some(least.min(it?)))
    }

    /// The same value, fresh until this time at most.
    pub(crate) fn fresh_until(self, until_ms: u64) -> Self {
        let fresh_until = self.fresh_until_ms().min(until_ms);
        let mut record = self.record.to_vec();
        if let Some(field) = record.get_mut(FRESH_UNTIL..COST) {
            field.copy_from_slice(&fresh_until.to_be_bytes());
        }
        Self { record: record.into(), ..self }
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

/// The parts of a value record other than its tags and its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueHeader {
    pub(crate) key: KeyHash,
    pub(crate) token: Token,
    pub(crate) cost_ms: u32,
    pub(crate) version: u32,
    pub(crate) codec: u8,
}

/// A value record under construction: header and tags, ready for the payload to be appended. Origin
/// and times are filled in where the value is stored. Tags beyond [`MOST_STAMPS`] are left out, and
/// so the entry is never found.
pub(crate) fn value(header: ValueHeader, stamps: &[Stamp], names: Option<&[String]>) -> Vec<u8> {
    let stamps = stamps.get(..MOST_STAMPS).unwrap_or(stamps);
    let names = names.map(names_field).unwrap_or_default();
    let payload = VALUE_HEADER + stamps.len() * STAMP + names.len();
    let payload = u16::try_from(payload).unwrap_or_default();
    let mut record = Vec::with_capacity(512);
    record.resize(VALUE_HEADER, 0);
    record[..HEADER].copy_from_slice(&self::header(Kind::Value, Origin::default(), header.key));
    record[HEADER..STORED_AT].copy_from_slice(header.token.as_bytes());
    record[COST..VERSION].copy_from_slice(&header.cost_ms.to_be_bytes());
    record[VERSION..CODEC].copy_from_slice(&header.version.to_be_bytes());
    record[CODEC] = header.codec;
    record[PAYLOAD_AT..].copy_from_slice(&payload.to_be_bytes());
    for stamp in stamps {
        record.extend_from_slice(&stamp.bytes());
    }
    if !names.is_empty() {
        record[FLAGS] |= NAMES;
        record.extend_from_slice(&names);
    }
    record
}

/// A value record under another token that is fresh no longer, and for how many milliseconds it
/// would have been; none if it is not kept for longer than that. In a tag's record the former stamp
/// is remembered.
pub(crate) fn stale(record: &Bytes, token: Token, now_ms: u64) -> Option<(Vec<u8>, u64)> {
    let value = Value::new(record.clone())?;
    let mut made = record.to_vec();
    made.get_mut(HEADER..STORED_AT)?.copy_from_slice(token.as_bytes());
    if value.codec() == 0 {
        made.truncate(VALUE_HEADER);
        made.extend_from_slice(value.token().as_bytes());
        made.extend_from_slice(&now_ms.to_be_bytes());
        return Some((made, 0));
    }
    let fresh_for = value.fresh_until_ms().saturating_sub(now_ms);
    let fresh_until = value.fresh_until_ms() - fresh_for;
    made.get_mut(FRESH_UNTIL..COST)?.copy_from_slice(&fresh_until.to_be_bytes());
    value.is_kept().then_some((made, fresh_for))
}

/// What comes before a value's times, and what after: the server puts those in.
pub(crate) fn around_times(record: &[u8]) -> (&[u8], &[u8]) {
    (record.get(..STORED_AT).unwrap_or_default(), record.get(COST..).unwrap_or_default())
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

/// The record in the key of an alias.
pub(crate) fn index(header: ValueHeader, stamps: &[Stamp], names: &[String]) -> Vec<u8> {
    value(ValueHeader { version: 0, codec: INDEX, ..header }, stamps, Some(names))
}

/// The record in a tag's key.
pub(crate) fn stamp(tag: KeyHash, token: Token) -> Vec<u8> {
    value(ValueHeader { key: tag, token, cost_ms: 0, version: 0, codec: 0 }, &[], None)
}
