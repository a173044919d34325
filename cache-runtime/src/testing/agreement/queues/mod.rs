//! The scripts on a real server and the queue in memory agree: random sequences of operations of
//! two workers, one of which may have lost the partition, with every answer compared. What only a
//! server has is in `rules`.
//!
//! `CACHE_TEST_SEED=7` repeats the run that said so.

mod layouts;
mod mutants;
mod rules;
mod side;
mod steps;

use cache_testing::dice::Dice;

use self::mutants::MUTANTS;
use self::side::Side;
use self::steps::{Course, Step};
use crate::policy::QueueSite;
use crate::testing::agreement::entries::server::Server;

static SITE: QueueSite = QueueSite::new("agreement", "agreement").partitions(1);

/// What the keys of its partition begin with.
const LANE: &str = "wb:{agreement:0}";

const STEPS: usize = 5_000;

/// An answer that should have been another one, told in full.
struct Difference(String);

/// Does the same on both, and compares; every step with its answer.
async fn compare(url: &str, seed: u64, steps: usize) -> Result<Vec<String>, Difference> {
    let (mut redis, mut memory) = (Side::redis(url).await, Side::memory().await);
    let (dice, mut course) = (Dice::new(seed), Course::default());
    let mut history: Vec<String> = Vec::new();
    for number in 0..steps {
        let step = course.step(&dice);
        let (theirs, ours) = (redis.execute(&step).await, memory.execute(&step).await);
        if theirs != ours {
            let recent = &history[history.len().saturating_sub(12)..];
            return Err(Difference(format!(
                "DIFFERS seed {seed}, step {number}, {step:?}:\n{theirs:?}\n{ours:?}\nafter \
                    {recent:#?}"
            )));
        }
        let answer = ours.unwrap();
        course.follow(&step, &answer);
        history.push(format!("{step:?} -> {answer}"));
    }
    Ok(history)
}

#[tokio::test]
async fn the_queue_in_memory_has_the_rules_of_the_one_in_redis() {
    let seed = match std::env::var("CACHE_TEST_SEED") {
        Ok(seed) => seed.parse().expect("CACHE_TEST_SEED is a number"),
        Err(_) => crate::support::random::random_u64(),
    };
    let (server, _connection) = Server::start();
    let history = match compare(&server.url(), seed, STEPS).await {
        Ok(history) => history,
        Err(Difference(text)) => panic!("{text}"),
    };
    // Far below what is usual, so that no seed fails by chance: there are some 32 of the rarest,
    // give or take 6.
    for (what, least) in [
        ("-> Known", 20),
        ("-> Late", 20),
        ("-> Full", 20),
        ("-> Behind", 5),
        ("act: Read(", STEPS / 20),
        ("-> lost", STEPS / 50),
        ("Redrive(", 50),
        ("-> Some(3)", 2),
    ] {
        let count = history.iter().filter(|step| step.contains(what)).count();
        assert!(count >= least, "seed {seed}: {count} of {what:?}");
    }
}

#[tokio::test]
async fn every_rule_missing_from_a_script_of_queues_is_noticed() {
    let (server, _connection) = Server::start();
    let mut missed = Vec::new();
    for mutant in MUTANTS {
        let _altered = mutants::alter(mutant);
        // Most are noticed at once.
        let url = server.url();
        if compare(&url, 7, 200).await.is_ok()
            && rules::all(&url).await.is_ok()
            && layouts::compare(&url).await.is_ok()
            && compare(&url, 7, STEPS).await.is_ok()
        {
            missed.push(mutant);
        }
    }
    assert!(missed.is_empty(), "not noticed: {missed:#?}");
}

#[tokio::test]
async fn the_number_of_partitions_changes_by_the_same_steps() {
    let (server, _connection) = Server::start();
    if let Err(Difference(text)) = layouts::compare(&server.url()).await {
        panic!("{text}");
    }
}

#[tokio::test]
async fn a_server_keeps_the_rules_that_memory_does_not_need() {
    let (server, _connection) = Server::start();
    if let Err(Difference(text)) = rules::all(&server.url()).await {
        panic!("{text}");
    }
}

#[tokio::test]
async fn a_push_is_stored_once_and_not_after_it_was_given_up() {
    let (server, _connection) = Server::start();
    let mut side = Side::redis(&server.url()).await;
    let mut push = async |number, under_way| {
        let mut push = Step::push(number);
        if let Step::Push { oldest, .. } = &mut push {
            *oldest = under_way;
        }
        side.execute(&push).await.unwrap()
    };
    assert_eq!(push(1, 1).await, "New(1)");
    assert_eq!(push(1, 1).await, "Known");
    // Two are under way, and overtake one another.
    assert_eq!(push(3, 2).await, "New(2)");
    assert_eq!(push(2, 2).await, "New(3)");
    assert_eq!(push(3, 2).await, "Known");
    assert_eq!(push(2, 2).await, "Known");
    // 4 was given up when 6 was pushed.
    assert_eq!(push(6, 5).await, "New(4)");
    assert_eq!(push(4, 4).await, "Late");
    assert_eq!(push(3, 2).await, "Late", "nor is what was answered stored again");
    assert_eq!(push(6, 5).await, "Known");
    // 5 was held up since before that, and brings nothing back.
    assert_eq!(push(5, 2).await, "New(5)");
    assert_eq!(push(4, 4).await, "Late");
    assert_eq!(push(2, 2).await, "Late");
    assert_eq!(side.execute(&Step::Lengths).await.unwrap(), "5 0 0 true");
}
