//! Scenarios with all rules in place.

use crate::keys::{A, AB, B, Set};
use crate::scenario::{Faults, NO_FAULTS, ROW, Scenario, Write};
use crate::search::explore;

const FENCED: Write = Write { tags: A, fences: true, is_second: false };
const PLAIN: Write = Write { fences: false, ..FENCED };
const FENCED_B: Write = Write { tags: B, ..FENCED };
const PLAIN_B: Write = Write { tags: B, ..PLAIN };

/// With and without a guess, right or wrong.
const ANY: &[Set] = &[0, A, B, AB];

/// A list of two rows, each of which is a tag.
const LIST: Scenario = Scenario { tags: [AB, AB, AB], readers: &[ANY], reads: 2, ..ROW };

/// A row whose tag changes with each write: to another author, and back.
const MOVED: Scenario = Scenario { tags: [A, B, A], ..LIST };
const MOVES: &[Write] = &[FENCED, Write { is_second: true, ..FENCED_B }];
const PLAIN_THEN_FENCED: &[Write] = &[PLAIN, Write { is_second: true, ..FENCED_B }];

/// A list that gets its second row by the first write.
const GROWN: Scenario = Scenario { tags: [A, AB, AB], ..LIST };

const EVICTIONS: Faults = Faults { entry: true, stamps: true, epoch: true, ..NO_FAULTS };
const CRASHES: Faults = Faults { crash: true, expiry: true, ..NO_FAULTS };

/// What happens where values are stored and used at all.
const STORED: &[&str] =
    &["has a hit", "stores its value", "finds the epoch unchanged", "finds the epoch changed"];

/// Explores a scenario: nothing may be broken, and what it is there for must happen in it.
#[track_caller]
fn assert_holds(name: &str, scenario: Scenario, happens: &[&str]) {
    let explored = explore(&scenario);
    println!("{name}: {} states", explored.states);
    if let Some((property, trace)) = explored.broken.first_key_value() {
        panic!("{name}: {property:?} is broken in {} steps: {trace:#?}", trace.len());
    }
    for what in STORED.iter().chain(happens) {
        assert!(explored.done.contains(what), "{name}: nobody {what}: {:?}", explored.done);
    }
}

#[test]
fn two_readers_and_two_writers_of_one_row() {
    let scenario = Scenario { readers: &[&[0, A], &[0, A]], writers: &[FENCED, PLAIN], ..ROW };
    assert_holds(
        "row",
        scenario,
        &["loads, has the stamps already", "finds a fence or a tombstone in"],
    );
}

#[test]
fn every_fault_of_one_row() {
    let faults = Faults { cancel: true, crash: true, expiry: true, ..EVICTIONS };
    let scenario = Scenario { readers: &[&[0, A], &[0, A]], writers: &[FENCED], faults, ..ROW };
    let happens = ["is cancelled", "crashes", "evicts", "is over the time of its fence in"];
    assert_holds("row, faults", scenario, &happens);
    assert_holds("row, faults of plain", Scenario { writers: &[PLAIN], ..scenario }, &["evicts"]);
}

#[test]
fn fences_that_are_evicted_or_end_early() {
    let faults = Faults { fences: true, entry: true, ..NO_FAULTS };
    let row = Scenario { readers: &[&[0, A]], reads: 2, writers: &[FENCED, PLAIN], faults, ..ROW };
    assert_holds("row, lost fences", row, &["evicts the fence in"]);
    let moved = Scenario { writers: PLAIN_THEN_FENCED, faults, ..MOVED };
    assert_holds("moved, lost fences", moved, &["evicts the fence in"]);
}

#[test]
fn answers_that_are_lost_and_commands_that_come_late() {
    let faults = Faults { lost_begin: true, lost_end: true, expiry: true, ..NO_FAULTS };
    let happens =
        ["invalidates again", "has its late BEGIN executed in", "has its late END executed in"];
    assert_holds("list, late", Scenario { writers: &[FENCED], faults, ..LIST }, &happens);
    let ends = Faults { lost_begin: false, ..faults };
    let moved = Scenario { writers: PLAIN_THEN_FENCED, faults: ends, readers: &[&[0, A]], ..MOVED };
    assert_holds("moved, late", moved, &["invalidates again", "has its late END executed in"]);
    let writers: &[Write] = &[PLAIN, PLAIN_B];
    assert_holds("list, late of plain", Scenario { writers, faults: ends, ..LIST }, &[]);
}

#[test]
fn two_writers_of_two_members_of_a_list() {
    let list = Scenario { writers: &[FENCED, FENCED_B], ..LIST };
    assert_holds("list", list, &["finds a fence or a tombstone in"]);
    assert_holds("list, evictions", Scenario { faults: EVICTIONS, ..list }, &["evicts"]);
    let mixed = Scenario { writers: &[PLAIN, FENCED_B], ..list };
    let faults = Faults { stamps: true, epoch: true, ..CRASHES };
    assert_holds("list, crashes", Scenario { faults, ..mixed }, &["crashes"]);
    let once = Scenario { reads: 1, ..mixed };
    assert_holds("list, readers", Scenario { readers: &[&[0], &[0]], ..once }, &[]);
    let plain = Scenario { writers: &[PLAIN, PLAIN_B], readers: &[&[0], &[AB]], ..once };
    assert_holds("list, plain", plain, &["loads, has the stamps already"]);
}

#[test]
fn one_writer_of_both_members_of_a_list() {
    let writers = &[Write { tags: AB, ..FENCED }];
    let scenario = Scenario { readers: &[&[0, AB], &[0]], reads: 1, writers, ..LIST };
    assert_holds("list, both", scenario, &["finds a fence or a tombstone in"]);
}

#[test]
fn a_row_whose_tag_changes() {
    let moved = Scenario { writers: MOVES, ..MOVED };
    assert_holds("moved", moved, &["loads, has not the stamps of"]);
    assert_holds("moved, evictions", Scenario { faults: EVICTIONS, ..moved }, &["evicts"]);
    assert_holds("moved, crashes", Scenario { faults: CRASHES, ..moved }, &["crashes"]);
    let faults = Faults { stamps: true, epoch: true, ..CRASHES };
    let mixed = Scenario { writers: PLAIN_THEN_FENCED, faults, ..moved };
    assert_holds("moved, mixed", mixed, &["crashes"]);
    let readers = Scenario { readers: &[&[0, B], &[A]], reads: 1, ..moved };
    assert_holds("moved, readers", readers, &["finds a fence or a tombstone in"]);
}

#[test]
fn a_list_that_grows() {
    let grown = Scenario { writers: MOVES, ..GROWN };
    assert_holds("grown", grown, &["loads, has the stamps already"]);
    assert_holds("grown, evictions", Scenario { faults: EVICTIONS, ..grown }, &["evicts"]);
    let mixed = Scenario { writers: PLAIN_THEN_FENCED, faults: CRASHES, ..grown };
    assert_holds("grown, crashes", mixed, &["crashes"]);
}

#[test]
fn stamps_of_a_guess_that_are_kept_though_it_was_wrong() {
    let grown = Scenario { writers: MOVES, keeps_captured: true, faults: EVICTIONS, ..GROWN };
    assert_holds("kept", grown, &[]);
    let readers = Scenario { readers: &[&[0, A], &[A]], reads: 1, faults: NO_FAULTS, ..grown };
    assert_holds("kept, readers", readers, &[]);
}

#[test]
fn loads_without_leases() {
    let scenario = Scenario { without_leases: true, readers: &[&[0, A], &[0]], ..ROW };
    let writers: &[Write] = &[FENCED, PLAIN];
    assert_holds("no lease", Scenario { writers, ..scenario }, &[]);
    let faults = Faults { stamps: true, epoch: true, ..CRASHES };
    let crashes = Scenario { writers: &[FENCED], faults, ..scenario };
    assert_holds("no lease, faults", crashes, &["crashes"]);
    let moved = Scenario { tags: [A, B, A], writers: PLAIN_THEN_FENCED, ..scenario };
    assert_holds("no lease, moved", moved, &[]);
}

#[test]
fn bodies_that_read_a_lagging_replica_while_invalidations_hold_off() {
    let faults = Faults { lag: true, ..NO_FAULTS };
    let row = Scenario { readers: &[&[0, A], &[0, A]], faults, ..ROW };
    let happens = ["passes a commit on to the replica", "no longer holds off in"];
    assert_holds("lag", Scenario { writers: &[FENCED], ..row }, &happens);
    assert_holds("lag of plain", Scenario { writers: &[PLAIN], ..row }, &happens);
    assert_holds("lag, moved", Scenario { writers: MOVES, faults, ..MOVED }, &happens);
    let list = Scenario { writers: &[PLAIN, FENCED_B], faults, ..LIST };
    assert_holds("lag, list", list, &happens);
}
