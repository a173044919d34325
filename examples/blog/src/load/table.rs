//! What is printed.

use std::time::Duration;

use blog::Variant;

use crate::measure::Measured;
use crate::options::{Plan, Store};

/// What it was measured on, and the head of the table.
pub(crate) fn begin(plan: &Plan) {
    let store = match plan.store {
        Store::Redis => "a Redis of its own on this machine",
        Store::Memory => "the memory of the service",
    };
    println!(
        "{} clients at once, over HTTP on this machine; the cache is {store}.\n\
        The database: {} connections, each statement occupies one for {:?} (the timer adds up \
        to 1 ms),\nand then SQLite does it.\n",
        plan.clients, plan.connections, plan.statement,
    );
    println!(
        "{:>6} {:7} {:>10} {:>9} {:>9} {:>18} {:>9}   beside plain",
        "writes", "variant", "requests/s", "p50", "p99", "statements/request", "hit ratio"
    );
}

/// The rows of one share of writes. The first is what the others are compared with.
pub(crate) fn show(writes: f64, variants: &[Variant], measured: &[Measured]) {
    let rows: Vec<Row> = measured.iter().map(Row::of).collect();
    for (variant, row) in variants.iter().zip(&rows) {
        let beside = match rows.first() {
            Some(plain) if *variant != Variant::Plain => row.beside(plain),
            _ => String::new(),
        };
        println!("{writes:>5}% {variant:7} {row}   {beside}", row = row.text());
    }
}

struct Row {
    rate: f64,
    p50: Duration,
    p99: Duration,
    statements: f64,
    hit_ratio: Option<f64>,
}

impl Row {
    fn of(measured: &Measured) -> Self {
        let mut reads = measured.reads.clone();
        reads.sort_unstable();
        let at =
            |percent: usize| reads.get(reads.len() * percent / 100).copied().unwrap_or_default();
        let requests = number(measured.requests);
        let lookups = measured.hits + measured.misses;
        Self {
            rate: requests / measured.time.as_secs_f64(),
            p50: at(50),
            p99: at(99),
            statements: number(measured.statements) / requests,
            hit_ratio: (lookups > 0).then(|| number(measured.hits) / number(lookups)),
        }
    }

    fn text(&self) -> String {
        let millis = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let (p50, p99) = (millis(self.p50), millis(self.p99));
        let ratio = self.hit_ratio.map_or_else(String::new, |ratio| format!("{:.1}%", ratio * 1e2));
        let Self { rate, statements, .. } = self;
        format!("{rate:>10.0} {p50:>9} {p99:>9} {statements:>18.3} {ratio:>9}")
    }

    fn beside(&self, plain: &Self) -> String {
        format!(
            "{:.2} x requests/s, {:.2} x statements/request, {:.2} x p99",
            self.rate / plain.rate,
            self.statements / plain.statements,
            self.p99.as_secs_f64() / plain.p99.as_secs_f64(),
        )
    }
}

/// Counts of a few seconds, which fit.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
