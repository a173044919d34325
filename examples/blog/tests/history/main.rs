//! A history over HTTP: two processes of the service on one Redis, which is killed, restarted empty
//! and frozen meanwhile. No read that begins after a write was acknowledged falls behind it.
//!
//! Everything that is read carries a version that only grows, and every write says which one it
//! has made; the rules are those of [`cache_testing::history`]. A write is acknowledged when the
//! process that has carried it out has been seen without undelivered invalidations after its
//! return. What is not acknowledged binds the process of the write alone, from its return on.
//!
//! Nothing here is timed: what goes wrong lasts until so much has been asked meanwhile, and what
//! goes well until so much has been found in the cache.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod service;
mod versions;
mod visitor;
mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use blog::{Options, Settings, Size, Variant};
use cache_testing::dice::Dice;
use cache_testing::redis::{Data, RedisServer};
use cache_testing::within_limit;
use tokio::task::JoinSet;

use crate::service::Process;
use crate::visitor::Visitor;
use crate::world::World;

const VISITORS: u64 = 12;
/// How much has to be asked while Redis is away: more than the visitors ask at once.
const OUTAGE: u64 = 10 * VISITORS;

/// Lists as ids, and rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_falls_behind_a_write_of_a_row() {
    no_read_falls_behind_a_write(Variant::Rows, 2, 2_000).await;
}

/// Whole answers, which these writes leave alone less often, so that fewer are found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_falls_behind_a_write_under_a_tag_that_the_answer_tells() {
    no_read_falls_behind_a_write(Variant::Told, 1, 100).await;
}

/// `hits`: how much has to be found in the cache before it is taken away again.
async fn no_read_falls_behind_a_write(variant: Variant, rounds: usize, hits: u64) {
    let server = RedisServer::start().await;
    let options = Options {
        variant,
        cache: server.url(),
        database: Settings {
            path: server.directory().join("blog.db"),
            connections: 4,
            statement: Duration::from_micros(500),
            size: Size { users: 40, articles: 24, tags: 3 },
        },
    };
    // One after the other: the first fills the database.
    let processes = [Process::start(&options).await, Process::start(&options).await];
    let addresses = processes.each_ref().map(Process::address);
    let world = Arc::new(World::new(addresses, options.database.size));
    let dice = Dice::new(u64::from(std::process::id()));

    let mut visitors = JoinSet::new();
    Visitor::come(&world, dice.fork(0)).await.follow_everybody().await;
    for visitor in 1..=VISITORS {
        visitors.spawn(Visitor::come(&world, dice.fork(visitor)).await.stay());
    }
    let trouble = async {
        for _ in 0..rounds {
            world.hits(hits).await;
            server.kill();
            world.operations(OUTAGE).await;
            server.restart(Data::Lost).await;
            world.hits(hits).await;
            server.stop();
            world.operations(OUTAGE).await;
            server.cont();
        }
        world.hits(hits).await;
        world.over.store(true, Ordering::Relaxed);
    };
    // A visitor that fails ends the test at once, and not when nothing has happened for long.
    let staying = async {
        while let Some(visitor) = visitors.join_next().await {
            visitor.unwrap();
        }
    };
    tokio::join!(trouble, staying);
    within_limit("everything is delivered", world.settle()).await;
    for process in processes {
        process.finish().await;
    }
    judge(&world);
}

fn judge(world: &World) {
    let history = world.history.lock().unwrap();
    let (reads, writes) = (history.reads.len(), history.writes.len());
    let late = world.late.load(Ordering::Relaxed);
    println!("{reads} versions read, {writes} written, {late} of them acknowledged later");
    let violations = history.violations();
    let some: Vec<String> = violations.iter().take(5).map(ToString::to_string).collect();
    assert!(
        violations.is_empty(),
        "{} of {reads} reads were stale\n{}",
        violations.len(),
        some.join("\n")
    );
    // A history in which nothing happens proves nothing.
    assert!(writes > 100 && late > 0, "{writes} writes, {late} acknowledged later");
}
