//! Goes through every state that a scenario can reach, those with the shortest way first.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::keys::Set;
use crate::scenario::{Property, Scenario};
use crate::state::State;
use crate::{faults, properties, reader, tokens, writer};

/// What is explored.
pub(crate) trait Model: Sized {
    type State: Copy + Eq + Hash;

    /// What the bits of a step's set stand for.
    const KEYS: [&'static str; 4];

    fn starts(&self) -> Vec<Self::State>;

    /// All that anybody may do next.
    fn steps(to: &mut Steps<'_, Self>, state: &Self::State);

    /// What is broken in this state.
    fn broken(&self, state: &Self::State) -> Option<Property>;

    /// Makes states the same that differ only in the names of their tokens.
    fn rename(_: &mut Self::State) {}
}

impl Model for Scenario {
    type State = State;

    const KEYS: [&'static str; 4] = ["tag a", "tag b", "the epoch", "the entry"];

    fn starts(&self) -> Vec<State> {
        self.starts().to_vec()
    }

    fn steps(to: &mut Steps<'_>, state: &State) {
        for me in 0..to.scenario.readers.len() {
            reader::steps(to, state, me);
        }
        for me in 0..to.scenario.writers.len() {
            writer::steps(to, state, me);
            writer::late_steps(to, state, me);
        }
        faults::steps(to, state);
    }

    fn broken(&self, state: &State) -> Option<Property> {
        properties::broken(self, state)
    }

    fn rename(state: &mut State) {
        tokens::rename(state);
    }
}

/// What a client or a server does.
#[derive(Clone, Copy, Debug)]
struct Step {
    who: usize,
    what: &'static str,
    on: Set,
}

/// The steps that are possible in a state, and where they lead.
#[derive(Debug)]
pub(crate) struct Steps<'a, M: Model = Scenario> {
    pub(crate) scenario: &'a M,
    found: Vec<(Step, M::State)>,
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

impl<M: Model> Steps<'_, M> {
    pub(crate) fn step(&mut self, who: usize, what: &'static str, on: Set, mut next: M::State) {
        M::rename(&mut next);
        self.found.push((Step { who, what, on }, next));
    }

    fn all_from(&mut self, state: &M::State) {
        self.found.clear();
        M::steps(self, state);
    }
}

pub(crate) fn explore<M: Model>(scenario: &M) -> Explored {
    let mut steps = Steps { scenario, found: Vec::new() };
    let mut explored = Explored::default();
    // The places of the states in the list, which holds the place of the one before it with each.
    let mut known: HashMap<M::State, usize, BuildHasherDefault<Mixer>> = HashMap::default();
    let mut states: Vec<(M::State, usize)> = Vec::new();
    for start in scenario.starts() {
        known.insert(start, states.len());
        states.push((start, states.len()));
    }
    let mut place = 0;
    while let Some(&(state, before)) = states.get(place) {
        if let Some(property) = scenario.broken(&state) {
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
fn way<M: Model>(
    scenario: &M,
    states: &[(M::State, usize)],
    to: usize,
    before: usize,
) -> Vec<String> {
    let mut steps = Steps { scenario, found: Vec::new() };
    let mut trace = Vec::new();
    let (mut to, mut before) = (to, before);
    while before != to {
        steps.all_from(&states[before].0);
        let taken = steps.found.iter().find(|(_, next)| *next == states[to].0);
        trace.push(taken.map_or_else(String::new, |(step, _)| step.told::<M>()));
        (to, before) = (before, states[before].1);
    }
    trace.reverse();
    trace
}

impl Step {
    fn told<M: Model>(&self) -> String {
        let who = ["reader 0", "reader 1", "writer 0", "writer 1", "the server"][self.who];
        let keys = M::KEYS.iter().enumerate().filter(|(place, _)| self.on & (1 << place) != 0);
        keys.fold(format!("{who} {}", self.what), |told, (_, key)| format!("{told} {key}"))
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
