//! What there is at one moment.

use crate::keys::{Set, Token};
use crate::scenario::Property;

/// The bit of the alias's key, beside those of the two entities.
pub(super) const ALIAS: Set = 1 << 3;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) entities: [Entity; 2],
    pub(super) alias: Alias,
    /// How many writes the database has committed.
    pub(super) version: u8,
    pub(super) readers: [Reader; 2],
    pub(super) writers: [Writer; 2],
    /// What the latest hit has broken.
    pub(super) broken: Option<Property>,
}

/// What the key of an entity holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Entity {
    #[default]
    Empty,
    Lease(Token),
    Value(Stored),
    /// The writers between their BEGIN and their END, a bit for each. Never none.
    Fence(u8),
}

/// A value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Stored {
    pub(super) token: Token,
    /// How many writes had been committed when the body read the database.
    pub(super) version: u8,
}

/// What the key of the alias holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Alias {
    #[default]
    Empty,
    Lease(Token),
    Index(Index),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Index {
    pub(super) entity: usize,
    /// That of the entity's value; none in a hint.
    pub(super) token: Token,
    /// How many writes had been committed when the body found the entity.
    pub(super) version: u8,
}

/// A client that reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Reader {
    pub(super) stage: Reading,
    /// How many reads it has yet to end.
    pub(super) left: u8,
    /// The keys that it has yet to send the commands of this stage to, in any order.
    pub(super) open: Set,
    /// The writers that were acknowledged before this read began.
    pub(super) acknowledged: u8,
    /// The writers that had committed behind their fences before this read began.
    pub(super) committed: u8,
    /// The entity that it expects.
    pub(super) guess: Option<usize>,
    /// What its lookup has found.
    pub(super) index: Option<Index>,
    pub(super) value: Option<Stored>,
    /// The token that it has captured of the entity, or that of the lease that it has there.
    pub(super) captured: Token,
    pub(super) has_lease: bool,
    /// The version that its body has read.
    pub(super) loaded: u8,
}

/// The stages of a read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Reading {
    #[default]
    Idle,
    Lookup,
    /// Before the body: takes the lease of its key, and captures the entity.
    Prepare,
    Body,
    /// Only where a rule is broken: looks at the entity after the body.
    Late,
    Fill,
}

/// A client that runs one annotated write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Writer {
    pub(super) stage: Writing,
    /// The entities whose commands of this stage have yet to be acknowledged.
    pub(super) open: Set,
    /// The version that it committed; 0 before.
    pub(super) version: u8,
    /// Whether all of its fences stood when it committed.
    pub(super) was_fenced: bool,
}

/// The stages of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Writing {
    /// Not there.
    #[default]
    Absent,
    Begin,
    Commit,
    End,
    Acknowledged,
    Crashed,
}

impl Entity {
    pub(super) fn is_fence_of(self, writer: usize) -> bool {
        matches!(self, Self::Fence(writers) if writers & (1 << writer) != 0)
    }

    /// Lifts the writer's fence; nothing stays unless the fence of another stands.
    pub(super) fn end(&mut self, writer: usize) {
        *self = match *self {
            Self::Fence(writers) if writers & !(1 << writer) != 0 => {
                Self::Fence(writers & !(1 << writer))
            }
            _ => Self::Empty,
        };
    }
}

/// The entities of a set.
pub(super) fn entities(set: Set) -> impl Iterator<Item = usize> {
    (0..2).filter(move |entity| set & (1 << entity) != 0)
}
