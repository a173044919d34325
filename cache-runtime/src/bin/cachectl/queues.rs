//! `cachectl queues`

use cache_runtime::Cache;
use cache_runtime::queue::QueueSummary;

use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;
use crate::units::time;

pub(crate) async fn run(cache: &Cache, output: Output) -> Result<(), Failure> {
    cache.ping().await?;
    let queues = cache.queues().await?;
    output.print(&queues, table(&queues))
}

/// The queues, a line each.
pub(crate) fn table(queues: &[QueueSummary]) -> Table {
    let head = ["queue", "waiting", "pending", "lag", "dead", "workers", "partitions", "state"];
    let mut table = Table::new(head);
    for QueueSummary { queue, partitions, workers, length, .. } in queues {
        table.row([
            queue.clone(),
            length.waiting.to_string(),
            length.pending.to_string(),
            time(length.lag),
            length.dead_letters.to_string(),
            workers.to_string(),
            partitions.to_string(),
            state(*workers, length.paused).to_owned(),
        ]);
    }
    table
}

fn state(workers: usize, is_paused: bool) -> &'static str {
    match (is_paused, workers) {
        (true, _) => "paused",
        (false, 0) => "no worker",
        (false, _) => "delivers",
    }
}
