//! Random steps: operations, and what happens to keys from outside.

use std::fmt;

use bytes::Bytes;

use crate::record::{self, KeyHash, layout};
use crate::testing::agreement::entries::model::{Asker, Given, Op};
use crate::testing::agreement::entries::state::{Millis, NEVER, State, Token, Use, Value};
use crate::testing::agreement::entries::wire::{ORIGINS, TOKENS, origin, token};

pub(super) const KEYS: [&str; 3] = ["agreement:a", "agreement:b", "agreement:c"];

/// One step of a run, on one key.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) key: usize,
    pub(super) what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Op(Op),
    /// `DEL`, or eviction.
    Delete,
    /// The key's time is over.
    Expire,
    /// The time of one writer is over.
    WriterExpires(Token),
    /// Somebody puts these bytes there, in this format version if they are a record of ours.
    Put(State, u8),
    /// Somebody puts a list there.
    Push,
    /// Time passes for all keys.
    Pass(Millis),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", KEYS[self.key], self.what)
    }
}

/// Where steps come from. The same seed gives the same steps.
#[derive(Debug)]
pub(super) struct Steps {
    random: u64,
    /// All spans are multiples of it.
    unit: Millis,
    /// The embedded store has one origin, nobody else's data, and a clock that can be moved.
    embedded: bool,
    count: u32,
}

impl Steps {
    pub(super) fn on_a_server(seed: u64, unit: Millis) -> Self {
        Self { random: seed, unit, embedded: false, count: 0 }
    }

    pub(super) fn in_memory(seed: u64, unit: Millis) -> Self {
        Self { random: seed, unit, embedded: true, count: 0 }
    }

    pub(super) fn next(&mut self) -> Step {
        self.count += 1;
        let key = usize::from(self.below(3));
        let from_outside = self.below(100) < 14;
        let what = match (from_outside, self.embedded) {
            (false, _) => What::Op(self.op(KeyHash::of(KEYS[key]))),
            (true, true) => What::Pass(self.unit * Millis::from(self.below(4))),
            (true, false) => self.event(),
        };
        Step { key, what }
    }

    fn op(&mut self, key: KeyHash) -> Op {
        let lease = self.span();
        match self.below(24) {
            0..=4 => Op::Acquire {
                by: self.asker(),
                token: self.token(),
                lease,
                reject: self.sometimes(3).then(|| self.token()),
            },
            5..=8 => {
                let (by, token) = (self.asker(), self.token());
                Op::Fill { by, token, given: self.given(key, by.origin, token) }
            }
            9..=10 => {
                let (by, token, seen) = (self.asker(), self.token(), self.token());
                Op::Refresh { by, token, seen, given: self.given(key, by.origin, token) }
            }
            11 => Op::Release { token: self.token() },
            12 => Op::Renew { token: self.token(), lease },
            20..=21 => Op::Stamp {
                by: self.asker(),
                fresh: self.token(),
                // On a server less than the whole units is left of every life.
                need: self.span() - self.unit / 2,
            },
            22..=23 => Op::MakeStale { by: self.asker(), token: self.token() },
            13..=14 => Op::Invalidate { hold_off: self.hold_off() },
            15..=16 => Op::Begin { writer: self.token(), fence: lease },
            _ => {
                let (writer, by) = (self.token(), self.asker());
                let value =
                    self.sometimes(2).then(|| (by.origin, self.given(key, by.origin, writer)));
                Op::End { writer, hold_off: self.hold_off(), value }
            }
        }
    }

    fn event(&mut self) -> What {
        match self.below(12) {
            0..=1 => What::Delete,
            2..=3 => What::Expire,
            4..=6 => What::WriterExpires(self.token()),
            7 => What::Push,
            _ => {
                let state = self.put();
                // Kind and meaning of fences and tombstones are the same in every format version.
                let is_barrier = matches!(state, State::Fence { .. } | State::Tombstone { .. });
                What::Put(state, if is_barrier { 1 + self.below(2) } else { 1 })
            }
        }
    }

    fn put(&mut self) -> State {
        let until = self.span();
        let forever = if self.sometimes(2) { NEVER } else { until };
        match self.below(10) {
            0..=3 => State::Value(self.value(forever)),
            4 => State::Lease { origin: self.origin(), token: self.token(), until },
            5 => {
                let count = self.below(3);
                let writers = (0..count).map(|_| (self.token(), self.past_or_span())).collect();
                State::Fence { dirty: count > 0 && self.sometimes(2), writers, until }
            }
            6 => State::Tombstone { until },
            7..=8 => {
                let (kind, token) = ([b'V', b'L', b'?'][self.choice(3)], token(self.token()));
                let key = [self.below(2); 8];
                let mut bytes = [&[0xC1, 0xCA, 2, kind], &origin(0)[..], &key, &token].concat();
                bytes.extend([0; 40]);
                if kind == b'?' || self.sometimes(2) {
                    bytes[2] = 1;
                    bytes.truncate(if kind == b'?' { 76 } else { 2 + self.choice(34) });
                }
                State::Damaged { bytes: bytes.into(), until: forever }
            }
            _ => {
                let text = ["", "0", "{\"id\":7}", "\u{c1}\u{ca}", "user"][self.choice(5)];
                State::Foreign { bytes: text.into(), until: forever }
            }
        }
    }

    /// A value that was there before: restored, of another key, cut short, or with a payload that
    /// begins nowhere.
    fn value(&mut self, until: Millis) -> Value {
        let use_of_it = [Use::Whole, Use::Whole, Use::Cut, Use::Misplaced][self.choice(4)];
        let is_cut = use_of_it == Use::Cut;
        let length =
            if is_cut && self.sometimes(2) { self.choice(12) } else { 12 + self.choice(30) };
        let mut rest = vec![b'r'; length];
        let end = u16::try_from(layout::COST + length).expect("short");
        let payload = if is_cut { [0, 63, end + 1, u16::MAX][self.choice(4)] } else { 64 };
        if let Some(field) = rest.get_mut(10..12) {
            field.copy_from_slice(&payload.to_be_bytes());
        }
        Value {
            origin: self.origin(),
            token: self.token(),
            stored_at: 0,
            fresh: self.span(),
            rest: rest.into(),
            use_of_it,
            until,
        }
    }

    /// A record as a process sends it: its times, which are for the store to put in, are nonsense.
    fn given(&mut self, key: KeyHash, by: u8, holder: Token) -> Given {
        let token = record::token::Token::from_bytes(token(holder));
        let number = self.count;
        let header =
            record::ValueHeader { key, token, cost_ms: number, version: !number, codec: b'J' };
        let mut record = record::value(header, &[], None);
        record::set_origin(&mut record, record::Origin(origin(by)));
        record[layout::STORED_AT..layout::COST].fill(0xEE);
        record.extend(format!("\"value {number}\"").bytes());
        if self.sometimes(2) {
            record::set_kept(&mut record);
        }
        let (fresh, ttl) = (self.span(), self.span());
        let record = Bytes::from(record);
        Given {
            rest: record.slice(layout::COST..),
            record,
            fresh: fresh.min(ttl),
            ttl: ttl.max(fresh),
        }
    }

    fn asker(&mut self) -> Asker {
        let insists = !self.embedded && self.sometimes(2);
        Asker { origin: self.origin(), insists }
    }

    fn origin(&mut self) -> u8 {
        if self.embedded { 0 } else { self.below(ORIGINS) }
    }

    /// One of them more often than the others.
    fn token(&mut self) -> Token {
        if self.sometimes(3) { 0 } else { self.below(TOKENS) }
    }

    fn hold_off(&mut self) -> Millis {
        if self.sometimes(2) { 0 } else { self.span() }
    }

    fn past_or_span(&mut self) -> Millis {
        if self.sometimes(2) { 0 } else { self.span() }
    }

    fn span(&mut self) -> Millis {
        self.unit * Millis::from(1 + self.below(9))
    }

    fn sometimes(&mut self, one_in: u8) -> bool {
        self.below(one_in) == 0
    }

    fn choice(&mut self, of: u8) -> usize {
        usize::from(self.below(of))
    }

    /// `SplitMix64`.
    fn below(&mut self, limit: u8) -> u8 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u8::try_from((mixed ^ (mixed >> 31)) % u64::from(limit)).unwrap()
    }
}
