//! The transition rules of the protocol, written a second time: it shares nothing with the scripts
//! or the embedded store.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::testing::agreement::entries::state::{Millis, NEVER, Origin, State, Token, Use, Value};

/// A value to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) record: Bytes,
    pub(super) rest: Bytes,
    pub(super) fresh: Millis,
    pub(super) ttl: Millis,
}

/// Who asks: which primary it talks to, and whether it insists on that one's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) origin: Origin,
    pub(super) insists: bool,
}

impl Asker {
    fn trusts(self, origin: Origin) -> bool {
        !self.insists || self.origin == origin
    }
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Acquire { by: Asker, token: Token, lease: Millis, reject: Option<Token> },
    Fill { by: Asker, token: Token, given: Given },
    Refresh { by: Asker, token: Token, seen: Token, given: Given },
    Release { token: Token },
    Renew { token: Token, lease: Millis },
    Stamp { by: Asker, fresh: Token, need: Millis },
    Invalidate { hold_off: Millis },
    MakeStale { by: Asker, token: Token },
    Begin { writer: Token, fence: Millis },
    End { writer: Token, hold_off: Millis, value: Option<(Origin, Given)> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Of ACQUIRE: the value, whose expiry a reply does not tell.
    Value(Value),
    Leased,
    /// For how long at most.
    Held(Millis),
    /// Of STAMP.
    Stamp(Token),
    Fenced,
    Foreign,
    /// Of all others.
    Number(i64),
    /// No operation has this one.
    Error(String),
}

impl Op {
    /// Applies the operation to a key's state at `now`.
    pub(super) fn apply(&self, state: &mut State, now: Millis) -> Reply {
        if state.until() <= now {
            *state = State::Absent;
        }
        if matches!(state, State::Foreign { .. } | State::OtherType) {
            return self.go_around();
        }
        let number = match self {
            Self::Acquire { by, token, lease, reject } => {
                return acquire(state, now, *by, *token, *lease, *reject);
            }
            Self::Fill { by, token, given } => match state {
                State::Value(value) => i64::from(value.token == *token),
                State::Lease { origin, token: holder, .. }
                    if holder == token && by.trusts(*origin) =>
                {
                    *state = given.stored(by.origin, *token, now);
                    1
                }
                _ => 0,
            },
            Self::Refresh { by, token, seen, given } => match state {
                State::Value(value) if !by.trusts(value.origin) => 0,
                State::Value(value) if value.token == *token => 1,
                State::Value(value) if value.token == *seen => {
                    *state = given.stored(by.origin, *token, now);
                    1
                }
                _ => 0,
            },
            Self::Release { token } => match state {
                State::Lease { token: holder, .. } if holder == token => {
                    *state = State::Absent;
                    1
                }
                _ => 0,
            },
            Self::Renew { token, lease } => match state {
                State::Lease { token: holder, until, .. } if holder == token => {
                    *until = now + lease;
                    1
                }
                _ => 0,
            },
            Self::Stamp { by, fresh, need } => return stamp(state, now, *by, *fresh, *need),
            Self::Invalidate { hold_off } => {
                let live = state.live_writers(now);
                if live.is_empty() {
                    state.empty(now, *hold_off);
                    1
                } else {
                    *state = fence(live, true);
                    2
                }
            }
            Self::MakeStale { by, token } => {
                let live = state.live_writers(now);
                match state {
                    _ if !live.is_empty() => {
                        *state = fence(live, true);
                        2
                    }
                    State::Value(value) if by.trusts(value.origin) && value.is_left(now) => {
                        value.make_stale(*token, now);
                        3
                    }
                    _ => {
                        *state = State::Absent;
                        1
                    }
                }
            }
            Self::Begin { writer, fence: length } => {
                let mut writers = state.live_writers(now);
                let was_dirty = state.is_dirty() && !writers.is_empty();
                writers.remove(writer);
                let dirty = was_dirty || !writers.is_empty();
                writers.insert(*writer, now + length);
                *state = fence(writers, dirty);
                1
            }
            Self::End { writer, hold_off, value } => {
                let mut rest = state.live_writers(now);
                let stood = rest.remove(writer).is_some();
                match value {
                    _ if !rest.is_empty() => {
                        *state = fence(rest, true);
                        2
                    }
                    Some((origin, given)) if stood && !state.is_dirty() => {
                        *state = given.stored(*origin, *writer, now);
                        3
                    }
                    _ => {
                        state.empty(now, *hold_off);
                        1
                    }
                }
            }
        };
        Reply::Number(number)
    }

    /// Somebody else's data stays as it is. A writer may end, as there is nothing of its own left
    /// in the key.
    fn go_around(&self) -> Reply {
        match self {
            Self::Acquire { .. } | Self::Stamp { .. } => Reply::Foreign,
            Self::End { .. } => Reply::Number(1),
            _ => Reply::Number(0),
        }
    }
}

fn acquire(
    state: &mut State,
    now: Millis,
    by: Asker,
    token: Token,
    lease: Millis,
    reject: Option<Token>,
) -> Reply {
    match state {
        State::Fence { .. } | State::Tombstone { .. } => return Reply::Fenced,
        State::Value(value)
            if value.use_of_it == Use::Whole
                && by.trusts(value.origin)
                && reject != Some(value.token) =>
        {
            return Reply::Value(Value { until: NEVER, ..value.clone() });
        }
        State::Lease { origin, until, .. } if by.trusts(*origin) => {
            return Reply::Held(*until - now);
        }
        _ => {}
    }
    *state = State::Lease { origin: by.origin, token, until: now + lease };
    Reply::Leased
}

fn stamp(state: &mut State, now: Millis, by: Asker, fresh: Token, need: Millis) -> Reply {
    match state {
        State::Fence { .. } | State::Tombstone { .. } => Reply::Fenced,
        State::Value(value) if value.use_of_it == Use::Whole && by.trusts(value.origin) => {
            if value.until < now + need {
                value.until = now + 2 * need;
            }
            Reply::Stamp(value.token)
        }
        _ => {
            // No cost, version, codec or flags, and a payload that begins behind the header.
            let rest = Bytes::from_static(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64]);
            let (record, ttl) = (Bytes::new(), 2 * need);
            *state = Given { record, rest, fresh: ttl, ttl }.stored(by.origin, fresh, now);
            Reply::Stamp(fresh)
        }
    }
}

fn fence(writers: BTreeMap<Token, Millis>, dirty: bool) -> State {
    let until = writers.values().copied().max().unwrap_or(0);
    State::Fence { dirty, writers, until }
}

impl Given {
    fn stored(&self, origin: Origin, token: Token, now: Millis) -> State {
        State::Value(Value {
            origin,
            token,
            stored_at: now,
            fresh: self.fresh,
            rest: self.rest.clone(),
            use_of_it: Use::Whole,
            until: now + self.ttl,
        })
    }
}
