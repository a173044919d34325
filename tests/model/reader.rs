//! A read: lookup, load, and what it takes to store the value.

use crate::keys::{A, B, Cell, E, ENTRY, EPOCH, Entry, NONE, Set, Stored, places};
use crate::properties;
use crate::scenario::{Rule, Scenario};
use crate::search::Steps;
use crate::state::{Reader, Reading, State};
use crate::tokens;

/// All that the reader may do next.
pub(crate) fn steps(to: &mut Steps<'_>, state: &State, me: usize) {
    let reader = state.readers[me];
    match reader.stage {
        Reading::Idle if reader.left == 0 => {}
        Reading::Idle => {
            // A read begins with its first command: the later, the more is promised to it.
            let mut state = *state;
            let begun = &mut state.readers[me];
            begun.acknowledged = properties::acknowledged(&state.writers);
            begun.committed = properties::committed(&state.writers);
            look_up_anew(to.scenario, begun);
            each_look(to, &state, me);
        }
        Reading::Lookup => each_look(to, state, me),
        Reading::Prepare => {
            for key in each(reader.open) {
                prepare(to, *state, me, key);
            }
        }
        Reading::Body => body(to, *state, me),
        Reading::Capture => {
            for key in each(reader.open) {
                capture(to, *state, me, key);
            }
        }
        Reading::Compare => compare(to, *state, me),
        Reading::Fill => fill(to, *state, me),
        Reading::Release => {
            let mut next = *state;
            give_back(&mut next, me);
            to.step(me, "gives its lease back", 0, next);
        }
    }
    let holds = !matches!(reader.stage, Reading::Idle | Reading::Lookup | Reading::Release);
    if to.scenario.faults.cancel && holds {
        let mut next = *state;
        next.readers[me] = Reader { stage: Reading::Release, ..kept(&reader) };
        to.step(me, "is cancelled", 0, next);
    }
}

/// The bits of a set.
fn each(set: Set) -> impl Iterator<Item = Set> {
    [A, B, E, ENTRY].into_iter().filter(move |bit| set & bit != 0)
}

/// What a reader keeps from one stage to the other.
fn kept(reader: &Reader) -> Reader {
    Reader {
        left: reader.left,
        acknowledged: reader.acknowledged,
        committed: reader.committed,
        ..Reader::default()
    }
}

fn end(reader: &mut Reader) {
    *reader = Reader { left: reader.left - 1, ..Reader::default() };
}

fn look_up_anew(scenario: &Scenario, reader: &mut Reader) {
    let tags = scenario.tags.iter().fold(0, |all, tags| all | tags);
    *reader = Reader { stage: Reading::Lookup, open: ENTRY | tags, ..kept(reader) };
}

/// The entry and the stamps in any order: a client may know the tags from an earlier value.
fn each_look(to: &mut Steps<'_>, state: &State, me: usize) {
    for key in each(state.readers[me].open) {
        look(to, *state, me, key);
    }
}

fn look(to: &mut Steps<'_>, mut next: State, me: usize, key: Set) {
    let reader = &mut next.readers[me];
    reader.open &= !key;
    if key == ENTRY {
        let Entry::Value(value) = next.entry else {
            return miss(to, next, me, ["finds no value", "finds no value, expects"]);
        };
        reader.found = value;
        reader.open &= value.tags();
    } else {
        for tag in places(key) {
            reader.stamps[tag] = match next.keys[tag] {
                Cell::Stamp(token) => token,
                _ => NONE,
            };
        }
    }
    let reader = next.readers[me];
    if reader.open & ENTRY != 0 {
        return to.step(me, "reads ahead", key, next);
    }
    let mut read = places(reader.found.tags() & !reader.open);
    let differs = |tag: usize| reader.stamps[tag] != reader.found.stamps[tag];
    if read.any(differs) {
        let what = ["finds an outdated value", "finds an outdated value, expects"];
        miss(to, next, me, what);
    } else if reader.open != 0 {
        to.step(me, "reads", key, next);
    } else {
        next.broken = properties::broken_by_hit(to.scenario, &next, &reader);
        end(&mut next.readers[me]);
        to.step(me, "has a hit", 0, next);
    }
}

fn miss(to: &mut Steps<'_>, mut next: State, me: usize, what: [&'static str; 2]) {
    let reader = next.readers[me];
    let epoch = if to.scenario.breaks(Rule::Epoch) { 0 } else { E };
    let lease = if to.scenario.without_leases { 0 } else { ENTRY };
    for guess in to.scenario.readers[me] {
        next.readers[me] = Reader {
            stage: Reading::Prepare,
            open: lease | epoch | guess,
            guess: *guess,
            found: reader.found,
            ..kept(&reader)
        };
        to.step(me, what[usize::from(*guess != 0)], *guess, next);
    }
}

fn prepare(to: &mut Steps<'_>, mut next: State, me: usize, key: Set) {
    let mut what = "captures before the body";
    if key == ENTRY {
        match next.entry {
            // Another one is loading: it waits.
            Entry::Lease(_) => return,
            Entry::Value(value) if value != next.readers[me].found => {
                look_up_anew(to.scenario, &mut next.readers[me]);
                return to.step(me, "finds another value instead of the lease", 0, next);
            }
            Entry::Empty | Entry::Value(_) => {
                next.entry = Entry::Lease(u8::from(me == 1));
                next.readers[me].found = Stored::default();
                what = "takes the lease";
            }
        }
    }
    for place in places(key) {
        // Nothing under a fence.
        let fresh = tokens::fresh(&mut next, place);
        let stamp = next.keys[place].capture(fresh).unwrap_or(NONE);
        let reader = &mut next.readers[me];
        if place == EPOCH {
            reader.epoch = stamp;
        } else {
            reader.stamps[place] = stamp;
        }
    }
    let reader = &mut next.readers[me];
    reader.open &= !key;
    if reader.open == 0 {
        reader.stage = Reading::Body;
        // What was before this read cannot outdate what it loads now.
        (reader.acknowledged, reader.committed) = (0, 0);
    }
    to.step(me, what, key & !ENTRY, next);
}

const HAS_STAMPS: &str = "loads, has the stamps already";

/// Reads the database; then the tags are known.
fn body(to: &mut Steps<'_>, mut next: State, me: usize) {
    let scenario = to.scenario;
    let reader = &mut next.readers[me];
    reader.loaded = if scenario.faults.lag { next.replica } else { next.version };
    let tags = scenario.tags_of(reader.loaded);
    let captured = Stored { version: 0, stamps: reader.stamps }.tags();
    let is_right = reader.guess == tags || scenario.breaks(Rule::RightGuess);
    let what = if reader.guess != 0 && is_right && captured == reader.guess {
        reader.stage = Reading::Fill;
        reader.epoch = NONE;
        HAS_STAMPS
    } else if reader.epoch != NONE || scenario.breaks(Rule::Epoch) {
        let keeps = if scenario.keeps_captured { captured & tags } else { 0 };
        for tag in places((A | B) & !keeps) {
            reader.stamps[tag] = NONE;
        }
        reader.open = tags & !keeps;
        reader.stage = if scenario.breaks(Rule::CaptureThenCompare) || reader.open == 0 {
            Reading::Compare
        } else {
            Reading::Capture
        };
        "loads, has not the stamps of"
    } else {
        *reader = Reader { stage: Reading::Release, ..kept(reader) };
        "loads, has neither epoch nor the stamps of"
    };
    next.readers[me].guess = 0;
    to.step(me, what, if what == HAS_STAMPS { 0 } else { tags }, next);
}

fn capture(to: &mut Steps<'_>, mut next: State, me: usize, key: Set) {
    for tag in places(key) {
        let fresh = tokens::fresh(&mut next, tag);
        let stamp = next.keys[tag].capture(fresh);
        let reader = &mut next.readers[me];
        let Some(stamp) = stamp else {
            *reader = Reader { stage: Reading::Release, ..kept(reader) };
            return to.step(me, "finds a fence or a tombstone in", key, next);
        };
        reader.stamps[tag] = stamp;
    }
    let reader = &mut next.readers[me];
    reader.open &= !key;
    if reader.open == 0 {
        reader.stage = if reader.epoch == NONE { Reading::Fill } else { Reading::Compare };
    }
    to.step(me, "captures after the body", key, next);
}

fn compare(to: &mut Steps<'_>, mut next: State, me: usize) {
    let any = to.scenario.breaks(Rule::SameEpoch) && matches!(next.keys[EPOCH], Cell::Stamp(_));
    let reader = &mut next.readers[me];
    if any || next.keys[EPOCH].has(reader.epoch) {
        reader.epoch = NONE;
        reader.stage = if reader.open == 0 { Reading::Fill } else { Reading::Capture };
        to.step(me, "finds the epoch unchanged", 0, next);
    } else {
        *reader = Reader { stage: Reading::Release, ..kept(reader) };
        to.step(me, "finds the epoch changed", 0, next);
    }
}

fn fill(to: &mut Steps<'_>, mut next: State, me: usize) {
    let reader = next.readers[me];
    let is_stored = holds_lease(&next, me) || to.scenario.without_leases;
    if is_stored {
        next.entry = Entry::Value(Stored { version: reader.loaded, stamps: reader.stamps });
    }
    end(&mut next.readers[me]);
    let what = if is_stored { "stores its value" } else { "has lost its lease" };
    to.step(me, what, 0, next);
}

fn give_back(next: &mut State, me: usize) {
    if holds_lease(next, me) {
        next.entry = Entry::Empty;
    }
    end(&mut next.readers[me]);
}

fn holds_lease(state: &State, me: usize) -> bool {
    state.entry == Entry::Lease(u8::from(me == 1))
}
