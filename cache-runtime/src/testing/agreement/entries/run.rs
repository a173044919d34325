//! One run: the model goes along, and finds the first step that went another way.

use std::collections::BTreeSet;
use std::fmt::Debug;

use crate::testing::agreement::entries::generate::{KEYS, Step, What};
use crate::testing::agreement::entries::model::Reply;
use crate::testing::agreement::entries::state::{Millis, State};

/// What a step brought about in a store.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Of an operation that has one.
    pub(super) reply: Option<Reply>,
    pub(super) state: State,
}

/// A step after which model and code differ, told in full.
#[derive(Debug)]
pub(super) struct Difference(pub(super) String);

/// The model's side of a run.
pub(super) struct Run {
    seed: u64,
    count: usize,
    now: Millis,
    states: [State; KEYS.len()],
    /// Which operations met which kinds of states.
    met: BTreeSet<(String, String)>,
    /// Which operations had which replies.
    replied: BTreeSet<(String, String)>,
}

impl Run {
    pub(super) fn new(seed: u64) -> Self {
        let states = [const { State::Absent }; KEYS.len()];
        let (met, replied) = (BTreeSet::new(), BTreeSet::new());
        Self { seed, count: 0, now: 0, states, met, replied }
    }

    /// How many pairs of operation and kind of state there were, and of operation and reply.
    pub(super) fn coverage(&self) -> (usize, usize) {
        (self.met.len(), self.replied.len())
    }

    /// Takes a step in the model, and compares it with what was found.
    pub(super) fn follow(&mut self, step: &Step, found: &Outcome) -> Result<(), Difference> {
        self.count += 1;
        if let What::Pass(time) = step.what {
            self.now += time;
        }
        let state = &mut self.states[step.key];
        if state.until() <= self.now {
            *state = State::Absent;
        }
        let before = state.clone();
        let reply = apply(&step.what, state, self.now);
        if let (What::Op(op), Some(reply)) = (&step.what, &reply) {
            let of_what = if let Reply::Number(n) = reply { n.to_string() } else { kind(reply) };
            self.met.insert((kind(op), kind(&before)));
            self.replied.insert((kind(op), of_what));
        }
        if found.state == *state && (found.reply == reply || found.reply.is_none()) {
            return Ok(());
        }
        let place = format!("CACHE_TEST_SEED={}, step {} at {}", self.seed, self.count, self.now);
        Err(Difference(format!(
            "{place}: {step:?}\n  before:   {before:?}\n  expected: {reply:?} and {state:?}\n  \
             found:    {:?} and {:?}",
            found.reply, found.state,
        )))
    }
}

fn apply(what: &What, state: &mut State, now: Millis) -> Option<Reply> {
    match what {
        What::Op(op) => return Some(op.apply(state, now)),
        What::Delete | What::Expire => *state = State::Absent,
        What::WriterExpires(writer) => state.writer_expires(*writer),
        What::Put(put, _) => state.clone_from(put),
        What::Push => *state = State::OtherType,
        What::Pass(_) => {}
    }
    None
}

/// The name of a variant.
fn kind(variant: &impl Debug) -> String {
    format!("{variant:?}").chars().take_while(char::is_ascii_alphabetic).collect()
}
