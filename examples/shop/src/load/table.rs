//! What is printed.

use std::time::Duration;

use crate::measure::Measured;
use crate::options::Plan;

/// What is measured on what.
pub(crate) fn begin(plan: &Plan) {
    println!("{}\n", conditions(plan).join("\n"));
}

/// In two lines.
pub(crate) fn conditions(plan: &Plan) -> [String; 2] {
    let Plan { writes, clients, connections, .. } = plan;
    let (think, query) = (time(plan.think), time(plan.query));
    [
        format!("{clients} visitors, {think} between their requests, {writes} % of which write."),
        format!("The database: {connections} connections, each query occupies one for {query}."),
    ]
}

pub(crate) fn show(plan: &Plan, measured: &[Measured]) {
    println!(
        "{:15} {:>10} {:>9} {:>15} {:>9} {:>9}",
        "", "requests/s", "queries/s", "queries/request", "p50", "p99"
    );
    for (store, it) in plan.stores.iter().zip(measured) {
        println!(
            "{store:15} {:>10.0} {:>9.0} {:>15.3} {:>9} {:>9}",
            it.requests_per_second(),
            it.queries_per_second(),
            it.queries_per_request(),
            time(it.quantile(500)),
            time(it.quantile(990)),
        );
    }
    let Some((first, others)) = measured.split_first() else { return };
    println!();
    for (store, it) in plan.stores.iter().skip(1).zip(others) {
        println!(
            "{store}: {:.0} % fewer queries for a request, {:.0} % fewer in a second; \
                a read in {} rather than {}.",
            100.0 * (1.0 - it.queries_per_request() / first.queries_per_request()),
            100.0 * (1.0 - it.queries_per_second() / first.queries_per_second()),
            time(it.quantile(500)),
            time(first.quantile(500)),
        );
    }
}

pub(crate) fn time(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}
