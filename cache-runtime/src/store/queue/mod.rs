//! What stores know of queues: partitions, bytes and positions; no item type, no sink.

pub(crate) mod embedded;
mod keys;
pub(crate) mod memory;
mod partition_connection;
mod position;
pub(crate) mod redis;
mod store;

pub(crate) use self::keys::{Lane, QueueKeys};
pub(crate) use self::partition_connection::PartitionConnection;
pub use self::position::{ParsePositionError, Position};
pub(crate) use self::store::QueueStore;
use std::fmt;
use std::time::Duration;

use crate::metrics::QueueLength;

/// An item to be appended, once however often it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addition<'a> {
    /// Key of what is known of this process's pushes.
    pub(crate) producer: &'a str,
    /// Counts this process's pushes into the partition.
    pub(crate) number: u64,
    /// The layout by which the partition was chosen.
    pub(crate) epoch: u64,
    /// The lowest number whose outcome is not known yet.
    pub(crate) oldest: u64,
    /// Most items in the partition.
    pub(crate) longest: Option<u64>,
    pub(crate) stamp: PushTime,
    /// Largest accepted clock skew, in µs: older stamps are answered `Behind`.
    pub(crate) window_us: u64,
    /// Sequence numbers above `oldest` whose pushes were given up; the server must reject them.
    pub(crate) given_up: &'a [u64],
    pub(crate) key: &'a str,
    pub(crate) payload: &'a [u8],
}

/// When an item was pushed, and by whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PushTime {
    /// Microseconds since 1970, or a little more where several are pushed in one.
    pub(crate) us: u64,
    /// Tells processes apart.
    pub(crate) node: u16,
}

impl PushTime {
    const NODE_BITS: u32 = 11;
    /// More than any node number.
    pub(crate) const NODES: u16 = 1 << Self::NODE_BITS;

    /// The two as one number: 52 bits of time, which last until the year 2112, and the node.
    pub(crate) fn version(self) -> i64 {
        i64::try_from(self.us << Self::NODE_BITS | u64::from(self.node)).unwrap_or(i64::MAX)
    }
}

/// What became of an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It is in the stream, and was stamped with these microseconds.
    New(u64),
    /// An earlier attempt had succeeded.
    Known,
    /// There is no room.
    Full,
    /// Its stamp is too far behind these microseconds, which the partition is at.
    Behind(u64),
    /// The process itself had given it up.
    Late,
    /// The partition takes items of another layout.
    Moved,
}

/// An item as it stands in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) position: Position,
    pub(crate) key: String,
    pub(crate) stamp: PushTime,
    /// None: somebody removed it by hand.
    pub(crate) payload: Option<Vec<u8>>,
}

/// What an owner got to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReadReply {
    Items {
        items: Vec<Stored>,
        /// Position of the partition's last.
        last: Position,
        /// The layout that the partition has.
        epoch: u64,
    },
    /// The partition is somebody else's by now.
    Lost,
}

/// Which items an owner reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadFrom {
    /// Those that were read before, from behind this position on.
    Pending(Position),
    /// Those that nobody has read.
    New,
}

/// When an item died, in milliseconds since 1970 by the clock of whoever holds the queue, and which
/// of those that did then: its id among the dead letters of its partition. Later ones are greater,
/// also where that clock goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Death {
    pub(crate) ms: u64,
    pub(crate) sequence: u64,
}

impl Death {
    pub(crate) const LAST: Self = Self { ms: u64::MAX, sequence: u64::MAX };

    /// The last one before it; itself if it is the first.
    pub(crate) fn before(self) -> Self {
        match (self.ms.checked_sub(1), self.sequence.checked_sub(1)) {
            (_, Some(sequence)) => Self { sequence, ..self },
            (Some(ms), None) => Self { ms, sequence: u64::MAX },
            (None, None) => self,
        }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.sequence)
    }
}

/// What becomes of the number of owners in a row that ended without a word from the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unheard {
    /// One more took over what its predecessor had read and not acknowledged.
    One,
    /// It has heard from the sink.
    NotOne,
    /// Nothing is left of what they had read.
    None,
}

/// A dead letter as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Buried {
    pub(crate) death: Death,
    pub(crate) stored: Stored,
    pub(crate) error: String,
    pub(crate) attempts: u32,
}

/// How much a queue or a partition holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub(crate) waiting: u64,
    pub(crate) pending: u64,
    pub(crate) dead: u64,
    /// How long the first item has been there, by the clock of whoever holds the queue.
    pub(crate) lag: Duration,
}

impl Lengths {
    /// Adds what a partition holds to what its queue holds.
    pub(crate) fn add_to(self, queue: &mut QueueLength) {
        queue.waiting += self.waiting;
        queue.pending += self.pending;
        queue.dead_letters += self.dead;
        queue.lag = queue.lag.max(self.lag);
    }
}

/// The workers of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crew {
    /// As many as any worker knows of.
    pub(crate) partitions: u32,
    /// In no particular order; the one who asks is among them.
    pub(crate) alive: Vec<String>,
    /// Nothing is to be delivered.
    pub(crate) is_paused: bool,
    pub(crate) layout: Layout,
}

/// Over how many partitions pushes are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Its number, which is greater than those of all before; 0: there never was one.
    pub(crate) epoch: u64,
    pub(crate) spread: u32,
    /// Versions of its items are later than these microseconds.
    pub(crate) us: u64,
    /// Items may be left that came before it. Those that came after wait for them.
    pub(crate) drains: bool,
    /// The number of the one that is to take its place, and over how many partitions that spreads.
    pub(crate) next: Option<(u64, u32)>,
}

/// A step from one layout to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// None, only to know.
    Look,
    /// This one is to be followed by one of so many partitions, whose number is greater than the
    /// last.
    Announce { of: u64, spread: u32, after: u64 },
    /// Every partition is turned to this one, and had no version later than these microseconds.
    Make { epoch: u64, drains: bool, us: u64 },
    /// Nothing is left of what came before this one.
    Settle { epoch: u64 },
}

/// What a partition says when it is turned to a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turned {
    /// Something is left that came before.
    pub(crate) is_left: bool,
    /// The layout that it has, which may be a later one.
    pub(crate) epoch: u64,
    /// Its latest version is of these microseconds.
    pub(crate) us: u64,
}

/// What is known of a queue as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overview {
    /// As many as any process knows of.
    pub(crate) partitions: u32,
    pub(crate) is_paused: bool,
}

/// How an owner keeps its partition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renewal<'a> {
    /// The token from now on, which may be the one that it has.
    pub(crate) fresh: &'a str,
    /// Its lease may have ended: it gets the partition back if nobody has taken it since.
    pub(crate) is_late: bool,
}

/// Who owns a partition, and for how long at a time.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// Of this ownership on this connection, never of a worker.
    pub(crate) token: String,
    pub(crate) worker: String,
    pub(crate) lease: Duration,
}
