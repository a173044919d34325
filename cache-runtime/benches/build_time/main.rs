//! What the attributes add to a build: a program of annotated functions beside the same program
//! without the attributes, in CPU time, which does not depend on the number of cores. Dependencies
//! are built before, and what they cost is measured on its own. The same is done with `cached`.
//!
//! And how many functions may call each other before rustc gives up: it looks through 128 levels of
//! types to tell whether a future is `Send`. An `async fn` takes four of them, and so does the
//! `async` block that the body of an annotated one becomes; the future around it is one more, so
//! nine is the least.
//!
//! ```text
//! cargo bench -p cache-runtime --bench build_time               # about half an hour
//! cargo bench -p cache-runtime --bench build_time -- --quick
//! ```

#![expect(clippy::expect_used, reason = "a bench ends where it cannot go on")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod project;
mod source;

use std::env;

use self::project::{Project, Work, clean_build};
use self::source::{CACHED, Library, NONE, OURS};

fn main() {
    let quick = env::args().any(|argument| argument == "--quick");
    let (sizes, rounds): (&[usize], usize) = if quick { (&[10], 1) } else { (&[10, 100, 300], 3) };
    println!("a build from nothing, with all dependencies: seconds of CPU");
    for library in [&NONE, &OURS, &CACHED] {
        println!("{:>14} {:>9.1}", library.name, clean_build(library).as_secs_f64());
    }
    for library in [&OURS, &CACHED] {
        println!("\n{}: seconds of CPU, median of {rounds} rounds", library.name);
        println!(
            "{:>9} {:>9} {:>9} {:>12} {:>18}",
            "functions", "work", "plain", "annotated", "ms per function"
        );
        for &functions in sizes {
            compare(library, functions, rounds);
        }
    }
    println!();
    for (name, is_annotated) in [("plain", false), ("annotated", true)] {
        let deepest = Project::new(&OURS, is_annotated, 1).deepest();
        println!("{name}: {deepest} functions may call each other");
    }
}

/// A program with so many functions, annotated and not.
fn compare(library: &'static Library, functions: usize, rounds: usize) {
    let plain = Project::new(library, false, functions);
    let annotated = Project::new(library, true, functions);
    for work in [Work::Check, Work::Debug, Work::Edit, Work::Release] {
        let mut rounds: Vec<_> =
            (0..rounds).map(|_| (plain.time(work), annotated.time(work))).collect();
        rounds.sort_by_key(|(plain, annotated)| annotated.saturating_sub(*plain));
        let (plain, annotated) = rounds[rounds.len() / 2];
        let (plain, annotated) = (plain.as_secs_f64(), annotated.as_secs_f64());
        println!(
            "{functions:>9} {:>9} {plain:>9.2} {annotated:>12.2} {:>18.2}",
            work.name(),
            (annotated - plain) / functions as f64 * 1e3,
        );
    }
    println!(
        "{functions:>9} {:>9} {:>9.1} {:>12.1}   (the debug program, MB)",
        "size",
        plain.size(),
        annotated.size(),
    );
}
