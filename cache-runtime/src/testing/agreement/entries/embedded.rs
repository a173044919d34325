//! The embedded store, on a clock that only the steps move.

use std::time::Duration;

use tokio::time::Instant;

use crate::record::token::Token;
use crate::store::memory::{Execute, MemoryStore};
use crate::store::{
    Acquire, Acquired, Begin, End, Ended, Fill, Get, Invalidate, MakeStale, Name, Refresh, Release,
    Renew, Stamped,
};
use crate::testing::agreement::entries::generate::{KEYS, Steps};
use crate::testing::agreement::entries::model::{Given, Op, Reply};
use crate::testing::agreement::entries::run::Outcome;
use crate::testing::agreement::entries::state::{Millis, State};
use crate::testing::agreement::entries::wire::{self, Clock};

const UNIT: Millis = 1;

/// A store with room for everything.
pub(super) struct Embedded {
    store: MemoryStore,
    clock: Clock,
}

impl Embedded {
    pub(super) fn new() -> Self {
        let store = MemoryStore::new(1 << 24);
        let clock = Clock { zero: store.millis(Instant::now()), unit: UNIT };
        Self { store, clock }
    }

    pub(super) fn steps(seed: u64) -> Steps {
        Steps::in_memory(seed, UNIT)
    }

    pub(super) fn execute(&self, key: usize, op: &Op) -> Outcome {
        let name = Name::new(KEYS[key]);
        Outcome { reply: self.reply(name, op), state: self.look(key) }
    }

    /// What a key holds; checks that a reader gets it if it is a value, and nothing if it is not.
    pub(super) fn look(&self, key: usize) -> State {
        let name = Name::new(KEYS[key]);
        let state = self.store.image(name).map_or(State::Absent, |(record, until)| {
            let until = self.clock.read(self.store.millis(until));
            wire::decode(&record, name.hash, self.clock, until)
        });
        let value = match &state {
            State::Value(_) => self.store.image(name).map(|(record, _)| record),
            _ => None,
        };
        assert_eq!(Get.execute(&self.store, name), value, "what a reader gets of {state:?}");
        state
    }

    /// Where the store gives one.
    fn reply(&self, name: Name<'_>, op: &Op) -> Option<Reply> {
        let number = match op {
            Op::Acquire { token: holder, lease, reject, .. } => {
                let reject = reject.map(token);
                let request = Acquire { token: token(*holder), lease: span(*lease), reject };
                let acquired = request.execute(&self.store, name);
                return Some(self.acquired(name, &acquired));
            }
            Op::Fill { given, .. } => i64::from(fill(given).execute(&self.store, name)),
            Op::Refresh { seen, given, .. } => {
                let request = Refresh { seen: token(*seen), fill: fill(given) };
                i64::from(request.execute(&self.store, name))
            }
            Op::Release { token: holder } => {
                i64::from(Release { token: token(*holder) }.execute(&self.store, name))
            }
            Op::Renew { token: holder, lease } => {
                let request = Renew { token: token(*holder), lease: span(*lease) };
                i64::from(request.execute(&self.store, name))
            }
            Op::Stamp { fresh, need, .. } => {
                return Some(match self.store.stamp_with(name, token(*fresh), span(*need)) {
                    Stamped::Stamp(stamp) => Reply::Stamp(wire::number(*stamp.as_bytes())),
                    Stamped::Fenced => Reply::Fenced,
                    Stamped::Foreign => Reply::Foreign,
                });
            }
            Op::Invalidate { hold_off } => {
                Invalidate { hold_off: span(*hold_off) }.execute(&self.store, name);
                return None;
            }
            Op::MakeStale { token: fresh, .. } => {
                MakeStale { token: token(*fresh) }.execute(&self.store, name);
                return None;
            }
            Op::Begin { writer, fence } => {
                let (writer, fence) = (token(*writer), span(*fence));
                Begin { writer, fence }.execute(&self.store, name);
                return None;
            }
            Op::End { writer, hold_off, value } => {
                let value = value.as_ref().map(|(_, given)| fill(given));
                let (writer, hold_off) = (token(*writer), span(*hold_off));
                match (End { writer, hold_off, value }).execute(&self.store, name) {
                    Ended::Removed => 1,
                    Ended::Standing => 2,
                    Ended::Stored => 3,
                }
            }
        };
        Some(Reply::Number(number))
    }

    fn acquired(&self, name: Name<'_>, acquired: &Acquired) -> Reply {
        match acquired {
            Acquired::Value(record) => wire::decode_value(record, name.hash, self.clock),
            Acquired::Leased => Reply::Leased,
            Acquired::Held(left) => Reply::Held(u64::try_from(left.as_millis()).unwrap()),
            Acquired::Fenced => Reply::Fenced,
            Acquired::Foreign => Reply::Foreign,
            Acquired::Quiet => unreachable!("the embedded store never restarts"),
        }
    }
}

fn fill(given: &Given) -> Fill {
    Fill { record: given.record.to_vec(), fresh: span(given.fresh), ttl: span(given.ttl) }
}

fn token(number: u8) -> Token {
    Token::from_bytes(wire::token(number))
}

fn span(millis: Millis) -> Duration {
    Duration::from_millis(millis)
}
