//! Thousands of seeds.

use std::collections::BTreeMap;
use std::time::Duration;

use cache_testing::dice::Dice;
use cache_testing::history::History;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::testing::simulation::manner::USUAL;
use crate::testing::simulation::operations::Operation;
use crate::testing::simulation::world::{Pace, ROWS, World};
use crate::testing::simulation::{restarts, setting, simulate};

const SEEDS: u64 = 3_000;

/// Seeds that found something once.
const KEPT: [u64; 1] = [
    // A caller looked for another process's value while its own process failed to deliver an
    // invalidation of it, found the old one afterwards, and shared it with those who had come after
    // the write.
    14_679,
];

/// What happened in one run or in all.
#[derive(Debug, Default)]
pub(super) struct Events(BTreeMap<&'static str, u64>);

/// Some processes do some things at some times.
async fn scenario(dice: Dice) -> (History, Events) {
    if restarts::happen(&dice) {
        return restarts::scenario(&dice.fork(20)).await;
    }
    among(dice, |world| world).await
}

/// The same without restarts, and where rows are also read by aliases.
async fn by_aliases(dice: Dice) -> (History, Events) {
    among(dice, World::with_aliases).await
}

async fn among(dice: Dice, world: impl FnOnce(World) -> World) -> (History, Events) {
    // Where a write was dropped, the row is fenced for the rest of the run.
    let patience = dice.percent(60);
    let pace = Pace {
        lease: 100,
        load: dice.pick(&[(3, 8), (1, 40)]),
        write: dice.pick(&[(2, 6), (1, 20), (1, 50)]),
        long_writes: if patience { 0 } else { 60 },
        failing_loads: dice.pick(&[(2, 5), (1, 40)]),
        lost_commands: dice.pick(&[(4, 0), (3, 5), (2, 15), (1, 40)]),
        slow_commands: dice.pick(&[(2, 0), (2, 10), (1, 50)]),
    };
    let world = world(World::new(&dice, 1 + dice.below(3), pace));
    let (rows, usual) = (1 + dice.below(ROWS), dice.pick(&USUAL));
    let within = dice.pick(&[(1, 15), (2, 80), (1, 500)]);
    let mut tasks = JoinSet::new();
    for _ in 0..10 + dice.below(40) {
        let operation = Operation::draw(&dice, world.processes.len(), rows, usual, patience);
        let (at, world) = (Duration::from_millis(dice.below(within)), world.clone());
        tasks.spawn(async move {
            sleep(at).await;
            operation.run(world).await;
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let history = world.settle().await;
    let events = Events::of(&world);
    (history, events)
}

impl Events {
    pub(super) fn of(world: &World) -> Self {
        let mut events = Self::default();
        world.processes.iter().for_each(|cache| events.add(cache));
        events
    }

    fn add(&mut self, cache: &crate::Cache) {
        for function in cache.stats().functions {
            for (event, count) in [
                ("hits", function.outcomes.hit),
                ("coalesced", function.outcomes.coalesced),
                ("lease waits", function.lease_waits),
                ("loads cancelled", function.loads_cancelled),
                ("fills stored", function.fills_stored),
                ("fills refused", function.fills_refused),
                ("stale", function.outcomes.stale),
                ("early", function.refreshes_early),
                ("refreshed", function.refreshes_ok),
                ("not refreshed", function.refreshes_failed),
                ("rested", function.refreshes_rested),
                ("invalidations", function.invalidations),
                ("journalled", function.invalidations_journalled),
            ] {
                *self.0.entry(event).or_default() += count;
            }
        }
    }
}

fn check(seed: u64) -> (History, Events) {
    let (history, events) = simulate(seed, scenario);
    let by_restarts = restarts::happen(&Dice::new(seed).fork(2));
    let violations =
        if by_restarts { history.violations_by_restarts() } else { history.violations() };
    if let Some(violation) = violations.first() {
        panic!("{violation}\nCACHE_TEST_SEED={seed}");
    }
    (history, events)
}

#[test]
fn whatever_the_seed_no_read_is_stale() {
    if let Some(seed) = setting("CACHE_TEST_SEED") {
        println!("{:#?}", check(seed));
        return;
    }
    let (mut reads, mut writes, mut all) = (0, 0, Events::default());
    let seeds = setting("CACHE_TEST_SEEDS").unwrap_or(SEEDS);
    for seed in KEPT.into_iter().chain(0..seeds) {
        // What fails inside says so by a panic of its own.
        println!("CACHE_TEST_SEED={seed}");
        let (history, events) = check(seed);
        reads += history.reads.len();
        writes += history.writes.len();
        for (event, count) in events.0 {
            *all.0.entry(event).or_default() += count;
        }
    }
    println!("{seeds} seeds, {reads} reads, {writes} writes: {all:?}");
    for (event, count) in all.0 {
        assert!(count >= seeds / 20, "{count} {event}");
    }
}

#[test]
fn whatever_the_seed_no_alias_leads_to_what_is_stale() {
    let check = |seed| {
        let (history, _) = simulate(seed, by_aliases);
        if let Some(violation) = history.violations().first() {
            panic!("{violation}\nCACHE_TEST_SEED={seed}");
        }
        history.reads.iter().filter(|read| read.manner == "Read").count()
    };
    let seeds = match setting("CACHE_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..setting("CACHE_TEST_SEEDS").unwrap_or(SEEDS / 6),
    };
    let mut reads = 0;
    for seed in seeds {
        println!("CACHE_TEST_SEED={seed}");
        reads += check(seed);
    }
    println!("{reads} reads by aliases");
    assert!(reads > 0);
}

#[test]
fn a_seed_gives_the_same_history_every_time() {
    for seed in 0..20 {
        let history = || format!("{:?}", simulate(seed, scenario));
        assert_eq!(history(), history(), "CACHE_TEST_SEED={seed}");
    }
}
