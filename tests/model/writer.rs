//! A write: fences, commit, invalidation, and the journal.

use crate::keys::{AB, Cell, E, EPOCH, Set, places};
use crate::scenario::{Rule, Scenario};
use crate::search::Steps;
use crate::state::{State, Writer, Writing};

/// All that the writer may do next.
pub(crate) fn steps(to: &mut Steps<'_>, state: &State, me: usize) {
    let scenario = to.scenario;
    let writer = state.writers[me];
    let who = 2 + me;
    match writer.stage {
        Writing::Absent | Writing::Acknowledged | Writing::Crashed => {}
        Writing::Begin => {
            for place in places(writer.open) {
                let mut next = *state;
                next.keys[place].begin(me);
                begun(&mut next.writers[me], 1 << place);
                to.step(who, "puts up its fence in", 1 << place, next);
                if scenario.faults.lost_begin {
                    let mut next = *state;
                    next.writers[me].late_begins |= 1 << place;
                    begun(&mut next.writers[me], 1 << place);
                    to.step(who, "gets no answer to the BEGIN in", 1 << place, next);
                }
            }
        }
        Writing::Commit => {
            if scenario.writers[me].is_second && state.writers[0].version == 0 {
                return;
            }
            let mut next = *state;
            next.version += 1;
            let mut fenced = places(scenario.fenced(me));
            let was_fenced =
                scenario.writers[me].fences && fenced.all(|it| state.keys[it].is_fence_of(me));
            next.writers[me] = Writer {
                stage: Writing::End,
                open: scenario.targets(me),
                version: next.version,
                was_fenced,
                ..writer
            };
            to.step(who, "commits", 0, next);
        }
        Writing::End | Writing::Replay => {
            for place in places(in_turn(scenario, writer.open)) {
                end(to, *state, me, place);
            }
        }
    }
    let is_alive =
        !matches!(writer.stage, Writing::Absent | Writing::Acknowledged | Writing::Crashed);
    if scenario.faults.crash && is_alive {
        let mut next = *state;
        next.writers[me].stage = Writing::Crashed;
        next.writers[me].open = 0;
        to.step(who, "crashes", 0, next);
    }
}

/// What was sent by a writer that no longer waits for it.
pub(crate) fn late_steps(to: &mut Steps<'_>, state: &State, me: usize) {
    let writer = state.writers[me];
    for place in places(writer.late_begins) {
        let mut next = *state;
        next.writers[me].late_begins &= !(1 << place);
        next.keys[place].begin(me);
        to.step(2 + me, "has its late BEGIN executed in", 1 << place, next);
    }
    for place in places(writer.late_ends) {
        let mut next = *state;
        next.writers[me].late_ends &= !(1 << place);
        lift(to.scenario, &mut next, me, place);
        to.step(2 + me, "has its late END executed in", 1 << place, next);
    }
}

fn begun(writer: &mut Writer, key: Set) {
    writer.open &= !key;
    if writer.open == 0 {
        writer.stage = Writing::Commit;
    }
}

/// The epoch first, and the tags, in any order, once that has been acknowledged.
fn in_turn(scenario: &Scenario, open: Set) -> Set {
    let (first, then) = if scenario.breaks(Rule::EpochThenTags) { (AB, E) } else { (E, AB) };
    if open & first != 0 { open & first } else { open & then }
}

fn end(to: &mut Steps<'_>, state: State, me: usize, place: usize) {
    let key = 1 << place;
    let is_replay = state.writers[me].stage == Writing::Replay;
    let mut next = state;
    if is_replay {
        next.keys[place].invalidate(rest(to.scenario, &next, place));
    } else {
        lift(to.scenario, &mut next, me, place);
    }
    let writer = &mut next.writers[me];
    writer.open &= !key;
    if writer.open == 0 {
        writer.stage = Writing::Acknowledged;
    }
    to.step(2 + me, if is_replay { "invalidates again" } else { "invalidates" }, key, next);
    if to.scenario.faults.lost_end && !is_replay {
        let mut next = state;
        next.writers[me].stage = Writing::Replay;
        next.writers[me].late_ends |= key;
        to.step(2 + me, "gets no answer to its END of", key, next);
    }
}

/// The END of a write with fences, the plain invalidation of one without.
fn lift(scenario: &Scenario, next: &mut State, me: usize, place: usize) {
    let rest = rest(scenario, next, place);
    if scenario.writers[me].fences {
        next.keys[place].end(me, rest);
    } else {
        next.keys[place].invalidate(rest);
    }
}

/// What an invalidation leaves behind.
fn rest(scenario: &Scenario, state: &State, place: usize) -> Cell {
    let is_exempt = place == EPOCH && scenario.breaks(Rule::HoldOffOnEpoch);
    if scenario.faults.lag && !is_exempt { Cell::Tombstone(state.version) } else { Cell::Empty }
}
