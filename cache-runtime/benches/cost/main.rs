//! What a call costs that waits for nobody but Redis, beside the same call written by hand. These
//! are counted, not timed, so one run is nearly as good as many: allocations, CPU time of the
//! client, times that a thread went to sleep, system calls by name where `strace` is installed, and
//! instructions where `perf` may count them, or else `valgrind` is installed. Client and server
//! share a processor, and calls come one after the other. With more than one worker those that have
//! nothing to do are woken for nothing, which costs futexes.
//!
//! ```text
//! cargo bench -p cache-runtime --bench cost
//! cargo bench -p cache-runtime --bench cost -- --workers=2
//! ```

#![expect(clippy::expect_used, clippy::panic, reason = "a bench ends where it cannot go on")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

#[expect(dead_code, reason = "little is asked for here")]
#[path = "../comparison/arguments.rs"]
mod arguments;
#[expect(dead_code, reason = "not all is measured here")]
#[path = "../comparison/hand.rs"]
mod hand;
#[path = "../comparison/ours.rs"]
mod ours;
#[expect(dead_code, reason = "there is one placement here")]
#[path = "../comparison/placement.rs"]
mod placement;
#[expect(dead_code, reason = "nothing is frozen here")]
#[path = "../comparison/server.rs"]
mod server;
#[path = "../comparison/subject.rs"]
mod subject;

mod counts;
mod tools;
mod work;

use std::env;
use std::process::Command;

use self::arguments::Arguments;
use self::counts::Counts;
use self::placement::{Placement, SAME_CORE};
use self::server::Server;
use self::tools::{Traced, instructions, traced};
use self::work::Work;

/// Stands for a figure that nothing here can tell.
const UNKNOWN: &str = "-";
/// The first argument of a process that does the calls.
const CHILD: &str = "calls";
/// Calls that are counted by the process itself.
const CALLS: u64 = 10_000;
/// Calls of which a tool counts the additional ones: so beginning and end of a process do not
/// count. Tools are slow.
const FEW: u64 = 500;
const MANY: u64 = 2_500;

fn main() {
    let arguments = Arguments::of_this_process();
    if let Some(rest) = arguments.of_role(CHILD) {
        return work::child(rest);
    }
    let workers = arguments.option("workers").unwrap_or("1").parse().expect("a number of workers");
    let server = Server::start();
    Placement { workers, ..SAME_CORE }.take(server.pid());
    let works: Vec<_> =
        Work::ALL.map(|work| Costs::of(work, &server, workers)).into_iter().collect();

    println!(
        "\n{:<20} {:>11} {:>7} {:>7} {:>7} {:>12} {:>8} {:>12}",
        "per call",
        "allocations",
        "bytes",
        "CPU µs",
        "sleeps",
        "system calls",
        "futexes",
        "instructions"
    );
    for Costs { work, counts, traced, instructions } in &works {
        println!(
            "{:<20} {:>11.1} {:>7.0} {:>7.2} {:>7.2} {:>12} {:>8} {:>12}",
            work.name(),
            counts.allocations,
            counts.bytes,
            counts.cpu,
            counts.sleeps,
            shown(traced.as_ref().map(Traced::all), 2),
            shown(traced.as_ref().map(|traced| traced.of("futex")), 2),
            shown(*instructions, 0),
        );
    }
    println!("{UNKNOWN} is not available here: no `strace`, or neither `perf` nor `valgrind`");
    println!("\nsystem calls per call");
    for Costs { work, traced, .. } in &works {
        let names = traced.as_ref().map_or_else(|| shown(None, 0), Traced::to_string);
        println!("{:<20} {names}", work.name());
    }
    println!("\nbytes of a future");
    for work in [Work::HitByHand, Work::Hit] {
        println!("{:<20} {}", work.name(), work.size_of_future(server.url()));
    }
}

/// What a call costs. None where nothing here can count it.
struct Costs {
    work: Work,
    counts: Counts,
    traced: Option<Traced>,
    instructions: Option<f64>,
}

impl Costs {
    fn of(work: Work, server: &Server, workers: usize) -> Self {
        let calls = |calls: u64| {
            let itself = env::current_exe().expect("a path to this program");
            let mut command = Command::new(itself);
            command.args([CHILD, server.url(), work.name()]);
            command.args([workers.to_string(), calls.to_string()]);
            command
        };
        let output = calls(CALLS).output().expect("a child process");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self {
            work,
            counts: String::from_utf8_lossy(&output.stdout).parse().expect("its counts"),
            traced: traced([calls(FEW), calls(MANY)], MANY - FEW),
            instructions: instructions([calls(FEW), calls(MANY)], MANY - FEW),
        }
    }
}

fn shown(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| UNKNOWN.to_owned(), |figure| format!("{figure:.digits$}"))
}
