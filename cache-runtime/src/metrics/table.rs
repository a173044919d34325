//! The counters as a table for people.

use std::fmt;

use crate::metrics::snapshot::Counter;
use crate::metrics::{FunctionStats, QueueStats, Stats};

/// Rows under one head. The first cell of a row is text, the others are numbers.
struct Table {
    head: Vec<&'static str>,
    rows: Vec<Row>,
}

struct Row {
    cells: Vec<String>,
    /// What is not zero and has no column.
    more: Vec<(&'static str, u64)>,
}

/// One table of the functions and one of the queues, where there are any, and a line about the
/// store.
///
/// A counter without a column of its own is named below its row, unless it is zero. Times are
/// bounds of [buckets](crate::stats::Histogram).
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Table::of_functions(&self.functions).fmt(f)?;
        Table::of_queues(&self.queues).fmt(f)?;
        write!(f, "undelivered invalidations {}", self.journal_depth)?;
        if let Some(breaker) = self.breaker {
            write!(f, ", breaker {breaker}, connections {}", self.connections)?;
        }
        Ok(())
    }
}

impl Table {
    fn of_functions(functions: &[FunctionStats]) -> Self {
        let head =
            ["function", "hits", "misses", "hit rate", "loads", "failed", "median", "slowest"];
        // Its reasons say more than the count of all that were uncached.
        let shown = ["hit", "uncached", "loads_ok", "loads_failed", "loads_cancelled"];
        let rows = functions.iter().map(|it| Row {
            cells: vec![
                it.function.to_owned(),
                it.hits().to_string(),
                it.misses().to_string(),
                it.hit_rate().map_or_else(String::new, |rate| format!("{:.1} %", 100.0 * rate)),
                it.loads().to_string(),
                it.loads_failed.to_string(),
                at_most(it.load_duration.total().quantile(0.5)),
                at_most(it.load_duration.total().quantile(1.0)),
            ],
            more: of_note(it.counters(), &shown),
        });
        Self { head: head.into(), rows: rows.collect() }
    }

    fn of_queues(queues: &[QueueStats]) -> Self {
        let head = ["queue", "pushed", "delivered", "batches", "dead letters"];
        let rows = queues.iter().map(|it| Row {
            cells: vec![
                it.queue.to_owned(),
                it.pushed.to_string(),
                it.delivered.to_string(),
                it.batches.to_string(),
                it.dead_letters.to_string(),
            ],
            more: {
                let shown = ["pushed", "delivered", "batches", "dead_letters"];
                let mut more = of_note(it.counters(), &shown);
                let owned = ("partitions_owned", it.partitions_owned);
                more.extend(Some(owned).filter(|(_, count)| *count > 0));
                more
            },
        });
        Self { head: head.into(), rows: rows.collect() }
    }

    /// How wide a column is.
    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.cells.get(column));
        let widths = cells.map(|cell| cell.chars().count());
        widths.chain(self.head.get(column).map(|head| head.len())).max().unwrap_or_default()
    }

    fn line<C: AsRef<str>>(&self, f: &mut fmt::Formatter<'_>, cells: &[C]) -> fmt::Result {
        for (column, cell) in cells.iter().enumerate() {
            let (cell, width) = (cell.as_ref(), self.width(column));
            if column == 0 { write!(f, "{cell:<width$}") } else { write!(f, "  {cell:>width$}") }?;
        }
        writeln!(f)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.line(f, &self.head)?;
        for Row { cells, more } in &self.rows {
            self.line(f, cells)?;
            let more: Vec<_> = more
                .iter()
                .map(|(name, count)| format!("{} {count}", name.replace('_', " ")))
                .collect();
            if !more.is_empty() {
                writeln!(f, "    {}", more.join(", "))?;
            }
        }
        Ok(())
    }
}

fn of_note(
    counters: impl IntoIterator<Item = Counter>,
    shown: &[&str],
) -> Vec<(&'static str, u64)> {
    let all = counters.into_iter().map(|it| (it.field, it.count));
    all.filter(|(name, count)| *count > 0 && !shown.contains(name)).collect()
}

/// The bound of a bucket, in the unit that a person would choose; nothing where nothing was
/// measured.
fn at_most(bound: Option<f64>) -> String {
    let us = bound.unwrap_or_default() * 1e6;
    match us {
        0.0 => String::new(),
        f64::INFINITY => "> 60 s".to_owned(),
        ..1e3 => format!("≤ {us:.0} µs"),
        ..1e6 => format!("≤ {} ms", us / 1e3),
        _ => format!("≤ {} s", us / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::metrics::BreakerState;
    use crate::metrics::histogram::{Buckets, Histograms};
    use crate::metrics::{LoadResult, Misses, Outcomes, UncachedCalls};

    #[test]
    fn columns_are_aligned_and_nothing_that_happened_is_left_out() {
        let loads = Buckets::of_durations();
        for us in [812, 812, 2_340_000] {
            loads.took(Duration::from_micros(us));
        }
        let functions = vec![
            FunctionStats {
                function: "users::get_user",
                outcomes: Outcomes { hit: 1204, loaded: 11, uncached: 1, ..Outcomes::default() },
                uncached: UncachedCalls { unavailable: 1, ..UncachedCalls::default() },
                misses: Misses { absent: 9, tag: 3, ..Misses::default() },
                loads_ok: 11,
                loads_failed: 1,
                loads_cancelled: 1,
                fills_stored: 11,
                store_down: 3,
                load_duration: Histograms::new([(LoadResult::Ok, loads.snapshot())]),
                ..FunctionStats::default()
            },
            FunctionStats { function: "by hand", invalidations: 2, ..FunctionStats::default() },
        ];
        let queue = QueueStats {
            queue: "views",
            pushed: 10,
            delivered: 10,
            batches: 1,
            ..QueueStats::default()
        };
        let queues = vec![QueueStats { direct: 2, ..queue }];
        let breaker = Some(BreakerState::HalfOpen);
        let stats = Stats { functions, queues, breaker, connections: 1, ..Stats::default() };
        let expected = "\
function         hits  misses  hit rate  loads  failed  median  slowest
users::get_user  1204      12    99.0 %     13       1  ≤ 1 ms  ≤ 2.5 s
    loaded 11, uncached unavailable 1, missed absent 9, missed tag 3, fills stored 11, store down 3
by hand             0       0                0       0                 \n    invalidations 2
queue  pushed  delivered  batches  dead letters
views      10         10        1             0
    direct 2
undelivered invalidations 0, breaker half_open, connections 1";
        assert_eq!(stats.to_string(), expected);
    }

    #[test]
    fn a_cache_that_did_nothing_has_no_table() {
        assert_eq!(Stats::default().to_string(), "undelivered invalidations 0");
    }
}
