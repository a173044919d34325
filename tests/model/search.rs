//! Goes through every state that a scenario can reach, those with the shortest way first.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use crate::keys::Set;
use crate::scenario::{Property, Scenario};
use crate::state::State;
use crate::{faults, properties, reader, tokens, writer};

/// What a client or a server does.
#[derive(Clone, Copy, Debug)]
struct Step {
    who: usize,
    what: &'static str,
    on: Set,
}

/// The steps that are possible in a state, and where they lead.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    pub(crate) scenario: &'a Scenario,
    found: Vec<(Step, State)>,
}

/// What a search has found.
#[derive(Debug, Default)]
pub(crate) struct Explored {
    pub(crate) states: usize,
    /// All that anybody did.
    pub(crate) done: BTreeSet<&'static str>,
    /// What was broken, and a shortest way there.
    pub(crate) broken: BTreeMap<Property, Vec<String>>,
}

impl Steps<'_> {
    pub(crate) fn step(&mut self, who: usize, what: &'static str, on: Set, mut next: State) {
        tokens::rename(&mut next);
        self.found.push((Step { who, what, on }, next));
    }

    fn all_from(&mut self, state: &State) {
        self.found.clear();
        for me in 0..self.scenario.readers.len() {
            reader::steps(self, state, me);
        }
        for me in 0..self.scenario.writers.len() {
            writer::steps(self, state, me);
            writer::late_steps(self, state, me);
        }
        faults::steps(self, state);
    }
}

pub(crate) fn explore(scenario: &Scenario) -> Explored {
    let mut steps = Steps { scenario, found: Vec::new() };
    let mut explored = Explored::default();
    // The places of the states in the list, which holds the place of the one before it with each.
    let mut known: HashMap<State, usize, BuildHasherDefault<Mixer>> = HashMap::default();
    let mut states: Vec<(State, usize)> = Vec::new();
    for start in scenario.starts() {
        known.insert(start, states.len());
        states.push((start, states.len()));
    }
    let mut place = 0;
    while let Some(&(state, before)) = states.get(place) {
        if let Some(property) = properties::broken(scenario, &state) {
            // Nothing is explored beyond this state.
            let trace = || way(scenario, &states, place, before);
            explored.broken.entry(property).or_insert_with(trace);
        } else {
            steps.all_from(&state);
            for (step, next) in &steps.found {
                explored.done.insert(step.what);
                let Entry::Vacant(vacant) = known.entry(*next) else { continue };
                vacant.insert(states.len());
                states.push((*next, place));
            }
        }
        place += 1;
    }
    explored.states = states.len();
    explored
}

/// The steps to a state.
fn way(scenario: &Scenario, states: &[(State, usize)], to: usize, before: usize) -> Vec<String> {
    let mut steps = Steps { scenario, found: Vec::new() };
    let mut trace = Vec::new();
    let (mut to, mut before) = (to, before);
    while before != to {
        steps.all_from(&states[before].0);
        let taken = steps.found.iter().find(|(_, next)| *next == states[to].0);
        trace.push(taken.map_or_else(String::new, |(step, _)| step.to_string()));
        (to, before) = (before, states[before].1);
    }
    trace.reverse();
    trace
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let who = ["reader 0", "reader 1", "writer 0", "writer 1", "the server"][self.who];
        write!(f, "{who} {}", self.what)?;
        let names = ["tag a", "tag b", "the epoch", "the entry"];
        for (place, name) in names.iter().enumerate() {
            if self.on & (1 << place) != 0 {
                write!(f, " {name}")?;
            }
        }
        Ok(())
    }
}

/// A hash function for few and small numbers, which is fast without optimisations as well.
#[derive(Clone, Copy, Debug, Default)]
struct Mixer(u64);

impl Mixer {
    fn mix(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.mix(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    // The number of an enum's variant.
    fn write_isize(&mut self, number: isize) {
        self.mix(number.unsigned_abs() as u64);
    }

    fn finish(&self) -> u64 {
        // The table takes the upper bits and the lower ones.
        self.0 ^ (self.0 >> 32)
    }
}
