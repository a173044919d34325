//! The keys, and what a command does to one of them. A command is one step, on one key: the keys
//! may be on different nodes.

/// The keys by their places in [`State::keys`](crate::state::State): two tags, and the epoch.
pub(crate) const EPOCH: usize = 2;

/// A set of keys, or of what is sent to them.
pub(crate) type Set = u8;

/// The sets of one key, and that of both tags.
pub(crate) const A: Set = 1;
pub(crate) const B: Set = 1 << 1;
pub(crate) const AB: Set = A | B;
pub(crate) const E: Set = 1 << EPOCH;
/// The entry is no place of a stamp, and has a bit beside those of the keys.
pub(crate) const ENTRY: Set = 1 << 3;

/// The places of a set's keys.
pub(crate) fn places(set: Set) -> impl Iterator<Item = usize> {
    (0..=EPOCH).filter(move |place| set & (1 << place) != 0)
}

/// A random token. Only whether two are the same counts: see [`tokens`](crate::tokens).
pub(crate) type Token = u8;

/// No token at all.
pub(crate) const NONE: Token = 0;

/// What the key of a tag, or that of the epoch, holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Cell {
    #[default]
    Empty,
    Stamp(Token),
    /// The writers between their BEGIN and their END, a bit for each. Never none.
    Fence(u8),
    /// Holds off until the database's replica has this version.
    Tombstone(u8),
}

impl Cell {
    /// The stamp, created if nothing is there; none under a fence or a tombstone.
    pub(crate) fn capture(&mut self, fresh: Token) -> Option<Token> {
        match *self {
            Self::Stamp(token) => Some(token),
            Self::Fence(_) | Self::Tombstone(_) => None,
            Self::Empty => {
                *self = Self::Stamp(fresh);
                Some(fresh)
            }
        }
    }

    pub(crate) fn has(self, token: Token) -> bool {
        self == Self::Stamp(token)
    }

    pub(crate) fn is_fence_of(self, writer: usize) -> bool {
        matches!(self, Self::Fence(writers) if writers & (1 << writer) != 0)
    }

    pub(crate) fn begin(&mut self, writer: usize) {
        *self = match *self {
            Self::Fence(writers) => Self::Fence(writers | 1 << writer),
            _ => Self::Fence(1 << writer),
        };
    }

    /// Lifts the writer's fence, and leaves the rest in the key unless the fence of another stands.
    pub(crate) fn end(&mut self, writer: usize, rest: Self) {
        *self = match *self {
            Self::Fence(writers) if writers & !(1 << writer) != 0 => {
                Self::Fence(writers & !(1 << writer))
            }
            _ => rest,
        };
    }

    /// Leaves the rest in the key, or a fence, which is somebody else's or ends with its time.
    pub(crate) fn invalidate(&mut self, rest: Self) {
        if !matches!(self, Self::Fence(_)) {
            *self = rest;
        }
    }
}

/// What the entry's key holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    #[default]
    Empty,
    /// The lease of a reader.
    Lease(u8),
    Value(Stored),
}

/// A stored value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Stored {
    /// How many writes had been committed when the body read the database.
    pub(crate) version: u8,
    /// The stamps of the tags it was stored with; [`NONE`] for a tag that it does not have.
    pub(crate) stamps: [Token; 2],
}

impl Stored {
    /// The tags that the value was stored with.
    pub(crate) fn tags(self) -> Set {
        let bit = |place: usize| Set::from(self.stamps[place] != NONE) << place;
        bit(0) | bit(1)
    }
}
