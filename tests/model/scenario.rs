//! What is explored: who reads and writes, what may go wrong, and which rule is broken.

use crate::keys::{A, AB, Cell, E, Entry, Set, Stored, places};
use crate::state::{Reader, State, Writer, Writing};

/// One row with a tag, read once by a client without a guess; nobody writes.
pub(crate) const ROW: Scenario = Scenario {
    tags: [A, A, A],
    readers: &[&[0]],
    reads: 1,
    writers: &[],
    faults: NO_FAULTS,
    keeps_captured: false,
    without_leases: false,
    broken: None,
};

pub(crate) const NO_FAULTS: Faults = Faults {
    entry: false,
    stamps: false,
    epoch: false,
    fences: false,
    cancel: false,
    crash: false,
    expiry: false,
    lost_begin: false,
    lost_end: false,
    lag: false,
};

/// Who reads and writes what, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// The tags of the value after so many commits.
    pub(crate) tags: [Set; 3],
    /// The guesses that a load of each reader may make, the empty set for none.
    pub(crate) readers: &'static [&'static [Set]],
    /// How many reads each reader makes.
    pub(crate) reads: u8,
    pub(crate) writers: &'static [Write],
    pub(crate) faults: Faults,
    /// Whether a load keeps the stamps of a wrong guess for those tags that the value has. The load
    /// of an entry that has tags from its parameters as well does so.
    pub(crate) keeps_captured: bool,
    /// Whether loads take no lease, and store their values over whatever is there. So a refresh,
    /// which replaces the value that it has seen, can do no more than these.
    pub(crate) without_leases: bool,
    /// The rule that nobody follows.
    pub(crate) broken: Option<Rule>,
}

/// A write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write {
    /// The tags that it invalidates.
    pub(crate) tags: Set,
    /// Whether it puts up fences before its commit.
    pub(crate) fences: bool,
    /// Whether it changes what the first writer has written, and so commits after that one.
    pub(crate) is_second: bool,
}

/// What may go wrong, any number of times.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is there or not, alone or with others")]
pub(crate) struct Faults {
    /// The entry's key is evicted, value or lease.
    pub(crate) entry: bool,
    /// The stamp of a tag is evicted.
    pub(crate) stamps: bool,
    /// The stamp of the epoch is evicted.
    pub(crate) epoch: bool,
    /// A fence is evicted, or ends before its writer has committed.
    pub(crate) fences: bool,
    /// A read is cancelled.
    pub(crate) cancel: bool,
    /// A writer crashes.
    pub(crate) crash: bool,
    /// A fence's time passes, of a writer that has committed or crashed.
    pub(crate) expiry: bool,
    /// A writer gets no answer to a BEGIN and goes on without it; it may be executed later.
    pub(crate) lost_begin: bool,
    /// A writer gets no answer to an END, or to an invalidation; it may be executed later.
    pub(crate) lost_end: bool,
    /// Bodies read a replica of the database that lags, and invalidations hold off until it has
    /// caught up.
    pub(crate) lag: bool,
}

/// The rules that a counterexample breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// There is an epoch.
    Epoch,
    /// The epoch is compared after the stamps were captured.
    CaptureThenCompare,
    /// The epoch is invalidated before the tags.
    EpochThenTags,
    /// A write fences the epoch as well.
    FenceOnEpoch,
    /// Stamps from before the body are used only for a value that has the guessed tags.
    RightGuess,
    /// The epoch must hold the same stamp, not any.
    SameEpoch,
    /// An invalidation that holds off leaves a tombstone in the epoch as well.
    HoldOffOnEpoch,
}

/// What must hold, in the order of how much it takes to promise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Property {
    /// Nothing that a write outdates is a hit once the write is acknowledged.
    Acknowledged,
    /// The same from the commit on, if the write's fences stood at that moment.
    Committed,
    /// The same once the fences of a crashed writer are gone.
    Crashed,
}

impl Scenario {
    pub(crate) fn breaks(&self, rule: Rule) -> bool {
        self.broken == Some(rule)
    }

    /// The tags of a value that was loaded after so many commits.
    pub(crate) fn tags_of(&self, version: u8) -> Set {
        self.tags[usize::from(version)]
    }

    /// What a write invalidates.
    pub(crate) fn targets(&self, writer: usize) -> Set {
        let epoch = if self.breaks(Rule::Epoch) { 0 } else { E };
        self.writers[writer].tags | epoch
    }

    /// What a write with fences puts them into.
    pub(crate) fn fenced(&self, writer: usize) -> Set {
        let targets = self.targets(writer);
        if self.breaks(Rule::FenceOnEpoch) { targets & AB } else { targets }
    }

    /// With nothing in the cache, and with the first value there.
    pub(crate) fn starts(&self) -> [State; 2] {
        let mut empty = State::default();
        for reader in 0..self.readers.len() {
            empty.readers[reader] = Reader { left: self.reads, ..Reader::default() };
        }
        for (place, write) in self.writers.iter().enumerate() {
            let (stage, open) = if write.fences {
                (Writing::Begin, self.fenced(place))
            } else {
                (Writing::Commit, 0)
            };
            empty.writers[place] = Writer { stage, open, ..Writer::default() };
        }
        let mut cached = empty;
        let mut value = Stored::default();
        for tag in places(self.tags_of(0)) {
            cached.keys[tag] = Cell::Stamp(1);
            value.stamps[tag] = 1;
        }
        cached.entry = Entry::Value(value);
        [empty, cached]
    }
}
