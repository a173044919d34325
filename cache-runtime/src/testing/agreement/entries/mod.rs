//! The scripts on a real server, the embedded store, and the protocol's rules agree: random
//! sequences of operations, with reply and record compared after every step.
//!
//! Half of the runs have seeds of their own each time. `CACHE_TEST_SEED=7` repeats the run that
//! said so.

mod embedded;
mod generate;
mod model;
mod mutants;
mod run;
mod scripts;
pub(crate) mod server;
mod state;
mod wire;

use std::time::Duration;

use redis::Connection;

use self::embedded::Embedded;
use self::generate::What;
use self::model::Op;
use self::mutants::MUTANTS;
use self::run::{Difference, Outcome, Run};
use self::scripts::Scripts;
use self::server::Server;

const STEPS: usize = 40_000;

fn seeds() -> Vec<u64> {
    match std::env::var("CACHE_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("CACHE_TEST_SEED is a number")],
        Err(_) => vec![7, crate::support::random::random_u64()],
    }
}

/// Compares the scripts, one of them possibly another.
fn compare_scripts(
    connection: &mut Connection,
    mutant: Option<(&'static str, &str, &str)>,
    seed: u64,
    steps: usize,
) -> Result<Run, Difference> {
    let mut sources = scripts::sources();
    if let Some((name, from, to)) = mutant {
        let source = sources.get_mut(name).expect("a script");
        assert!(source.contains(from), "{name} does not say `{from}`");
        *source = source.replacen(from, to, 1);
    }
    let mut scripts = Scripts::load(connection, &sources);
    let mut source = Scripts::steps(seed);
    let mut run = Run::new(seed);
    for _ in 0..steps / scripts::BATCH {
        let steps: Vec<_> = (0..scripts::BATCH).map(|_| source.next()).collect();
        for (step, outcome) in steps.iter().zip(scripts.execute(&steps)) {
            run.follow(step, &outcome)?;
        }
    }
    Ok(run)
}

/// Compares the embedded store, which executes `mutate` of each operation.
async fn compare_embedded(mutate: impl Fn(&Op) -> Op, seed: u64) -> Result<Run, Difference> {
    let store = Embedded::new();
    let mut source = Embedded::steps(seed);
    let mut run = Run::new(seed);
    for _ in 0..STEPS {
        let step = source.next();
        let outcome = match &step.what {
            What::Op(op) => store.execute(step.key, &mutate(op)),
            What::Pass(millis) => {
                tokio::time::advance(Duration::from_millis(*millis)).await;
                Outcome { reply: None, state: store.look(step.key) }
            }
            _ => unreachable!("nobody else has a way into the embedded store"),
        };
        run.follow(&step, &outcome)?;
    }
    Ok(run)
}

#[test]
fn scripts_and_model_agree() {
    let (_server, mut connection) = Server::start();
    for seed in seeds() {
        match compare_scripts(&mut connection, None, seed, STEPS) {
            // Ten operations on eight kinds of states.
            Ok(run) => assert_eq!(run.coverage(), (80, 28), "seed {seed} leaves something out"),
            Err(Difference(text)) => panic!("{text}"),
        }
    }
}

#[test]
fn every_rule_missing_from_a_script_is_noticed() {
    let (_server, mut connection) = Server::start();
    for mutant in MUTANTS {
        let compared = compare_scripts(&mut connection, Some(*mutant), 7, STEPS);
        assert!(compared.is_err(), "not noticed: {mutant:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn embedded_store_and_model_agree() {
    for seed in seeds() {
        match compare_embedded(Op::clone, seed).await {
            // Nothing is damaged and nothing somebody else's.
            Ok(run) => assert_eq!(run.coverage(), (50, 23), "seed {seed} leaves something out"),
            Err(Difference(text)) => panic!("{text}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_operation_on_the_embedded_store_is_noticed() {
    let lifted_by_another = |op: &Op| match op {
        Op::Invalidate { hold_off } => Op::End { writer: 0, hold_off: *hold_off, value: None },
        op => op.clone(),
    };
    assert!(compare_embedded(lifted_by_another, 7).await.is_err());
}
