//! A server that is killed and comes back empty, again and again, while nothing else goes wrong.
//!
//! The processes find it again at different times. However that may be, once a write has returned,
//! no read that begins later in any process gets what was there before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_testing::children::{self, Child, Children, this_test};
use cache_testing::dice::Dice;
use cache_testing::history::{History, Loss};
use cache_testing::redis::{Data, RedisServer};
use tokio::time::sleep;

use crate::actors::{Orders, Report};
use crate::database::Database;
use crate::{PROCESSES, actors, now, runtime, setting};

/// Of one process: enough for some restarts, each with some time before and after the one in which
/// nothing is stored.
const OPERATIONS: usize = 6_000;

#[test]
fn after_an_empty_restart_no_read_falls_behind_a_write() {
    if let Some(parent) = children::parent() {
        return runtime(2).block_on(actors::act(parent, false));
    }
    let seed = setting("CACHE_TEST_SEED").unwrap_or_else(now);
    runtime(2).block_on(round(&this_test!(), seed));
}

async fn round(test: &str, seed: u64) {
    println!("CACHE_TEST_SEED={seed}");
    let server = RedisServer::start().await;
    let path = server.directory().join("rows.db");
    drop(Database::create(&path).await);
    let orders = Orders { url: server.url(), database: path, seed, operations: OPERATIONS };
    let processes = (0..PROCESSES).map(|index| Child::spawn(test, index, &orders));
    let mut processes = Children(processes.collect());
    processes.expect_from_all("ready").await;
    processes.say_to_all("go").await;

    let over = Arc::new(AtomicBool::new(false));
    let restarting = tokio::spawn(restart(server, Dice::new(seed), Arc::clone(&over)));
    for process in &mut processes.0 {
        while process.hear::<String>().await != "done" {}
    }
    over.store(true, Ordering::Relaxed);
    let (_server, losses) = restarting.await.unwrap();
    processes.say_to_all("settle").await;

    let restarts = losses.len();
    let mut history = History { losses, ..History::default() };
    let (mut stored, mut journalled) = (0, 0);
    for process in &mut processes.0 {
        let Report { history: part, events } = process.hear().await;
        history.append(part);
        let counted = |event| events.get(event).copied().unwrap_or_default();
        stored += counted("fills_stored");
        journalled += counted("invalidations_journalled");
    }
    processes.finish().await;
    let (reads, writes) = (history.reads.len(), history.writes.len());
    println!("{restarts} restarts, {reads} reads, {writes} writes, {journalled} journalled");
    let violations = history.violations_by_restarts();
    let some: Vec<String> = violations.iter().take(5).map(ToString::to_string).collect();
    assert!(
        violations.is_empty(),
        "{} of {reads} reads were stale, CACHE_TEST_SEED={seed}\n{}",
        violations.len(),
        some.join("\n")
    );
    assert!(restarts > 0 && stored > 100 && journalled > 0, "nothing happened: {stored} stored");
}

/// Kills the server and starts it again, down for long enough that the pauses between attempts have
/// grown.
async fn restart(
    server: RedisServer,
    dice: Dice,
    over: Arc<AtomicBool>,
) -> (RedisServer, Vec<Loss>) {
    let mut losses = Vec::new();
    while !over.load(Ordering::Relaxed) {
        // Sometimes values are stored again by then, and sometimes not.
        let least = if dice.percent(30) { 200 } else { 2_500 };
        sleep(Duration::from_millis(least) + dice.span(1_000)).await;
        let start = now();
        server.kill();
        sleep(Duration::from_millis(500) + dice.span(1_500)).await;
        server.restart(Data::Lost).await;
        losses.push(Loss { row: None, start, end: now() });
    }
    (server, losses)
}
