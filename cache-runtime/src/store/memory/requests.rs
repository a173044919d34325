//! What the embedded store does with each request.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::record;
use crate::record::token::Token;
use crate::store::memory::transitions::Entry;
use crate::store::memory::{MemoryStore, millis, transitions};
use crate::store::protocol::reply::{Acquired, Ended, Stamped};
use crate::store::protocol::request::{
    Acquire, Begin, CaptureStamp, End, Fill, Get, Invalidate, MakeStale, Name, Now, Refresh,
    Release, Renew, Request, kept,
};

/// A request that the embedded store can execute, at once.
pub(crate) trait Execute: Request {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> Self::Reply;
}

impl Execute for Get {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> Option<Bytes> {
        store.read(name, Instant::now())
    }
}

impl Execute for Now {
    fn execute(self, store: &MemoryStore, _: Name<'_>) -> u64 {
        millis(store.since_epoch(Instant::now()))
    }
}

impl Execute for Acquire {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> Acquired {
        let Self { token, lease, reject } = self;
        store.apply(name, |entry, now| transitions::acquire(entry, now, token, lease, reject))
    }
}

impl Execute for Fill {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> bool {
        let Some(token) = record::token(&self.record) else { return false };
        store.apply(name, |entry, now| {
            transitions::fill(entry, token, || store.value(token, self, now))
        })
    }
}

impl Execute for Refresh {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> bool {
        let Self { seen, fill } = self;
        let Some(token) = record::token(&fill.record) else { return false };
        store.apply(name, |entry, now| {
            transitions::refresh(entry, token, seen, || store.value(token, fill, now))
        })
    }
}

impl Execute for Release {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> bool {
        store.apply(name, |entry, _| transitions::release(entry, self.token))
    }
}

impl Execute for Renew {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> bool {
        store.apply(name, |entry, now| transitions::renew(entry, now, self.token, self.lease))
    }
}

impl Execute for CaptureStamp {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> Stamped {
        stamp_with(store, name, Token::random(), self.need)
    }
}

/// The stamp of a tag; `token` where there is none.
pub(super) fn stamp_with(
    store: &MemoryStore,
    name: Name<'_>,
    token: Token,
    need: Duration,
) -> Stamped {
    store.apply(name, |entry, now| {
        transitions::stamp(entry, now, token, need, || {
            let (record, ttl) = (record::stamp(name.hash, token), kept(need));
            store.value(token, Fill { record, fresh: ttl, ttl }, now)
        })
    })
}

impl Execute for Invalidate {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> bool {
        store.apply(name, |entry: &mut Entry, now| {
            let is_there = entry.is_some();
            transitions::invalidate(entry, now, self.hold_off);
            is_there
        })
    }
}

impl Execute for MakeStale {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> bool {
        store.apply(name, |entry: &mut Entry, now| {
            let is_there = entry.is_some();
            transitions::make_stale(entry, now, |record, until| {
                store.stale(self.token, record, until, now)
            });
            is_there
        })
    }
}

impl Execute for Begin {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> bool {
        store.apply(name, |entry, now| transitions::begin(entry, now, self.writer, self.fence));
        true
    }
}

impl Execute for End {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> Ended {
        let Self { writer, hold_off, value } = self;
        store.apply(name, |entry, now| {
            let value = value.map(|fill| || store.value(writer, fill, now));
            transitions::end(entry, now, writer, hold_off, value)
        })
    }
}
