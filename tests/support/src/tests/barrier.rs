use tokio::task::JoinSet;

use crate::barrier::{Counter, Gate, eventually};
use crate::within_limit;

#[tokio::test]
async fn a_gate_holds_bodies_until_they_are_released() {
    let (gate, through) = (Gate::new(), Counter::new());
    let mut bodies = JoinSet::new();
    for _ in 0..3 {
        let (gate, through) = (gate.clone(), through.clone());
        bodies.spawn(async move {
            gate.pass().await;
            through.count();
        });
    }
    gate.entered(3).await;
    assert_eq!((gate.inside(), through.get()), (3, 0));

    gate.release(1);
    within_limit("one body ends", bodies.join_next()).await;
    assert_eq!((gate.inside(), through.get()), (2, 1));

    gate.open();
    within_limit("the others end", bodies.join_all()).await;
    gate.empty().await;
    assert_eq!(through.get(), 3);
    within_limit("an open gate holds nobody", gate.pass()).await;
}

#[tokio::test]
async fn a_gate_sees_that_a_held_body_was_dropped() {
    let gate = Gate::new();
    let body = tokio::spawn({
        let gate = gate.clone();
        async move { gate.pass().await }
    });
    gate.entered(1).await;
    body.abort();
    gate.empty().await;

    gate.release(1);
    within_limit("the dropped body took no pass", gate.pass()).await;
}

#[tokio::test]
async fn a_counter_numbers_the_runs() {
    let counter = Counter::new();
    assert_eq!((counter.count(), counter.clone().count(), counter.get()), (1, 2, 2));
}

#[tokio::test]
async fn eventually_waits_for_its_condition() {
    let looks = Counter::new();
    eventually!(looks.count() == 5);
    eventually!(async { looks.count() }.await == 10);
    assert_eq!(looks.get(), 10);
}
