//! Annotated functions beside the same functions written by hand, in one run.
//!
//! ```text
//! cargo bench -p cache-runtime --bench comparison                   # all of it, some minutes
//! cargo bench -p cache-runtime --bench comparison -- hits misses    # some of it
//! cargo bench -p cache-runtime --bench comparison -- peers          # beside what users would pick instead
//! cargo bench -p cache-runtime --bench comparison -- peers --placement=all
//! cargo bench -p cache-runtime --bench comparison -- --quick        # whether it runs
//! ```

#![expect(clippy::expect_used, clippy::panic, reason = "a bench ends where it cannot go on")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod batches;
mod hand;
mod measure;
mod ours;
mod outage;
mod peers;
mod placement;
mod queues;
mod scenarios;
mod server;
mod stampede;
mod subject;
mod tags;
mod writes;

use std::env;
use std::time::Duration;

use self::placement::Placement;
use self::scenarios::Bench;
use self::server::Server;

/// How long and how often each contender is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) turn: Duration,
    pub(crate) rounds: usize,
}

const FULL: Effort = Effort { turn: Duration::from_millis(400), rounds: 9 };
const QUICK: Effort = Effort { turn: Duration::from_millis(20), rounds: 1 };

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let [role, rest @ ..] = &arguments[..]
        && role == stampede::CHILD
    {
        return stampede::child(rest);
    }
    let Some(placement) = Placement::asked() else {
        return Placement::each();
    };
    let effort = if arguments.iter().any(|argument| argument == "--quick") { QUICK } else { FULL };
    // Cargo adds `--bench`.
    let names: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| *wanted == name);

    let server = Server::start();
    placement.take(server.pid());
    let bench = Bench::new(server.url(), effort, placement.workers);
    println!(
        "{} rounds of {:?}; × is the median ratio to the first line",
        effort.rounds, effort.turn
    );
    if wanted("hits") {
        bench.hits();
    }
    if wanted("peers") {
        bench.peers(server.url());
    }
    if wanted("misses") {
        bench.misses();
    }
    if wanted("memory") {
        bench.memory();
    }
    if wanted("outage") {
        bench.outage();
    }
    if wanted("writes") {
        bench.writes();
    }
    if wanted("tags") {
        bench.tags();
    }
    if wanted("batches") {
        bench.batches();
    }
    if wanted("queues") {
        bench.queues();
    }
    if wanted("stampede") {
        stampede::run(&server, effort);
    }
}
