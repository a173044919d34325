//! The protocol's transitions on one entry, equivalent to those of the Lua scripts on a Redis key.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::record::token::Token;
use crate::store::memory::later;
use crate::store::{Acquired, Ended, Stamped, kept};

/// What a key holds, until when.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) content: Content,
    pub(super) until: Instant,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Value { token: Token, record: Bytes },
    Lease(Token),
    Fence(Fence),
    Tombstone,
}

/// The writers between their begin and their end.
#[derive(Clone, Debug, Default)]
pub(super) struct Fence {
    /// Writers have overlapped: none of them may store its value.
    pub(super) dirty: bool,
    pub(super) writers: Vec<(Token, Instant)>,
}

impl Fence {
    /// The writers other than `me` whose deadline has not passed; whether `me` is one.
    fn others(&self, me: Option<Token>, now: Instant) -> (Vec<(Token, Instant)>, bool) {
        let live = self.writers.iter().copied().filter(|(_, deadline)| *deadline > now);
        let (mine, others): (Vec<_>, Vec<_>) = live.partition(|(writer, _)| Some(*writer) == me);
        (others, !mine.is_empty())
    }

    fn into_slot(self) -> Option<Slot> {
        let until = self.writers.iter().map(|(_, deadline)| *deadline).max()?;
        Some(Slot { content: Content::Fence(self), until })
    }
}

/// The key's state: nothing, or a slot whose time has not passed.
pub(super) type Entry = Option<Slot>;

pub(super) fn acquire(
    entry: &mut Entry,
    now: Instant,
    token: Token,
    lease: Duration,
    reject: Option<Token>,
) -> Acquired {
    match entry {
        Some(Slot { content: Content::Value { token, record }, .. }) if Some(*token) != reject => {
            Acquired::Value(record.clone())
        }
        Some(Slot { content: Content::Lease(_), until }) => Acquired::Held(*until - now),
        Some(Slot { content: Content::Fence(_) | Content::Tombstone, .. }) => Acquired::Fenced,
        _ => {
            *entry = Some(Slot { content: Content::Lease(token), until: now + lease });
            Acquired::Leased
        }
    }
}

pub(super) fn fill(entry: &mut Entry, token: Token, value: impl FnOnce() -> Slot) -> bool {
    match entry {
        Some(Slot { content: Content::Value { token: stored, .. }, .. }) => *stored == token,
        Some(Slot { content: Content::Lease(holder), .. }) if *holder == token => {
            *entry = Some(value());
            true
        }
        _ => false,
    }
}

pub(super) fn refresh(
    entry: &mut Entry,
    token: Token,
    seen: Token,
    value: impl FnOnce() -> Slot,
) -> bool {
    match entry {
        // A retry of a refresh that had succeeded.
        Some(Slot { content: Content::Value { token: stored, .. }, .. }) if *stored == token => {
            true
        }
        Some(Slot { content: Content::Value { token: stored, .. }, .. }) if *stored == seen => {
            *entry = Some(value());
            true
        }
        _ => false,
    }
}

pub(super) fn release(entry: &mut Entry, token: Token) -> bool {
    let mine =
        matches!(entry, Some(Slot { content: Content::Lease(holder), .. }) if *holder == token);
    if mine {
        *entry = None;
    }
    mine
}

pub(super) fn renew(entry: &mut Entry, now: Instant, token: Token, lease: Duration) -> bool {
    match entry {
        Some(Slot { content: Content::Lease(holder), until }) if *holder == token => {
            *until = now + lease;
            true
        }
        _ => false,
    }
}

pub(super) fn stamp(
    entry: &mut Entry,
    now: Instant,
    fresh: Token,
    need: Duration,
    value: impl FnOnce() -> Slot,
) -> Stamped {
    match entry {
        Some(Slot { content: Content::Value { token, .. }, until }) => {
            if *until < later(now, need) {
                *until = later(now, kept(need));
            }
            Stamped::Stamp(*token)
        }
        Some(Slot { content: Content::Fence(_) | Content::Tombstone, .. }) => Stamped::Fenced,
        _ => {
            *entry = Some(value());
            Stamped::Stamp(fresh)
        }
    }
}

pub(super) fn invalidate(entry: &mut Entry, now: Instant, hold_off: Duration) {
    if !overlaps(entry, now) {
        empty(entry, now, hold_off);
    }
}

/// `stale` makes the value that is kept, if any is.
pub(super) fn make_stale(
    entry: &mut Entry,
    now: Instant,
    stale: impl FnOnce(&Bytes, Instant) -> Entry,
) {
    if !overlaps(entry, now) {
        *entry = match entry {
            Some(Slot { content: Content::Value { record, .. }, until }) => stale(record, *until),
            _ => None,
        };
    }
}

/// Whether writers have a fence there; none of them may store its value any more.
fn overlaps(entry: &mut Entry, now: Instant) -> bool {
    let Some(Slot { content: Content::Fence(fence), .. }) = entry else { return false };
    let (writers, _) = fence.others(None, now);
    let overlaps = !writers.is_empty();
    if overlaps {
        *entry = Fence { dirty: true, writers }.into_slot();
    }
    overlaps
}

pub(super) fn begin(entry: &mut Entry, now: Instant, writer: Token, fence: Duration) {
    let (mut writers, dirty) = match entry {
        Some(Slot { content: Content::Fence(fence), .. }) => {
            let (others, mine) = fence.others(Some(writer), now);
            let dirty = !others.is_empty() || (mine && fence.dirty);
            (others, dirty)
        }
        _ => (Vec::new(), false),
    };
    writers.push((writer, now + fence));
    *entry = Fence { dirty, writers }.into_slot();
}

pub(super) fn end(
    entry: &mut Entry,
    now: Instant,
    writer: Token,
    hold_off: Duration,
    value: Option<impl FnOnce() -> Slot>,
) -> Ended {
    if let Some(Slot { content: Content::Fence(fence), .. }) = entry {
        let (writers, mine) = fence.others(Some(writer), now);
        if !writers.is_empty() {
            *entry = Fence { dirty: true, writers }.into_slot();
            return Ended::Standing;
        }
        if mine
            && !fence.dirty
            && let Some(value) = value
        {
            *entry = Some(value());
            return Ended::Stored;
        }
    }
    empty(entry, now, hold_off);
    Ended::Removed
}

fn empty(entry: &mut Entry, now: Instant, hold_off: Duration) {
    *entry =
        (!hold_off.is_zero()).then(|| Slot { content: Content::Tombstone, until: now + hold_off });
}
