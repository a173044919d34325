//! What is explored, and what must hold.

use crate::alias::state::{ALIAS, Alias, Entity, Index, Reader, State, Stored, Writer, Writing};
use crate::alias::{reader, writer};
use crate::keys::{NONE, Set, Token};
use crate::scenario::Property;
use crate::search::{Model, Steps};

/// Who reads and writes what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aliases {
    /// The entity that the alias leads to after so many commits.
    pub(super) leads_to: [usize; 3],
    /// How many times the row of the first entity has changed after so many commits.
    pub(super) rows: [u8; 3],
    /// What each client reads.
    pub(super) readers: &'static [Reads],
    /// How many reads each reader makes.
    pub(super) reads: u8,
    pub(super) writers: &'static [Write],
    /// Any key is evicted, whatever it holds but a fence.
    pub(super) evictions: bool,
    /// A writer crashes, and fences end with their time.
    pub(super) crashes: bool,
    /// The rule that nobody follows.
    pub(super) broken: Option<Rule>,
}

/// What a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// The alias, whose entity it may expect to be one of these.
    Alias(&'static [Option<usize>]),
    /// An entity, by its own key.
    Entity(usize),
}

/// A write. The second one changes what the first has written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    /// The entities that it invalidates.
    pub(super) entities: Set,
    /// Whether it puts up fences before its commit.
    pub(super) fences: bool,
}

/// The rules that a counterexample breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The lease of an entity is taken before the body, and not when that has found the entity.
    LeaseBeforeBody,
    /// So is the token of its value, and it is not taken of a value that looks the same.
    TokenBeforeBody,
    /// A hit takes the value with the token of the index, and not any value of the entity.
    SameToken,
    /// A hint is no index.
    HintIsNone,
    /// What was captured is used only if the body finds the entity that it was captured of.
    RightEntity,
}

/// The token of the value that is there from the beginning.
const FIRST: Token = 20;

impl Aliases {
    pub(super) fn breaks(&self, rule: Rule) -> bool {
        self.broken == Some(rule)
    }

    /// What a hit breaks that began when these writers had written.
    pub(super) fn broken_by(
        &self,
        state: &State,
        (entity, value): (usize, Stored),
        index: Option<Index>,
        by: u8,
    ) -> bool {
        let mut writes = self.writers.iter().zip(&state.writers).enumerate();
        writes.any(|(place, (write, writer))| {
            let writes = by & (1 << place) != 0 && write.entities & (1 << entity) != 0;
            let moved = index.is_some_and(|index| {
                let leads_to = self.leads_to[usize::from(writer.version)];
                writer.version > index.version && leads_to != entity
            });
            writes && (writer.version > value.version || moved)
        })
    }

    /// Whether the alias did not lead to the entity when the index was made.
    fn is_of_another(&self, index: Index) -> bool {
        self.leads_to[usize::from(index.version)] != index.entity
    }

    /// The value that the alias would be answered with now.
    fn hit(&self, state: &State) -> Option<((usize, Stored), Index)> {
        let Alias::Index(index) = state.alias else { return None };
        let Entity::Value(value) = state.entities[index.entity] else { return None };
        self.matches(index, value).then_some(((index.entity, value), index))
    }

    pub(super) fn matches(&self, index: Index, value: Stored) -> bool {
        match index.token {
            NONE => self.breaks(Rule::HintIsNone),
            token => token == value.token || self.breaks(Rule::SameToken),
        }
    }
}

/// The writers of which this is true.
pub(super) fn those(writers: &[Writer], is_one: impl Fn(Writer) -> bool) -> u8 {
    let bit = |(place, writer)| u8::from(is_one(writer)) << place;
    writers.iter().copied().enumerate().map(bit).fold(0, |all, one| all | one)
}

pub(super) fn is_acknowledged(writer: Writer) -> bool {
    writer.stage == Writing::Acknowledged
}

impl Model for Aliases {
    type State = State;

    const KEYS: [&'static str; 4] = ["the one entity", "the other entity", "", "the alias"];

    /// With nothing in the cache, with the entity alone, with a hint, and with both records.
    fn starts(&self) -> Vec<State> {
        let mut empty = State::default();
        for reader in 0..self.readers.len() {
            empty.readers[reader] = Reader { left: self.reads, ..Reader::default() };
        }
        for (place, write) in self.writers.iter().enumerate() {
            let (stage, open) =
                if write.fences { (Writing::Begin, write.entities) } else { (Writing::Commit, 0) };
            empty.writers[place] = Writer { stage, open, ..Writer::default() };
        }
        let entity = self.leads_to[0];
        let index = |token| Alias::Index(Index { entity, token, version: 0 });
        let mut cached = empty;
        cached.entities[entity] = Entity::Value(Stored { token: FIRST, version: 0 });
        let hint = State { alias: index(NONE), ..empty };
        vec![empty, cached, hint, State { alias: index(FIRST), ..cached }]
    }

    fn steps(to: &mut Steps<'_, Self>, state: &State) {
        for me in 0..to.scenario.readers.len() {
            reader::steps(to, state, me);
        }
        for me in 0..to.scenario.writers.len() {
            writer::steps(to, state, me);
        }
        if !to.scenario.evictions {
            return;
        }
        for entity in 0..2 {
            if matches!(state.entities[entity], Entity::Lease(_) | Entity::Value(_)) {
                let mut next = *state;
                next.entities[entity] = Entity::Empty;
                to.step(4, "evicts", 1 << entity, next);
            }
        }
        if state.alias != Alias::Empty {
            to.step(4, "evicts", ALIAS, State { alias: Alias::Empty, ..*state });
        }
    }

    fn broken(&self, state: &State) -> Option<Property> {
        if state.broken.is_some() {
            return state.broken;
        }
        let (found, index) = self.hit(state)?;
        if self.is_of_another(index) {
            return Some(Property::Acknowledged);
        }
        let outdated = |by| self.broken_by(state, found, Some(index), by);
        let committed = |writer: Writer| writer.was_fenced;
        if outdated(those(&state.writers, is_acknowledged)) {
            Some(Property::Acknowledged)
        } else if outdated(those(&state.writers, |it| {
            committed(it) && it.stage == Writing::Crashed
        })) {
            Some(Property::Crashed)
        } else {
            outdated(those(&state.writers, committed)).then_some(Property::Committed)
        }
    }
}
