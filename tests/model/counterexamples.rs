//! Scenarios with one rule broken: each has a shortest way to something stale.

use crate::keys::{A, B, Set};
use crate::scenario::{Faults, NO_FAULTS, Property, ROW, Rule, Scenario, Write};
use crate::search::explore;

const FENCED: Write = Write { tags: A, fences: true, is_second: false };
const PLAIN: Write = Write { fences: false, ..FENCED };

const ROW_WITHOUT_FENCES: Scenario = Scenario { writers: &[PLAIN], ..ROW };

/// Nothing is broken with all rules in place, and the property is without this one, in that many
/// steps and not in fewer.
#[track_caller]
fn assert_breaks(rule: Rule, scenario: Scenario, property: Property, steps: usize) {
    let sound = explore(&scenario);
    assert!(sound.broken.is_empty(), "with {rule:?}: {:#?}", sound.broken);
    let explored = explore(&Scenario { broken: Some(rule), ..scenario });
    println!("without {rule:?}: {} states", explored.states);
    let Some(trace) = explored.broken.get(&property) else {
        panic!("{property:?} holds without {rule:?}, in {} states", explored.states);
    };
    let length = trace.len();
    assert_eq!(length, steps, "without {rule:?}, the shortest way has {length} steps: {trace:#?}");
}

/// Stamps are captured after the body, and that is all.
#[test]
fn no_epoch() {
    assert_breaks(Rule::Epoch, ROW_WITHOUT_FENCES, Property::Acknowledged, 7);
    let fenced = Scenario { writers: &[FENCED], ..ROW };
    assert_breaks(Rule::Epoch, fenced, Property::Acknowledged, 8);
}

/// The write comes between the two.
#[test]
fn the_epoch_is_read_before_the_stamps_are_captured() {
    let rule = Rule::CaptureThenCompare;
    assert_breaks(rule, ROW_WITHOUT_FENCES, Property::Acknowledged, 10);
    let fenced = Scenario { writers: &[FENCED], ..ROW };
    assert_breaks(rule, fenced, Property::Acknowledged, 12);
}

/// The load captures the new stamp of the tag, and still finds the epoch unchanged.
#[test]
fn the_tag_is_invalidated_before_the_epoch() {
    let rule = Rule::EpochThenTags;
    assert_breaks(rule, ROW_WITHOUT_FENCES, Property::Acknowledged, 10);
    // With fences it takes one that is evicted.
    let faults = Faults { fences: true, ..NO_FAULTS };
    let fenced = Scenario { writers: &[FENCED], faults, ..ROW };
    assert_breaks(rule, fenced, Property::Acknowledged, 13);
}

/// The load waits until the fence in the tag is gone, and nothing has changed the epoch.
#[test]
fn a_writer_without_a_fence_in_the_epoch_crashes() {
    let faults = Faults { crash: true, expiry: true, ..NO_FAULTS };
    let scenario = Scenario { writers: &[FENCED], faults, ..ROW };
    assert_breaks(Rule::FenceOnEpoch, scenario, Property::Crashed, 11);
}

/// The value is stored under a tag that it does not have: nothing invalidates that.
#[test]
fn stamps_of_a_wrong_guess_are_used() {
    let readers: &[&[Set]] = &[&[A]];
    let writers = &[PLAIN, Write { tags: B, is_second: true, ..PLAIN }];
    let scenario = Scenario { tags: [A, B, A], readers, writers, ..ROW };
    assert_breaks(Rule::RightGuess, scenario, Property::Acknowledged, 10);
}

/// Another load has created the epoch's stamp anew.
#[test]
fn any_stamp_of_the_epoch_will_do() {
    let scenario = Scenario { readers: &[&[0], &[0]], ..ROW_WITHOUT_FENCES };
    assert_breaks(Rule::SameEpoch, scenario, Property::Acknowledged, 12);
    let faults = Faults { epoch: true, entry: true, ..NO_FAULTS };
    let evicted = Scenario { faults, ..scenario };
    assert_breaks(Rule::SameEpoch, evicted, Property::Acknowledged, 12);
}

/// The load captures the epoch and reads the replica before that has the commit. When it captures
/// the stamp of the tag, the tombstone there is gone.
#[test]
fn an_invalidation_that_holds_off_leaves_the_epoch_empty() {
    let faults = Faults { lag: true, ..NO_FAULTS };
    let scenario = Scenario { faults, ..ROW_WITHOUT_FENCES };
    assert_breaks(Rule::HoldOffOnEpoch, scenario, Property::Acknowledged, 12);
}
