//! Between the model's states and the bytes of a key, independent of `record`.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::record::{KeyHash, LEASE, VALUE_HEADER, layout};
use crate::testing::agreement::entries::model::Reply;
use crate::testing::agreement::entries::state::{Millis, NEVER, Origin, State, Token, Use, Value};

/// Few enough that two attempts of a run often have the same one. They differ in their last byte
/// only.
pub(super) const TOKENS: u8 = 5;
/// Number 0 is the one that is not known.
pub(super) const ORIGINS: u8 = 3;

pub(super) fn token(number: Token) -> [u8; 16] {
    let mut token = *b"attempt number \0";
    token[15] = number;
    token
}

/// The number of a token.
pub(super) fn number(bytes: [u8; 16]) -> Token {
    token_at(&bytes, 0)
}

pub(super) fn origin(number: Origin) -> [u8; 8] {
    [0, 0, 0, 0, 0, 0, 0, number]
}

/// The clock of a run: where its zero is on the store's clock, and how coarsely it is read.
///
/// On a real server time goes on between the steps. There all spans are multiples of the unit, and
/// a run takes less than one, so what is left after rounding down is exactly what the model
/// expects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Milliseconds since the Unix epoch.
    pub(super) zero: Millis,
    pub(super) unit: Millis,
}

impl Clock {
    pub(super) fn read(self, time: Millis) -> Millis {
        time.saturating_sub(self.zero) / self.unit * self.unit
    }

    /// What is left of a span that began since the last full unit.
    pub(super) fn span(self, left: Millis) -> Millis {
        left.div_ceil(self.unit) * self.unit
    }

    /// A time that reads as `time`. Zero is long past.
    fn write(self, time: Millis) -> Millis {
        if time == 0 { 1 } else { self.zero + time + self.unit / 2 }
    }
}

/// Reads the bytes of a key that expires at `until`. Panics if they are nothing that the rules
/// could have left.
pub(super) fn decode(bytes: &[u8], key: KeyHash, clock: Clock, until: Millis) -> State {
    if !bytes.starts_with(b"\xC1\xCA") {
        return State::Foreign { bytes: Bytes::copy_from_slice(bytes), until };
    }
    let is_ours = bytes.get(2) == Some(&1) && bytes.len() >= LEASE;
    match bytes.get(3) {
        Some(b'F') => fence(bytes, clock, until),
        Some(b'T') => State::Tombstone { until },
        Some(b'L') if is_ours => {
            assert_eq!(bytes.len(), LEASE, "the length of a lease");
            assert_eq!(bytes[12..20], key.0.to_be_bytes(), "the key of a lease");
            State::Lease { origin: bytes[11], token: token_at(bytes, 20), until }
        }
        Some(b'V') if is_ours => State::Value(value(bytes, key, clock, until)),
        _ => State::Damaged { bytes: Bytes::copy_from_slice(bytes), until },
    }
}

/// Reads the value that ACQUIRE replies.
pub(super) fn decode_value(bytes: &[u8], key: KeyHash, clock: Clock) -> Reply {
    match decode(bytes, key, clock, NEVER) {
        State::Value(value) => Reply::Value(value),
        state => panic!("a value that is {state:?}"),
    }
}

fn fence(bytes: &[u8], clock: Clock, until: Millis) -> State {
    assert_eq!(bytes.len().saturating_sub(21) % 24, 0, "the length of a fence");
    let mut writers = BTreeMap::new();
    for at in (21..bytes.len()).step_by(24) {
        let before = writers.insert(token_at(bytes, at), clock.read(u64_at(bytes, at + 16)));
        assert_eq!(before, None, "a writer stands in a fence once");
    }
    State::Fence { dirty: bytes.get(20) == Some(&1), writers, until }
}

fn value(bytes: &[u8], key: KeyHash, clock: Clock, until: Millis) -> Value {
    let use_of_it = match bytes {
        _ if bytes[12..20] != key.0.to_be_bytes() => Use::Misplaced,
        _ if bytes.len() < 64 => Use::Cut,
        _ if !(VALUE_HEADER..=bytes.len())
            .contains(&usize::from(u16_at(bytes, layout::PAYLOAD_AT))) =>
        {
            Use::Cut
        }
        _ => Use::Whole,
    };
    let times = if bytes.len() < layout::COST {
        (0, 0)
    } else {
        (u64_at(bytes, layout::STORED_AT), u64_at(bytes, layout::FRESH_UNTIL))
    };
    let mut rest = bytes.get(layout::COST..).unwrap_or_default().to_vec();
    // Of a stamp that has replaced another: the time of that.
    if bytes.get(layout::CODEC) == Some(&0) && bytes.len() == VALUE_HEADER + 24 {
        let time = clock.read(u64_at(bytes, VALUE_HEADER + 16));
        rest.splice(28.., time.to_be_bytes());
    }
    Value {
        origin: bytes[11],
        token: token_at(bytes, 20),
        stored_at: clock.read(times.0),
        fresh: (times.1 - times.0) / clock.unit * clock.unit,
        rest: rest.into(),
        use_of_it,
        until,
    }
}

/// The bytes of a state that somebody puts into a key, of another format version if they say so.
pub(super) fn encode(state: &State, format: u8, key: KeyHash, clock: Clock) -> Vec<u8> {
    let header = |kind: u8, number: Origin, key: u64| {
        [&[0xC1, 0xCA, format, kind][..], &origin(number), &key.to_be_bytes()].concat()
    };
    match state {
        State::Value(value) => {
            let wrong = u64::from(value.use_of_it == Use::Misplaced);
            let mut bytes = header(b'V', value.origin, key.0 ^ wrong);
            bytes.extend(token(value.token));
            let stored_at = clock.zero + value.stored_at;
            // Past the sixth of a unit that has gone by when it is put there, or what is left of
            // its life when it is made stale would be more than the rules say.
            let fresh_until = stored_at + value.fresh + clock.unit / 4;
            bytes.extend(stored_at.to_be_bytes());
            bytes.extend(fresh_until.to_be_bytes());
            bytes.extend(&value.rest);
            bytes
        }
        State::Lease { origin, token: holder, .. } => {
            [header(b'L', *origin, key.0), token(*holder).to_vec()].concat()
        }
        // Cut short, but to be respected by its kind.
        State::Fence { writers, .. } if writers.is_empty() => header(b'F', 0, key.0)[..4].to_vec(),
        State::Fence { dirty, writers, .. } => {
            let mut bytes = header(b'F', 0, key.0);
            bytes.push(u8::from(*dirty));
            for (writer, deadline) in writers {
                bytes.extend(token(*writer));
                bytes.extend(clock.write(*deadline).to_be_bytes());
            }
            bytes
        }
        State::Tombstone { .. } => header(b'T', 0, key.0),
        State::Damaged { bytes, .. } | State::Foreign { bytes, .. } => bytes.to_vec(),
        State::Absent | State::OtherType => Vec::new(),
    }
}

/// A reply of `PTTL` at `now`.
pub(super) fn until(now: Millis, pttl: i64, clock: Clock) -> Millis {
    u64::try_from(pttl).map_or(NEVER, |left| clock.read(now + left))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from(bytes[at]) << 8 | u16::from(bytes[at + 1])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn token_at(bytes: &[u8], at: usize) -> Token {
    let number = bytes[at + 15];
    assert_eq!(bytes[at..at + 16], token(number), "a token of this run");
    number
}
