//! What is to be reached, and what is: for each kind of work the ratio to the same work by hand,
//! beside its goal.

mod goal;
mod plot;
mod table;
mod work;

use std::fs;

use super::arguments::Arguments;
use super::peers::CACHED_WITH_LOCK;
use super::placement::Placement;
use super::scenarios::Bench;
use super::server::Server;
use super::stampede::{BODIES, stampede};

use self::goal::{Bound, Outcome, heading};
use self::table::WORKS;

/// What `--only` calls the work that has its own processes.
const STAMPEDE: &str = "stampede";

/// Beside every goal that `--only=` and `--placement=` leave.
pub(crate) fn run(arguments: &Arguments) {
    let only = arguments.option("only").map(|only| only.split(',').collect::<Vec<_>>());
    if let Some(unknown) = only.iter().flatten().find(|it| !groups().any(|group| group == **it)) {
        panic!("no work `{unknown}`: {}", groups().collect::<Vec<_>>().join(", "));
    }
    let wanted = |group: &str| only.as_ref().is_none_or(|only| only.contains(&group));
    let effort = arguments.effort(7);
    println!(
        "{} rounds of {:?}: medians; ratios are made within a round, and the range is of them",
        effort.rounds, effort.turn
    );

    let mut outcomes = Vec::new();
    // Before this thread is pinned: its children would be where it is.
    if wanted(STAMPEDE) {
        println!("\nfour processes with two workers each\n\n{}", heading());
        outcomes.extend(stampedes(effort.rounds).inspect(|it| println!("{it}")));
    }
    for placement in Placement::all_asked(arguments) {
        let works: Vec<_> = (WORKS.iter())
            .filter(|work| wanted(work.group) && work.placements.contains(&placement))
            .collect();
        if works.is_empty() {
            continue;
        }
        let server = Server::start();
        placement.take(server.pid());
        println!("\n{}", heading());
        let bench = Bench::new(server.url(), effort, placement.workers);
        for work in works {
            outcomes.extend(work.outcomes(&bench, placement).inspect(|it| println!("{it}")));
        }
    }

    let reached = outcomes.iter().filter(|it| it.is_reached()).count();
    println!("\n{reached} of {} goals are reached", outcomes.len());
    if let Some(file) = arguments.option("plot") {
        fs::write(file, plot::svg(&outcomes)).expect("a file that can be written");
        println!("the plot is in {file}");
    }
}

fn groups() -> impl Iterator<Item = &'static str> {
    let mut groups: Vec<_> = WORKS.iter().map(|work| work.group).collect();
    groups.dedup();
    groups.into_iter().chain([STAMPEDE])
}

/// A thousand callers in four processes. One load is one load in every round.
fn stampedes(rounds: usize) -> impl Iterator<Item = Outcome> {
    let server = Server::start();
    BODIES.into_iter().flat_map(move |body| {
        let rounds: Vec<_> =
            (0..rounds).map(|_| stampede(&server, CACHED_WITH_LOCK, 4, body)).collect();
        let work = format!("stampede, 4 x 250 callers, {body:?} body");
        let loads = rounds.iter().map(|round| round.loads as f64).max_by(f64::total_cmp);
        [
            Outcome::absolute(&work, "loads", loads.into_iter().collect(), Bound::AtMost(1.0)),
            Outcome::absolute(
                &work,
                "p99, ms beyond",
                rounds.iter().map(|round| round.p99).collect(),
                Bound::AtMost(10.0),
            ),
        ]
    })
}
