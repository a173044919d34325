//! What is asked of a store: requests as data, each about one key.
//!
//! A request is a value of its own type, which says what its reply is. It owns what it needs but
//! the key's name, so it can be held back and sent with others, or sent to a store that is far
//! away. What a store does with it stands in [`memory`](crate::store::memory) and in
//! [`redis`](crate::store::redis::commands).

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;

use crate::record::token::Token;
use crate::record::{self, KeyHash};
use crate::store::protocol::reply::{Acquired, Ended, Stamped};

/// A full key (namespace and all) with its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) text: &'a str,
    pub(crate) hash: KeyHash,
}

impl<'a> Name<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, hash: KeyHash::of(text) }
    }
}

/// A request about one key.
pub(crate) trait Request: Debug + Send + Sync + Sized + 'static {
    type Reply: Clone + Debug + Send + 'static;

    const EFFECT: Effect;

    /// Whether requests of many reads in one batch are sent together.
    const COALESCES: bool = false;

    /// The reply while nothing is to be stored, if the store is not asked then.
    fn while_quiet(&self) -> Option<Self::Reply> {
        None
    }

    /// Leaves out what it would store, for a time in which nothing is to be stored.
    fn withhold(&mut self) {}

    /// Whether this request, changed if need be, does for another about the same key as well.
    fn merge(&mut self, _other: &Self) -> bool {
        false
    }
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing.
    Reads,
    /// It changes the entry on behalf of readers, who can do without.
    Loads,
    /// It belongs to a write of the database, so a server that there is no connection to is tried
    /// at once.
    Writes,
}

/// A request with the key that it is about.
#[derive(Debug)]
pub(crate) struct Keyed<'a, R> {
    pub(crate) name: Name<'a>,
    pub(crate) request: R,
}

impl<'a, R: Clone> Keyed<'a, R> {
    /// The same request about many keys.
    pub(crate) fn each(names: &[Name<'a>], request: &R) -> Vec<Self> {
        let keyed = |name: &Name<'a>| Self { name: *name, request: request.clone() };
        names.iter().map(keyed).collect()
    }
}

/// Reads a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Get;

impl Request for Get {
    /// The whole record, if there is one.
    type Reply = Option<Bytes>;
    const EFFECT: Effect = Effect::Reads;
    const COALESCES: bool = true;

    fn merge(&mut self, _: &Self) -> bool {
        true
    }
}

/// Asks for the time by the clock that sets the times in the record of the key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now;

impl Request for Now {
    /// Milliseconds since the Unix epoch.
    type Reply = u64;
    const EFFECT: Effect = Effect::Reads;
}

/// Gets the stamp of a tag, and creates it if it is missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CaptureStamp {
    /// Unless it is invalidated or evicted, the stamp lasts for at least so long from now on.
    pub(crate) need: Duration,
}

impl Request for CaptureStamp {
    type Reply = Stamped;
    const EFFECT: Effect = Effect::Loads;
    const COALESCES: bool = true;

    fn merge(&mut self, other: &Self) -> bool {
        self.need = self.need.max(other.need);
        true
    }
}

/// How long a stamp is kept that is needed for `need`: twice as long, so that not every load has to
/// extend it.
pub(crate) fn kept(need: Duration) -> Duration {
    need.saturating_mul(2)
}

/// Gets the value, or the lease of one attempt to load it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acquire {
    pub(crate) token: Token,
    pub(crate) lease: Duration,
    /// A value with this token is useless to the caller, and makes room for the lease.
    pub(crate) reject: Option<Token>,
}

impl Request for Acquire {
    type Reply = Acquired;
    const EFFECT: Effect = Effect::Loads;
    const COALESCES: bool = true;

    fn while_quiet(&self) -> Option<Acquired> {
        Some(Acquired::Quiet)
    }
}

/// Stores a value if the key still holds the lease with its token.
#[derive(Clone, Debug)]
pub(crate) struct Fill {
    /// From [`record::value`](crate::record::value), with its payload.
    pub(crate) record: Vec<u8>,
    /// Served as fresh for this long.
    pub(crate) fresh: Duration,
    /// Kept for this long; at least `fresh`.
    pub(crate) ttl: Duration,
}

impl Fill {
    /// A value that is fresh for `fresh`, and may be served for `stale` after that.
    pub(crate) fn new(mut record: Vec<u8>, fresh: Duration, stale: Duration) -> Self {
        if !stale.is_zero() {
            record::set_kept(&mut record);
        }
        Self { record, fresh, ttl: fresh.saturating_add(stale) }
    }
}

impl Request for Fill {
    /// Whether it is stored.
    type Reply = bool;
    const EFFECT: Effect = Effect::Loads;
    const COALESCES: bool = true;

    fn while_quiet(&self) -> Option<bool> {
        Some(false)
    }
}

/// Replaces the value with the token `seen`, and no other.
#[derive(Clone, Debug)]
pub(crate) struct Refresh {
    pub(crate) seen: Token,
    pub(crate) fill: Fill,
}

impl Request for Refresh {
    /// Whether it is replaced.
    type Reply = bool;
    const EFFECT: Effect = Effect::Loads;
    const COALESCES: bool = true;

    fn while_quiet(&self) -> Option<bool> {
        Some(false)
    }
}

/// Gives up a lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release {
    pub(crate) token: Token,
}

impl Request for Release {
    /// Whether it stood.
    type Reply = bool;
    const EFFECT: Effect = Effect::Loads;
}

/// Keeps a lease for another `lease`, while its load goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renew {
    pub(crate) token: Token,
    pub(crate) lease: Duration,
}

impl Request for Renew {
    /// Whether it still stands.
    type Reply = bool;
    const EFFECT: Effect = Effect::Loads;
    const COALESCES: bool = true;
}

/// Removes a value or a lease; never lifts another writer's fence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Invalidate {
    /// Nothing is stored for so long.
    pub(crate) hold_off: Duration,
}

impl Request for Invalidate {
    /// Whether the key held, or may have held, something of ours.
    type Reply = bool;
    const EFFECT: Effect = Effect::Writes;
}

/// Ends the freshness of a value that is kept for longer, and removes any other as [`Invalidate`]
/// does. A tag gets a new stamp, and remembers the former one.
///
/// The value gets a new token each time, whether it was fresh or not. With its old one it would be
/// replaced by what is outdated:
///
/// ```text
/// refresh: sees the value, and loads what the database has
/// writer:  commits, makes the value stale
/// refresh: stores what it has loaded if the key holds the token that it saw, which it does not
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct MakeStale {
    /// Of the value, from now on.
    pub(crate) token: Token,
}

impl Request for MakeStale {
    /// Whether the key held, or may have held, something of ours.
    type Reply = bool;
    const EFFECT: Effect = Effect::Writes;
}

/// Puts up a writer's fence, or renews it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begin {
    pub(crate) writer: Token,
    pub(crate) fence: Duration,
}

impl Request for Begin {
    /// Whether the fence is in place; the value is removed all the same.
    type Reply = bool;
    const EFFECT: Effect = Effect::Writes;
}

/// Lifts a writer's fence, and stores its value if no other writer of the key overlapped.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) writer: Token,
    pub(crate) hold_off: Duration,
    pub(crate) value: Option<Fill>,
}

impl Request for End {
    type Reply = Ended;
    const EFFECT: Effect = Effect::Writes;

    /// As where another writer has overlapped: the entry is left without a value.
    fn withhold(&mut self) {
        self.value = None;
    }
}
