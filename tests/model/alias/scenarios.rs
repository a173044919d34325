//! Scenarios with all rules in place, in which nothing is broken, and with one rule broken, each of
//! which has a shortest way to something stale, or to somebody else's value.

use crate::alias::scenario::{Aliases, Reads, Rule, Write};
use crate::keys::{A, AB};
use crate::scenario::Property;
use crate::search::explore;

const FENCED: Write = Write { entities: A, fences: true };
const PLAIN: Write = Write { fences: false, ..FENCED };
const FENCED_BOTH: Write = Write { entities: AB, ..FENCED };
const PLAIN_BOTH: Write = Write { entities: AB, ..PLAIN };

/// With and without a guess, right or wrong.
const ANY: Reads = Reads::Alias(&[None, Some(0), Some(1)]);
const RIGHT: Reads = Reads::Alias(&[None, Some(0)]);

/// A row that changes, and one alias of it.
const ROW: Aliases = Aliases {
    leads_to: [0; 3],
    rows: [0, 1, 2],
    readers: &[RIGHT],
    reads: 2,
    writers: &[],
    evictions: false,
    crashes: false,
    broken: None,
};

/// An alias that leads to another entity after each write, and back.
const MOVED: Aliases = Aliases { leads_to: [0, 1, 0], readers: &[ANY], ..ROW };

/// The same where that stands in another table: the rows stay as they are.
const ELSEWHERE: Aliases = Aliases { rows: [0; 3], ..MOVED };

const STORED: &[&str] = &[
    "has a hit",
    "stores its value in",
    "stores an index in",
    "stores a hint in",
    "captures the token in",
    "takes the lease of",
];

/// Explores a scenario: nothing may be broken, and what it is there for must happen in it.
#[track_caller]
fn assert_holds(name: &str, scenario: Aliases, happens: &[&str]) {
    let explored = explore(&scenario);
    println!("alias, {name}: {} states", explored.states);
    if let Some((property, trace)) = explored.broken.first_key_value() {
        panic!("{name}: {property:?} is broken in {} steps: {trace:#?}", trace.len());
    }
    for what in STORED.iter().chain(happens) {
        assert!(explored.done.contains(what), "{name}: nobody {what}: {:?}", explored.done);
    }
}

/// Nothing is broken with all rules in place, and the property is without this one, in that many
/// steps and not in fewer.
#[track_caller]
fn assert_breaks(rule: Rule, scenario: Aliases, property: Property, steps: usize) {
    let sound = explore(&scenario);
    assert!(sound.broken.is_empty(), "with {rule:?}: {:#?}", sound.broken);
    let explored = explore(&Aliases { broken: Some(rule), ..scenario });
    println!("alias, without {rule:?}: {} states", explored.states);
    let Some(trace) = explored.broken.get(&property) else {
        panic!("{property:?} holds without {rule:?}, in {} states", explored.states);
    };
    let length = trace.len();
    assert_eq!(length, steps, "without {rule:?}, the shortest way has {length} steps: {trace:#?}");
}

#[test]
fn a_row_that_changes() {
    for writers in [&[FENCED, PLAIN], &[PLAIN, FENCED], &[FENCED; 2]] {
        assert_holds("row", Aliases { writers, ..ROW }, &["captures nothing in"]);
    }
    assert_holds("row, plain", Aliases { writers: &[PLAIN; 2], ..ROW }, &[]);
    let faults = Aliases { evictions: true, crashes: true, writers: &[FENCED, PLAIN], ..ROW };
    assert_holds("row, faults", faults, &["evicts", "crashes"]);
}

#[test]
fn two_readers_of_an_alias() {
    let twice = Aliases { readers: &[RIGHT, RIGHT], reads: 1, writers: &[FENCED, PLAIN], ..ROW };
    let waits = ["loads and stores nothing, because somebody loads"];
    assert_holds("readers", twice, &waits);
    assert_holds("readers, evictions", Aliases { evictions: true, ..twice }, &["evicts"]);
}

#[test]
fn readers_by_both_keys() {
    let both = Aliases { readers: &[RIGHT, Reads::Entity(0)], writers: &[FENCED, PLAIN], ..ROW };
    let blocked = ["loads and stores nothing, because it is blocked by"];
    assert_holds("both keys", Aliases { reads: 1, ..both }, &blocked);
    assert_holds("both keys, one write", Aliases { writers: &[PLAIN], ..both }, &blocked);
    let faults = Aliases { evictions: true, crashes: true, reads: 1, ..both };
    assert_holds("both keys, faults", faults, &["evicts", "crashes"]);
}

#[test]
fn an_alias_that_moves() {
    for scenario in [MOVED, ELSEWHERE] {
        for writers in [&[FENCED_BOTH, PLAIN_BOTH], &[PLAIN_BOTH, FENCED_BOTH]] {
            let moved = Aliases { writers, ..scenario };
            assert_holds("moved", moved, &["loads, has captured nothing"]);
            let faults = Aliases { evictions: true, crashes: true, ..moved };
            assert_holds("moved, faults", faults, &["evicts", "crashes"]);
        }
        let writers = &[PLAIN_BOTH];
        let both = Aliases { readers: &[ANY, Reads::Entity(0)], writers, ..scenario };
        assert_holds("moved, both keys", both, &[]);
        let other = Aliases { readers: &[ANY, Reads::Entity(1)], writers, ..scenario };
        assert_holds("moved, the other key", other, &[]);
    }
}

/// The first load stores its value once it knows where.
#[test]
fn the_lease_is_taken_after_the_body() {
    let rule = Rule::LeaseBeforeBody;
    assert_breaks(rule, Aliases { writers: &[PLAIN], ..ROW }, Property::Acknowledged, 8);
    assert_breaks(rule, Aliases { writers: &[FENCED], ..ROW }, Property::Acknowledged, 9);
}

/// The row that another read has stored looks the same, and the alias leads elsewhere by now.
#[test]
fn a_value_that_looks_the_same_is_taken_for_the_one_that_was_there() {
    let readers = &[ANY, Reads::Entity(0)];
    let scenario = Aliases { readers, writers: &[PLAIN_BOTH], ..ELSEWHERE };
    assert_breaks(Rule::TokenBeforeBody, scenario, Property::Acknowledged, 12);
}

/// Another load has stored the entity anew.
#[test]
fn any_value_of_the_entity_will_do() {
    let readers = &[ANY, Reads::Entity(0)];
    let scenario = Aliases { readers, writers: &[PLAIN_BOTH], ..MOVED };
    assert_breaks(Rule::SameToken, scenario, Property::Acknowledged, 7);
}

#[test]
fn a_hint_is_taken_for_an_index() {
    let readers = &[ANY, Reads::Entity(0)];
    let scenario = Aliases { readers, writers: &[PLAIN_BOTH], ..MOVED };
    assert_breaks(Rule::HintIsNone, scenario, Property::Acknowledged, 7);
}

/// The value is stored in the entry of whom it does not belong to.
#[test]
fn what_was_captured_of_another_entity_is_used() {
    let scenario = Aliases { writers: &[PLAIN_BOTH], ..MOVED };
    assert_breaks(Rule::RightEntity, scenario, Property::Acknowledged, 7);
}
