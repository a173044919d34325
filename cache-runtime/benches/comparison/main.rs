//! Annotated functions beside the same functions written by hand, in one run.
//!
//! ```text
//! cargo bench -p cache-runtime --bench comparison                   # all of it, some minutes
//! cargo bench -p cache-runtime --bench comparison -- hits misses    # some of it
//! cargo bench -p cache-runtime --bench comparison -- peers          # beside what others offer
//! cargo bench -p cache-runtime --bench comparison -- peers --placement=all
//! cargo bench -p cache-runtime --bench comparison -- goals          # beside what is to be reached
//! cargo bench -p cache-runtime --bench comparison -- goals --only=hits,misses --plot=goals.svg
//! cargo bench -p cache-runtime --bench comparison -- --rounds=3     # less of it
//! cargo bench -p cache-runtime --bench comparison -- --quick        # whether it runs
//! ```

#![expect(clippy::expect_used, clippy::panic, reason = "a bench ends where it cannot go on")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod arguments;
mod batches;
mod embedded;
mod goals;
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

use self::arguments::Arguments;
use self::peers::CACHED_WITH_LOCK;
use self::placement::Placement;
use self::scenarios::{BY_HAND, Bench};
use self::server::Server;

fn main() {
    let arguments = Arguments::of_this_process();
    if let Some(rest) = arguments.of_role(stampede::CHILD) {
        return stampede::child(rest);
    }
    if arguments.names("goals") {
        return goals::run(&arguments);
    }
    let Some(placement) = Placement::asked(&arguments) else {
        return Placement::each(&arguments);
    };
    let effort = arguments.effort(9);
    let server = Server::start();
    placement.take(server.pid());
    let bench = Bench::new(server.url(), effort, placement.workers);
    println!(
        "{} rounds of {:?}; × is the median ratio to the first line",
        effort.rounds, effort.turn
    );
    if arguments.want("hits") {
        bench.hits();
    }
    if arguments.want("misses") {
        bench.misses();
    }
    if arguments.want("memory") {
        bench.memory();
    }
    if arguments.want("outage") {
        bench.outage();
    }
    if arguments.want("writes") {
        bench.writes();
    }
    if arguments.want("tags") {
        bench.tags();
    }
    if arguments.want("batches") {
        bench.batches();
    }
    if arguments.want("queues") {
        bench.queues();
    }
    if arguments.want("stampede") {
        stampede::run(&server, effort, &[BY_HAND, CACHED_WITH_LOCK]);
    }
    if arguments.want("peers") {
        bench.peers(&server);
    }
}
