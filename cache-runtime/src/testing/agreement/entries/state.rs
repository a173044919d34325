//! What keys hold, as a table of states instead of bytes.
//!
//! Times are milliseconds on the clock of one run. Tokens and origins are numbers: few, so that
//! they meet.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::testing::agreement::entries::wire;

pub(super) type Millis = u64;
pub(super) type Token = u8;
pub(super) type Origin = u8;

/// Of a key without an expiry.
pub(super) const NEVER: Millis = Millis::MAX;

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Absent,
    Value(Value),
    Lease {
        origin: Origin,
        token: Token,
        until: Millis,
    },
    /// Writers with their deadlines. The key itself may outlast them all if one was made to pass.
    Fence {
        dirty: bool,
        writers: BTreeMap<Token, Millis>,
        until: Millis,
    },
    Tombstone {
        until: Millis,
    },
    /// Ours, but cut short, of another format version, or of no kind that we know.
    Damaged {
        bytes: Bytes,
        until: Millis,
    },
    /// A string that does not begin as ours do.
    Foreign {
        bytes: Bytes,
        until: Millis,
    },
    /// No string at all.
    OtherType,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) origin: Origin,
    pub(super) token: Token,
    pub(super) stored_at: Millis,
    /// How long it is fresh, from when it was stored.
    pub(super) fresh: Millis,
    /// Everything behind the times: policy, codec, payload.
    pub(super) rest: Bytes,
    pub(super) use_of_it: Use,
    pub(super) until: Millis,
}

/// What a value record is good for. Whether it is the one that an attempt stored or saw is told
/// from its header alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Whole,
    /// It is cut short in its header, or its payload begins within that, or beyond its end.
    Cut,
    /// It was stored under another key.
    Misplaced,
}

impl Value {
    fn is_stamp(&self) -> bool {
        self.rest.get(8) == Some(&0)
    }

    /// How long it would still be fresh.
    fn fresh_for(&self, now: Millis) -> Millis {
        (self.stored_at + self.fresh).saturating_sub(now)
    }

    /// Whether something of it is left when it is made stale.
    pub(super) fn is_left(&self, now: Millis) -> bool {
        let is_kept = self.rest.get(9).is_some_and(|flags| flags & 2 != 0);
        let lasts = self.until != NEVER && self.until - now > self.fresh_for(now);
        let stays = self.is_stamp() && self.until != NEVER;
        self.use_of_it == Use::Whole && (stays || (is_kept && lasts))
    }

    pub(super) fn make_stale(&mut self, token: Token, now: Millis) {
        if self.is_stamp() {
            let former = wire::token(self.token);
            self.rest = [&self.rest[..12], &former[..], &now.to_be_bytes()[..]].concat().into();
        } else {
            let fresh_for = self.fresh_for(now);
            self.until -= fresh_for;
            self.fresh -= fresh_for;
        }
        self.token = token;
    }
}

impl State {
    pub(super) fn until(&self) -> Millis {
        match self {
            Self::Absent | Self::OtherType => NEVER,
            Self::Value(Value { until, .. })
            | Self::Lease { until, .. }
            | Self::Fence { until, .. }
            | Self::Tombstone { until }
            | Self::Damaged { until, .. }
            | Self::Foreign { until, .. } => *until,
        }
    }

    /// The deadline of one writer passes, that of the key does not.
    pub(super) fn writer_expires(&mut self, writer: Token) {
        if let Self::Fence { writers, .. } = self
            && let Some(deadline) = writers.get_mut(&writer)
        {
            *deadline = 0;
        }
    }

    pub(super) fn live_writers(&self, now: Millis) -> BTreeMap<Token, Millis> {
        match self {
            Self::Fence { writers, .. } => {
                writers.iter().map(|(w, d)| (*w, *d)).filter(|(_, d)| *d > now).collect()
            }
            _ => BTreeMap::new(),
        }
    }

    pub(super) fn is_dirty(&self) -> bool {
        matches!(self, Self::Fence { dirty: true, .. })
    }

    pub(super) fn empty(&mut self, now: Millis, hold_off: Millis) {
        let held = Self::Tombstone { until: now + hold_off };
        *self = if hold_off == 0 { Self::Absent } else { held };
    }
}
