//! A read by an alias, or by an entity's own key: lookup, load, and what it takes to store.

use crate::alias::scenario::{Aliases, Reads, Rule, is_acknowledged, those};
use crate::alias::state::{ALIAS, Alias, Entity, Index, Reader, Reading, State, Stored};
use crate::keys::{NONE, Set, Token};
use crate::scenario::Property;
use crate::search::Steps;

/// All that the reader may do next.
pub(super) fn steps(to: &mut Steps<'_, Aliases>, state: &State, me: usize) {
    let reader = state.readers[me];
    match reader.stage {
        Reading::Idle if reader.left == 0 => {}
        Reading::Idle => begin(to, state, me),
        Reading::Lookup => each(to, state, me, look),
        Reading::Prepare => each(to, state, me, prepare),
        Reading::Body => body(to, *state, me),
        Reading::Late => each(to, state, me, look_late),
        Reading::Fill => each(to, state, me, fill),
    }
}

type Command = fn(&mut Steps<'_, Aliases>, State, usize, Set);

/// The keys that are left, in any order.
fn each(to: &mut Steps<'_, Aliases>, state: &State, me: usize, command: Command) {
    for key in [1, 1 << 1, ALIAS] {
        if state.readers[me].open & key != 0 {
            let mut next = *state;
            next.readers[me].open &= !key;
            command(to, next, me, key);
        }
    }
}

/// A read begins with its first command: the later, the more is promised to it.
fn begin(to: &mut Steps<'_, Aliases>, state: &State, me: usize) {
    let (guesses, own) = match to.scenario.readers[me] {
        Reads::Alias(guesses) => (guesses, ALIAS),
        Reads::Entity(0) => (&[Some(0)][..], 0),
        Reads::Entity(_) => (&[Some(1)][..], 0),
    };
    for guess in guesses {
        let mut state = *state;
        state.readers[me] = Reader {
            stage: Reading::Lookup,
            left: state.readers[me].left,
            open: own | bit(*guess),
            acknowledged: those(&state.writers, is_acknowledged),
            committed: those(&state.writers, |writer| writer.was_fenced),
            guess: *guess,
            ..Reader::default()
        };
        each(to, &state, me, look);
    }
}

fn bit(entity: Option<usize>) -> Set {
    entity.map_or(0, |entity| 1 << entity)
}

fn is_alias(to: &Steps<'_, Aliases>, me: usize) -> bool {
    matches!(to.scenario.readers[me], Reads::Alias(_))
}

fn end(next: &mut State, me: usize) {
    next.readers[me] = Reader { left: next.readers[me].left - 1, ..Reader::default() };
}

/// A token that no other attempt has.
fn token(me: usize, reader: &Reader) -> Token {
    1 + 8 * u8::from(me == 1) + reader.left
}

fn place(key: Set) -> usize {
    usize::from(key == 1 << 1)
}

fn look(to: &mut Steps<'_, Aliases>, mut next: State, me: usize, key: Set) {
    let reader = &mut next.readers[me];
    if key != ALIAS {
        reader.value = match next.entities[place(key)] {
            Entity::Value(value) => Some(value),
            _ => None,
        };
    } else if let Alias::Index(index) = next.alias {
        if reader.guess != Some(index.entity) {
            (reader.guess, reader.value) = (Some(index.entity), None);
            reader.open = bit(reader.guess);
        }
        reader.index = Some(index);
    }
    let reader = *reader;
    if reader.open != 0 {
        return to.step(me, "reads", key, next);
    }
    let is_good = |value: &Stored| match reader.index {
        Some(index) => to.scenario.matches(index, *value),
        None => !is_alias(to, me),
    };
    let Some((value, entity)) = reader.value.filter(is_good).zip(reader.guess) else {
        let open = bit(reader.guess) | if is_alias(to, me) { ALIAS } else { 0 };
        (next.readers[me].stage, next.readers[me].open) = (Reading::Prepare, open);
        return to.step(me, "finds nothing after reading", key, next);
    };
    let broken = |by| to.scenario.broken_by(&next, (entity, value), reader.index, by);
    next.broken = if broken(reader.acknowledged) {
        Some(Property::Acknowledged)
    } else {
        broken(reader.committed).then_some(Property::Committed)
    };
    end(&mut next, me);
    to.step(me, "has a hit", 0, next);
}

fn prepare(to: &mut Steps<'_, Aliases>, mut next: State, me: usize, key: Set) {
    let own = token(me, &next.readers[me]);
    if key == ALIAS {
        if matches!(next.alias, Alias::Lease(_)) {
            give_back(&mut next, me);
            end(&mut next, me);
            return to.step(me, "loads and stores nothing, because somebody loads", key, next);
        }
        next.alias = Alias::Lease(own);
        return prepared(to, next, me, "takes the lease of", key);
    }
    let entity = place(key);
    match next.entities[entity] {
        Entity::Empty => lease(to, next, me, key, "takes the lease of"),
        Entity::Value(value) => {
            if is_alias(to, me) {
                next.readers[me].captured = value.token;
                prepared(to, next, me, "captures the token in", key);
            }
            // It may be of no use, as one that does not decode.
            lease(to, next, me, key, "replaces by its lease the value in");
        }
        Entity::Lease(_) | Entity::Fence(_) if is_alias(to, me) => {
            prepared(to, next, me, "captures nothing in", key);
        }
        Entity::Lease(_) | Entity::Fence(_) => {
            end(&mut next, me);
            to.step(me, "loads and stores nothing, because it is blocked by", key, next);
        }
    }
}

fn lease(to: &mut Steps<'_, Aliases>, mut next: State, me: usize, key: Set, what: &'static str) {
    let own = token(me, &next.readers[me]);
    next.entities[place(key)] = Entity::Lease(own);
    (next.readers[me].captured, next.readers[me].has_lease) = (own, true);
    prepared(to, next, me, what, key);
}

fn prepared(to: &mut Steps<'_, Aliases>, mut next: State, me: usize, what: &'static str, key: Set) {
    let reader = &mut next.readers[me];
    if reader.open == 0 {
        reader.stage = Reading::Body;
        (reader.index, reader.value) = (None, None);
        // What was before this read cannot outdate what it loads now.
        (reader.acknowledged, reader.committed) = (0, 0);
    }
    to.step(me, what, key, next);
}

/// Gives back the lease of the entity.
fn give_back(next: &mut State, me: usize) {
    let reader = next.readers[me];
    let entity = reader.guess.filter(|_| reader.has_lease);
    if let Some(entity) = entity
        && next.entities[entity] == Entity::Lease(reader.captured)
    {
        next.entities[entity] = Entity::Empty;
    }
    (next.readers[me].captured, next.readers[me].has_lease) = (NONE, false);
}

/// Reads the database; then the entity is known.
fn body(to: &mut Steps<'_, Aliases>, mut next: State, me: usize) {
    let scenario = to.scenario;
    next.readers[me].loaded = next.version;
    if !is_alias(to, me) {
        next.readers[me].stage = Reading::Fill;
        next.readers[me].open = bit(next.readers[me].guess);
        return to.step(me, "loads", 0, next);
    }
    let found = Some(scenario.leads_to[usize::from(next.version)]);
    if next.readers[me].guess != found && !scenario.breaks(Rule::RightEntity) {
        give_back(&mut next, me);
        next.readers[me].guess = found;
    }
    let is_late = scenario.breaks(Rule::LeaseBeforeBody) || scenario.breaks(Rule::TokenBeforeBody);
    let reader = &mut next.readers[me];
    if is_late && reader.captured == NONE {
        (reader.stage, reader.open) = (Reading::Late, bit(reader.guess));
    } else {
        let entity = if reader.has_lease { bit(reader.guess) } else { 0 };
        (reader.stage, reader.open) = (Reading::Fill, ALIAS | entity);
    }
    let what = if reader.captured == NONE { "loads, has captured nothing" } else { "loads" };
    to.step(me, what, bit(reader.guess), next);
}

/// What no load may do.
fn look_late(to: &mut Steps<'_, Aliases>, mut next: State, me: usize, key: Set) {
    let reader = next.readers[me];
    let rows = |version: u8| to.scenario.rows[usize::from(version)];
    match next.entities[place(key)] {
        Entity::Empty if to.scenario.breaks(Rule::LeaseBeforeBody) => {
            let own = token(me, &reader);
            next.entities[place(key)] = Entity::Lease(own);
            (next.readers[me].captured, next.readers[me].has_lease) = (own, true);
        }
        Entity::Value(value)
            if to.scenario.breaks(Rule::TokenBeforeBody)
                && rows(value.version) == rows(reader.loaded) =>
        {
            next.readers[me].captured = value.token;
        }
        _ => {}
    }
    let reader = &mut next.readers[me];
    let entity = if reader.has_lease { key } else { 0 };
    (reader.stage, reader.open) = (Reading::Fill, ALIAS | entity);
    to.step(me, "looks after the body into", key, next);
}

fn fill(to: &mut Steps<'_, Aliases>, mut next: State, me: usize, key: Set) {
    let reader = next.readers[me];
    let (own, version) = (token(me, &reader), reader.loaded);
    let is_stored = if key == ALIAS {
        next.alias == Alias::Lease(own)
    } else {
        next.entities[place(key)] == Entity::Lease(reader.captured)
    };
    let what = match (is_stored, key == ALIAS, reader.captured == NONE) {
        (false, ..) => "has lost its lease of",
        (_, false, _) => "stores its value in",
        (_, _, true) => "stores a hint in",
        (_, _, false) => "stores an index in",
    };
    if is_stored && key == ALIAS {
        let (entity, token) = (reader.guess.unwrap_or_default(), reader.captured);
        next.alias = Alias::Index(Index { entity, token, version });
    } else if is_stored {
        next.entities[place(key)] = Entity::Value(Stored { token: reader.captured, version });
    }
    if reader.open == 0 {
        end(&mut next, me);
    }
    to.step(me, what, key, next);
}
