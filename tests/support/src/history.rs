//! What was read and written when, and whether that may be.
//!
//! Versions of a row only grow, and every write makes a new one. So a history is checked in linear
//! time: at every moment a row has a *floor*, the newest version that a read starting then may not
//! fall behind, and floors only rise. Which writes raise it, and when, is what the protocol
//! promises:
//!
//! | rule | the write raises the floor | for reads of |
//! |---|---|---|
//! | acknowledged | when it has returned and its invalidation was acknowledged | every process |
//! | fenced | when it is committed, if its fence stood from before it began | every process |
//! | own | when it has returned, acknowledged or not | its own process |
//! | returned | when it has returned, acknowledged or not | every process, where only the server restarts |
//!
//! The last is a rule only of histories in which nothing else goes wrong: a process that is cut off
//! from a server with values in it cannot keep others from them.
//!
//! Times must be of one clock that all processes share, and taken so that they err on the safe
//! side: that of a read's start before it starts, that of an event that raises a floor after it has
//! happened.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment of the common clock.
pub type Time = u64;

/// A read that returned a value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Read {
    pub process: usize,
    pub row: u64,
    pub manner: String,
    pub start: Time,
    pub end: Time,
    pub version: u64,
}

/// A write, whatever became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Write {
    pub process: usize,
    pub row: u64,
    pub manner: String,
    pub start: Time,
    /// When it was certainly committed, and the version that it made.
    pub committed: Option<(Time, u64)>,
    /// When it returned to its caller.
    pub returned: Option<Time>,
    /// When its invalidation was certainly acknowledged.
    pub acknowledged: Option<Time>,
    /// Its fence was acknowledged before the body began, and cannot have run out before the commit.
    pub fenced: bool,
}

/// Somebody removed what the store held of a row, or of all: fences too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loss {
    pub row: Option<u64>,
    pub start: Time,
    pub end: Time,
}

/// Everything that happened.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct History {
    pub reads: Vec<Read>,
    pub writes: Vec<Write>,
    pub losses: Vec<Loss>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Acknowledged,
    Fenced,
    Own,
    Returned,
}

/// A read that fell behind a write.
#[derive(Clone, Debug)]
pub struct Violation {
    pub rule: Rule,
    pub read: Read,
    pub write: Write,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "STALE READ ({:?})\n  {:?}\n  {:?}", self.rule, self.read, self.write)
    }
}

impl History {
    pub fn append(&mut self, mut other: Self) {
        self.reads.append(&mut other.reads);
        self.writes.append(&mut other.writes);
        self.losses.append(&mut other.losses);
    }

    /// The reads that may not be; one for each read at most.
    pub fn violations(&self) -> Vec<Violation> {
        self.violations_of(&[Rule::Acknowledged, Rule::Fenced, Rule::Own])
    }

    /// The same, where the server restarts without its data and nothing else goes wrong.
    pub fn violations_by_restarts(&self) -> Vec<Violation> {
        self.violations_of(&[Rule::Returned, Rule::Acknowledged, Rule::Fenced, Rule::Own])
    }

    fn violations_of(&self, rules: &[Rule]) -> Vec<Violation> {
        let floors: Vec<_> = rules.iter().map(|rule| (*rule, self.floors(*rule))).collect();
        let broken = |read: &Read| {
            floors.iter().find_map(|(rule, floors)| {
                let process = (*rule == Rule::Own).then_some(read.process);
                let write = floors.get(&(read.row, process))?.before(read.start)?;
                (write.version() > read.version).then(|| Violation {
                    rule: *rule,
                    read: read.clone(),
                    write: write.clone(),
                })
            })
        };
        self.reads.iter().filter_map(broken).collect()
    }

    /// By row, and by process where the rule binds only the writer's own.
    fn floors(&self, rule: Rule) -> BTreeMap<(u64, Option<usize>), Floor<'_>> {
        let mut floors = BTreeMap::<_, Floor<'_>>::new();
        for write in self.writes.iter().filter(|write| write.committed.is_some()) {
            let (raised, process) = match rule {
                Rule::Acknowledged => (write.acknowledged.max(write.returned), None),
                Rule::Fenced => (write.committed.map(|(time, _)| time), None),
                Rule::Own => (write.returned, Some(write.process)),
                Rule::Returned => (write.returned, None),
            };
            let binding = match rule {
                Rule::Acknowledged => write.acknowledged.is_some() && write.returned.is_some(),
                Rule::Fenced => write.fenced && !self.lost_its_fence(write),
                Rule::Own | Rule::Returned => true,
            };
            if let (Some(raised), true) = (raised, binding) {
                floors.entry((write.row, process)).or_default().0.push((raised, write));
            }
        }
        for floor in floors.values_mut() {
            floor.settle();
        }
        floors
    }

    /// Whether something removed the fence before the commit.
    fn lost_its_fence(&self, write: &Write) -> bool {
        let until = write.committed.map_or(Time::MAX, |(time, _)| time);
        self.losses.iter().any(|loss| {
            loss.row.is_none_or(|row| row == write.row)
                && loss.start <= until
                && loss.end >= write.start
        })
    }
}

impl Write {
    fn version(&self) -> u64 {
        self.committed.map_or(0, |(_, version)| version)
    }
}

/// Moments at which a floor rises, with the write that it rises to.
#[derive(Default)]
struct Floor<'a>(Vec<(Time, &'a Write)>);

impl<'a> Floor<'a> {
    /// Sorts the moments and leaves out writes that do not raise it.
    fn settle(&mut self) {
        self.0.sort_by_key(|(time, _)| *time);
        let mut highest = 0;
        self.0.retain(|(_, write)| {
            let raises = write.version() > highest;
            highest = highest.max(write.version());
            raises
        });
    }

    /// The newest write that raised it before `time`.
    fn before(&self, time: Time) -> Option<&'a Write> {
        let raised = self.0.partition_point(|(raised, _)| *raised < time);
        self.0[..raised].last().map(|(_, write)| *write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(process: usize, start: Time, version: u64) -> Read {
        Read { process, row: 1, manner: String::new(), start, end: start + 5, version }
    }

    /// Process 0 commits version 2 at 20, returns at 30, and is acknowledged at 40; it started
    /// at 10.
    fn write() -> Write {
        Write {
            process: 0,
            row: 1,
            manner: String::new(),
            start: 10,
            committed: Some((20, 2)),
            returned: Some(30),
            acknowledged: Some(40),
            fenced: false,
        }
    }

    fn rules(write: Write, losses: &[Loss], read: Read) -> Vec<Rule> {
        let (reads, writes, losses) = (vec![read], vec![write], losses.to_vec());
        let violations = History { reads, writes, losses }.violations();
        violations.iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn nobody_reads_an_old_version_after_the_acknowledgement() {
        assert_eq!(rules(write(), &[], read(1, 41, 1)), [Rule::Acknowledged]);
        assert_eq!(rules(write(), &[], read(1, 41, 2)), []);
        assert_eq!(rules(write(), &[], read(1, 41, 3)), []);
        assert_eq!(rules(write(), &[], read(1, 40, 1)), [], "at the same time");
        assert_eq!(rules(Write { acknowledged: None, ..write() }, &[], read(1, 41, 1)), []);
        let other_row = Read { row: 2, ..read(1, 41, 1) };
        assert_eq!(rules(write(), &[], other_row), []);
    }

    #[test]
    fn the_writers_own_process_reads_no_old_version_after_the_return() {
        let write = Write { acknowledged: None, ..write() };
        assert_eq!(rules(write.clone(), &[], read(0, 31, 1)), [Rule::Own]);
        assert_eq!(rules(write.clone(), &[], read(1, 31, 1)), []);
        assert_eq!(rules(Write { returned: None, ..write }, &[], read(0, 31, 1)), []);
    }

    #[test]
    fn where_only_the_server_restarts_a_return_counts_for_everybody() {
        let writes = vec![Write { acknowledged: None, ..write() }];
        let reads = vec![read(1, 30, 1), read(1, 31, 1), read(1, 31, 2)];
        let history = History { reads, writes, losses: Vec::new() };
        assert!(history.violations().is_empty());
        let violations = history.violations_by_restarts();
        assert_eq!(violations.len(), 1);
        assert_eq!((violations[0].rule, violations[0].read.start), (Rule::Returned, 31));
    }

    #[test]
    fn behind_a_fence_nobody_reads_an_old_version_after_the_commit() {
        let write = Write { fenced: true, returned: None, ..write() };
        assert_eq!(rules(write.clone(), &[], read(1, 21, 1)), [Rule::Fenced]);
        let loss = |row, start, end| [Loss { row, start, end }];
        assert_eq!(rules(write.clone(), &loss(None, 15, 16), read(1, 21, 1)), []);
        assert_eq!(rules(write.clone(), &loss(Some(1), 5, 10), read(1, 21, 1)), []);
        for elsewhere in [loss(Some(2), 15, 16), loss(None, 1, 2), loss(None, 21, 22)] {
            assert_eq!(rules(write.clone(), &elsewhere, read(1, 21, 1)), [Rule::Fenced]);
        }
    }

    #[test]
    fn the_newest_of_several_writes_counts() {
        let newer = Write { committed: Some((15, 3)), ..write() };
        let reads = vec![read(1, 41, 2), read(1, 41, 3)];
        let history = History { reads, writes: vec![write(), newer], losses: Vec::new() };
        let violations = history.violations();
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].write.version(), 3);
        assert_eq!(violations[0].read.version, 2);
    }
}
