//! What was pushed and applied, and whether that may be.
//!
//! | rule | what was pushed | in the database |
//! |---|---|---|
//! | lost | and said to be there | once at least, or a younger value of its row, unless a failover has lost it that the replica was not said to have |
//! | doubled | whatever came of it | once at most, but for dead letters that were driven again, pushes that went on over a failover, and values of rows |
//! | refused | and said not to be there | never |
//! | overtaken | after another of its key had come to its end, or behind it in one call | after that one, if the same process pushed it or it was acknowledged |
//!
//! An item that its sink has refused by itself may be a dead letter, and one that goes past the
//! queue has no place in it: neither has an order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A moment of the clock that all have in common.
pub(super) type Time = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is in the queue, or in the database.
    Acknowledged,
    /// It is in the queue, and not on a replica.
    Unreplicated,
    /// It is in neither.
    Refused,
    /// Nobody knows, or nobody has waited for the answer.
    InDoubt,
}

/// A push that has come to its end.
#[derive(Clone, Debug)]
pub(super) struct Push {
    pub(super) id: u64,
    pub(super) key: u64,
    pub(super) process: usize,
    pub(super) begin: Time,
    pub(super) end: Time,
    pub(super) outcome: Outcome,
    /// The call that pushed it with others, and its place among them.
    pub(super) of_many: Option<(u64, usize)>,
}

impl Push {
    /// Whether its item comes before that of another push.
    fn precedes(&self, other: &Self) -> bool {
        let is_before = match (self.of_many, other.of_many) {
            (Some((call, place)), Some((same, later))) if call == same => place < later,
            _ => self.end < other.begin && (self.process == other.process || self.is_stored()),
        };
        self.key == other.key && is_before
    }

    /// Whether it was said to be there.
    fn is_stored(&self) -> bool {
        matches!(self.outcome, Outcome::Acknowledged | Outcome::Unreplicated)
    }
}

/// Something that was written, by a transaction that was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) id: u64,
    pub(super) key: u64,
    /// Past the queue.
    pub(super) is_direct: bool,
}

/// Everything that happened.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) pushes: Vec<Push>,
    /// In the order of their commits.
    pub(super) applied: Vec<Applied>,
    /// Rows hold the last item only: what came before it need not have come at all.
    pub(super) is_of_rows: bool,
    /// Acknowledged is what the replica has.
    pub(super) is_copied: bool,
    /// The number of partitions has changed, and a failover may have lost that.
    pub(super) has_deployments: bool,
    pub(super) failovers: Vec<Time>,
    /// Gone with a primary.
    pub(super) lost: BTreeSet<u64>,
    /// Refused by the sink when they were by themselves.
    pub(super) suspects: BTreeSet<u64>,
    /// How often dead letters may have been driven again.
    pub(super) redrives: u64,
}

/// How often things happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Count(pub(super) BTreeMap<&'static str, u64>);

/// What may not be.
#[derive(Clone, Debug)]
pub(super) enum Violation {
    Lost(Push),
    Doubled(u64, u64),
    Applied(Push),
    Overtaken(Push, Push),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(push) => write!(f, "LOST {push:?}"),
            Self::Doubled(id, times) => write!(f, "DOUBLED item {id}: applied {times} times"),
            Self::Applied(push) => write!(f, "APPLIED ALTHOUGH REFUSED {push:?}"),
            Self::Overtaken(first, second) => write!(f, "OVERTAKEN {first:?}\n  by {second:?}"),
        }
    }
}

impl History {
    /// The first thing that may not be.
    pub(super) fn violation(&self) -> Option<Violation> {
        let mut times: BTreeMap<u64, u64> = BTreeMap::new();
        for applied in &self.applied {
            *times.entry(applied.id).or_default() += 1;
        }
        self.lost_one(&times)
            .or_else(|| self.doubled(&times))
            .or_else(|| self.refused(&times))
            .or_else(|| self.overtaken())
    }

    fn lost_one(&self, times: &BTreeMap<u64, u64>) -> Option<Violation> {
        let by_id: BTreeMap<u64, &Push> = self.pushes.iter().map(|push| (push.id, push)).collect();
        // What each row holds in the end.
        let rows: BTreeMap<u64, u64> =
            self.applied.iter().map(|applied| (applied.key, applied.id)).collect();
        let is_superseded = |push: &Push| {
            let last = rows.get(&push.key).and_then(|id| by_id.get(id));
            self.is_of_rows && last.is_some_and(|last| !last.precedes(push))
        };
        // What was refused by the sink may be a dead letter, of which a replica knows too little.
        let is_copied = |push: &Push| {
            self.is_copied
                && push.outcome == Outcome::Acknowledged
                && !self.suspects.contains(&push.id)
        };
        let lost = self.pushes.iter().find(|push| {
            push.is_stored()
                && (is_copied(push) || !self.lost.contains(&push.id))
                // A row that holds it now may be one that went backwards.
                && (self.is_of_rows || !times.contains_key(&push.id))
                && !is_superseded(push)
        });
        lost.cloned().map(Violation::Lost)
    }

    fn doubled(&self, times: &BTreeMap<u64, u64>) -> Option<Violation> {
        // Twice the same value is one value.
        if self.is_of_rows {
            return None;
        }
        let redriven = |id| if self.suspects.contains(id) { self.redrives } else { 0 };
        // Sent to a primary, delivered, and sent to the next one, which knows nothing of it.
        let resent = |id| {
            let push = self.pushes.iter().find(|push| push.id == id);
            push.map_or(0, |push| self.failovers_during(push)) as u64
        };
        let doubled = times.iter().find(|(id, times)| **times > 1 + redriven(id) + resent(**id));
        doubled.map(|(id, times)| Violation::Doubled(*id, *times))
    }

    fn failovers_during(&self, push: &Push) -> usize {
        self.failovers.iter().filter(|time| (push.begin..push.end).contains(time)).count()
    }

    fn refused(&self, times: &BTreeMap<u64, u64>) -> Option<Violation> {
        let refused = self
            .pushes
            .iter()
            .find(|push| push.outcome == Outcome::Refused && times.contains_key(&push.id));
        refused.cloned().map(Violation::Applied)
    }

    fn overtaken(&self) -> Option<Violation> {
        if self.has_deployments && !self.failovers.is_empty() {
            return None;
        }
        let mut first = BTreeMap::new();
        for (place, applied) in self.applied.iter().enumerate() {
            if !self.suspects.contains(&applied.id) && !applied.is_direct {
                first.entry(applied.id).or_insert(place);
            }
        }
        let placed: Vec<_> = self
            .pushes
            .iter()
            .filter_map(|push| first.get(&push.id).map(|place| (push, *place)))
            .collect();
        for (one, place) in &placed {
            for (other, earlier) in &placed {
                // Items that were pushed together are sent again after a failover, also when a
                // later one is known there.
                let is_sent_again = one.of_many.is_some() && self.failovers_during(one) > 0;
                if one.precedes(other) && earlier < place && !is_sent_again {
                    return Some(Violation::Overtaken((*one).clone(), (*other).clone()));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(id: u64, begin: Time, end: Time, outcome: Outcome) -> Push {
        Push { id, key: 0, process: 0, begin, end, outcome, of_many: None }
    }

    fn history(pushes: Vec<Push>, applied: &[u64]) -> History {
        let applied = applied.iter().map(|id| Applied { id: *id, key: 0, is_direct: false });
        History { pushes, applied: applied.collect(), ..History::default() }
    }

    fn found(history: &History) -> Option<String> {
        let violation = history.violation()?.to_string();
        violation.split(' ').next().map(str::to_owned)
    }

    #[test]
    fn what_is_acknowledged_must_be_there_once() {
        let pushes = || vec![push(1, 1, 2, Outcome::Acknowledged)];
        assert_eq!(found(&history(pushes(), &[1])), None);
        assert_eq!(found(&history(pushes(), &[])).as_deref(), Some("LOST"));
        assert_eq!(found(&history(pushes(), &[1, 1])).as_deref(), Some("DOUBLED"));
        let lost = History { lost: [1].into(), ..history(pushes(), &[]) };
        assert_eq!(found(&lost), None);
        let copied = |outcome| {
            let pushes = vec![push(1, 1, 2, outcome)];
            History { is_copied: true, pushes, ..lost.clone() }
        };
        assert_eq!(found(&copied(Outcome::Acknowledged)).as_deref(), Some("LOST"));
        assert_eq!(found(&copied(Outcome::Unreplicated)), None);
        let resent = History { failovers: vec![1], ..history(pushes(), &[1, 1]) };
        assert_eq!(found(&resent), None);
        let again = History { suspects: [1].into(), redrives: 1, ..history(pushes(), &[1, 1]) };
        assert_eq!(found(&again), None);
    }

    #[test]
    fn what_is_refused_may_not_be_there_and_what_is_in_doubt_may() {
        let refused = vec![push(1, 1, 2, Outcome::Refused)];
        assert_eq!(found(&history(refused, &[1])).as_deref(), Some("APPLIED"));
        for applied in [&[][..], &[1]] {
            assert_eq!(found(&history(vec![push(1, 1, 2, Outcome::InDoubt)], applied)), None);
        }
    }

    #[test]
    fn items_of_a_key_keep_their_order() {
        let ok = Outcome::Acknowledged;
        let pushes = |second| vec![push(1, 1, 2, ok), push(2, second, 4, ok)];
        assert_eq!(found(&history(pushes(3), &[1, 2])), None);
        assert_eq!(found(&history(pushes(3), &[2, 1])).as_deref(), Some("OVERTAKEN"));
        assert_eq!(found(&history(pushes(2), &[2, 1])), None, "at the same time");
        let mut elsewhere = pushes(3);
        elsewhere[0].outcome = Outcome::InDoubt;
        assert_eq!(found(&history(elsewhere.clone(), &[2, 1])).as_deref(), Some("OVERTAKEN"));
        elsewhere[1].process = 1;
        assert_eq!(found(&history(elsewhere, &[2, 1])), None);
        // In one call.
        let mut together = pushes(1);
        (together[0].of_many, together[1].of_many) = (Some((7, 0)), Some((7, 1)));
        assert_eq!(found(&history(together.clone(), &[1, 2])), None);
        assert_eq!(found(&history(together, &[2, 1])).as_deref(), Some("OVERTAKEN"));
    }

    #[test]
    fn a_row_holds_the_last_value() {
        let ok = Outcome::Acknowledged;
        let pushes = vec![push(1, 1, 2, ok), push(2, 3, 4, ok)];
        let rows = |applied| History { is_of_rows: true, ..history(pushes.clone(), applied) };
        assert_eq!(found(&rows(&[2])), None);
        assert_eq!(found(&rows(&[1])).as_deref(), Some("LOST"));
        assert_eq!(found(&rows(&[2, 1])).as_deref(), Some("LOST"));
    }
}
