//! What must hold.

use crate::keys::{Entry, Stored, places};
use crate::scenario::{Property, Scenario};
use crate::state::{Reader, State, Writer, Writing};

/// A set of writers.
type Writers = u8;

fn those(writers: &[Writer], is_one: impl Fn(&Writer) -> bool) -> Writers {
    let bit = |(place, writer)| Writers::from(is_one(writer)) << place;
    writers.iter().enumerate().map(bit).fold(0, |all, one| all | one)
}

/// The writers whose invalidation has been acknowledged as a whole.
pub(crate) fn acknowledged(writers: &[Writer]) -> Writers {
    those(writers, |writer| writer.stage == Writing::Acknowledged)
}

/// The writers that have committed behind their fences.
pub(crate) fn committed(writers: &[Writer]) -> Writers {
    those(writers, |writer| writer.was_fenced)
}

/// Whether one of the writers has outdated the value: it has committed since the value was loaded,
/// and invalidates one of the tags that a value of that version has.
fn is_outdated(scenario: &Scenario, state: &State, version: u8, by: Writers) -> bool {
    let tags = scenario.tags_of(version);
    let mut writes = scenario.writers.iter().zip(&state.writers).enumerate();
    writes.any(|(place, (write, writer))| {
        by & (1 << place) != 0 && writer.version > version && write.tags & tags != 0
    })
}

/// What a hit breaks that returns what the reader found.
pub(crate) fn broken_by_hit(
    scenario: &Scenario,
    state: &State,
    reader: &Reader,
) -> Option<Property> {
    let outdated = |by| is_outdated(scenario, state, reader.found.version, by);
    if outdated(reader.acknowledged) {
        Some(Property::Acknowledged)
    } else {
        outdated(reader.committed).then_some(Property::Committed)
    }
}

/// What is broken in this state: a property of a read that has just ended, or one of the value
/// that would be a hit now.
pub(crate) fn broken(scenario: &Scenario, state: &State) -> Option<Property> {
    if state.broken.is_some() {
        return state.broken;
    }
    let Entry::Value(value) = state.entry else { return None };
    if !is_hit(state, value) {
        return None;
    }
    let outdated = |by| is_outdated(scenario, state, value.version, by);
    if outdated(acknowledged(&state.writers)) {
        Some(Property::Acknowledged)
    } else if outdated(those(&state.writers, |it| it.was_fenced && it.stage == Writing::Crashed)) {
        Some(Property::Crashed)
    } else {
        outdated(committed(&state.writers)).then_some(Property::Committed)
    }
}

fn is_hit(state: &State, value: Stored) -> bool {
    places(value.tags()).all(|tag| state.keys[tag].has(value.stamps[tag]))
}
