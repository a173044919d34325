//! What a journal holds, and what it sends next.

use crate::engine::journal::state::*;
use crate::record::Origin;

fn key(number: usize) -> Invalidation {
    Invalidation::Key(format!("user:{number}"))
}

/// Delivers what is there, and returns how many keys and patterns, and how many sets.
fn deliver(state: &mut State) -> (usize, usize) {
    let (mut kept, mut sets) = (0, 0);
    loop {
        match state.oldest() {
            Batch::Nothing => return (kept, sets),
            Batch::Keys(keys) => {
                kept += keys.len();
                for (place, _) in keys {
                    state.remove(place);
                }
            }
            Batch::Pattern(place, _) => {
                kept += 1;
                state.remove(place);
            }
            Batch::Overflow(place, _) => {
                sets += 1;
                state.remove(place);
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_delivered_as_a_set() {
    let mut state = State::default();
    (0..CAPACITY + 1_000).for_each(|number| state.add(key(number)));
    state.add(Invalidation::Pattern("org:7:*".to_owned()));
    assert_eq!(state.depth(), CAPACITY + 1_001);
    assert!(state.overflow.contains("user:16384") && state.overflow.contains("org:7:name"));
    assert!(!state.overflow.contains("user:1") && !state.overflow.contains("org:8:name"));
    // No digest tells of such a pattern.
    state.add(Invalidation::Pattern("*:name".to_owned()));
    assert_eq!(state.depth(), CAPACITY + 1_002);
    assert_eq!(deliver(&mut state), (CAPACITY + 1, 1));
    assert_eq!((state.depth(), state.patterns().count()), (0, 0));
}

#[test]
fn a_read_is_compared_with_patterns_and_not_with_keys() {
    let mut state = State::default();
    (0..CAPACITY - 2).for_each(|number| state.add(key(number)));
    let pattern = |text: &str| Invalidation::Pattern(text.to_owned());
    ["*:name", "*:mail", "*:name"].map(pattern).into_iter().for_each(|entry| state.add(entry));
    assert_eq!(state.patterns().collect::<Vec<_>>(), ["*:mail", "*:name"]);
    let Some(place) = state.places.get(&pattern("*:mail")).copied() else { panic!("it is there") };
    state.postpone(place);
    assert_eq!(state.patterns().collect::<Vec<_>>(), ["*:name", "*:mail"]);
    assert_eq!(deliver(&mut state), (CAPACITY, 0));
    assert_eq!(state.patterns().count(), 0);
}

#[test]
fn a_sweep_goes_on_where_it_was_unless_there_is_more_to_remove() {
    let mut state = State::default();
    state.add(Invalidation::Pattern("*:name".to_owned()));
    let Batch::Pattern(place, _) = state.oldest() else { panic!("it is there") };
    state.sweep(place).note(Origin([1; 8]), 7, 512, 3);
    state.postpone(place);
    let Batch::Pattern(place, _) = state.oldest() else { panic!("it is still there") };
    assert_eq!((state.sweep(place).looked(), state.swept()), (512, (512, 3)));
    // A write has made more to remove, perhaps where the sweep has been.
    state.add(Invalidation::Pattern("*:name".to_owned()));
    let Batch::Pattern(again, _) = state.oldest() else { panic!("it is there again") };
    state.postpone(place);
    assert_eq!((state.sweep(again).looked(), state.swept()), (0, (0, 0)));
    state.remove(again);
    assert_eq!(state.depth(), 0);
}

/// The scan may have passed the key before the write that it was added for.
#[test]
fn what_is_added_during_a_delivery_is_delivered_again() {
    let mut state = State::default();
    (0..=CAPACITY).for_each(|number| state.add(key(number)));
    while let Batch::Keys(keys) = state.oldest() {
        for (place, _) in keys {
            state.postpone(place);
        }
        if state.entries.keys().all(|place| *place > state.overflow_place) {
            break;
        }
    }
    let Batch::Overflow(place, _) = state.oldest() else { panic!("it is the oldest") };
    state.add(key(CAPACITY));
    state.remove(place);
    assert_eq!(state.depth(), CAPACITY + 1);
    assert_eq!(deliver(&mut state), (CAPACITY, 1));
}

#[test]
fn a_set_that_cannot_be_delivered_waits_for_the_others() {
    let mut state = State::default();
    (0..=CAPACITY).for_each(|number| state.add(key(number)));
    for _ in 0..CAPACITY.div_ceil(BATCH) {
        let Batch::Keys(keys) = state.oldest() else { panic!("keys are the oldest") };
        for (place, _) in keys {
            state.postpone(place);
        }
    }
    let Batch::Overflow(place, _) = state.oldest() else { panic!("now it is its turn") };
    state.postpone(place);
    assert!(matches!(state.oldest(), Batch::Keys(_)), "and theirs again");
    assert_eq!(state.depth(), CAPACITY + 1);
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_is_as_old_as_it_is_undelivered() {
    let mut state = State::default();
    assert_eq!(state.age(), Duration::ZERO);
    let second = Duration::from_secs(1);
    state.add(key(1));
    tokio::time::advance(second).await;
    state.add(key(2));
    state.add(key(1));
    tokio::time::advance(second).await;
    assert_eq!(state.age(), 2 * second, "it was added again");
    let place = state.places[&key(1)];
    state.postpone(place);
    assert_eq!(state.age(), 2 * second, "it could not be delivered");
    let place = state.places[&key(1)];
    assert_eq!(state.age_of(place), Some(2 * second));
    state.remove(place);
    assert_eq!(state.age(), second);
    deliver(&mut state);
    assert_eq!(state.age(), Duration::ZERO);
}
