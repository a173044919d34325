//! What there is at one moment.

use crate::keys::{Cell, Entry, Set, Stored, Token};
use crate::scenario::Property;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) entry: Entry,
    /// Those of the two tags, and of the epoch.
    pub(crate) keys: [Cell; 3],
    /// How many writes the database has committed.
    pub(crate) version: u8,
    /// How many of them the replica has that bodies may read.
    pub(crate) replica: u8,
    pub(crate) readers: [Reader; 2],
    pub(crate) writers: [Writer; 2],
    /// What the latest hit has broken.
    pub(crate) broken: Option<Property>,
}

/// A client that reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Reader {
    pub(crate) stage: Reading,
    /// How many reads it has yet to end.
    pub(crate) left: u8,
    /// The keys that it has yet to send the commands of this stage to, in any order.
    pub(crate) open: Set,
    /// The writers that were acknowledged before this read began.
    pub(crate) acknowledged: u8,
    /// The writers that had committed behind their fences before this read began.
    pub(crate) committed: u8,
    /// What it found in the entry.
    pub(crate) found: Stored,
    /// The stamps that its lookup has read, or those that it has captured.
    pub(crate) stamps: [Token; 2],
    /// The epoch's stamp from before the body.
    pub(crate) epoch: Token,
    /// The tags that the value is expected to have.
    pub(crate) guess: Set,
    /// The version that its body has read.
    pub(crate) loaded: u8,
}

/// The stages of a read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Reading {
    #[default]
    Idle,
    /// Reads the entry, and the stamps of its tags.
    Lookup,
    /// Before the body: takes the lease, captures the epoch and the guessed tags.
    Prepare,
    Body,
    /// Captures the stamps of the value's tags.
    Capture,
    /// Compares the epoch.
    Compare,
    Fill,
    /// Gives the lease back.
    Release,
}

/// A client that runs one annotated write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    pub(crate) stage: Writing,
    /// The keys whose commands of this stage have yet to be acknowledged.
    pub(crate) open: Set,
    /// The version that it committed; 0 before.
    pub(crate) version: u8,
    /// Whether all of its fences stood when it committed.
    pub(crate) was_fenced: bool,
    /// The keys that BEGINs and ENDs are still on their way to though it no longer waits for them.
    pub(crate) late_begins: Set,
    pub(crate) late_ends: Set,
}

/// The stages of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Writing {
    /// Not there.
    #[default]
    Absent,
    Begin,
    Commit,
    End,
    /// An END has not been acknowledged: the journal invalidates what is open.
    Replay,
    Acknowledged,
    Crashed,
}
