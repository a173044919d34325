//! The work, and the goals. Where a goal does not say where client and server run, it is to be
//! reached wherever they do.

use super::super::batches::BATCHED;
use super::super::placement::{Placement, SAME_CORE, TWO_CORES, UNPINNED_2};
use super::super::queues::{PUSH, WORKER};
use super::super::scenarios::CACHED;
use super::super::writes::{INVALIDATES, WRITE_THROUGH};
use super::goal::Bound::{AtLeast, AtMost};
use super::goal::Figure::{Beyond, Cpu, P50, Throughput};
use super::goal::{Bound, Figure, Goal};
use super::work::Work;

const WHEREVER: &[Placement] = &[UNPINNED_2, SAME_CORE, TWO_CORES];

const fn goal(contender: &'static str, figure: Figure, bound: Bound) -> Goal {
    Goal { contender, figure, bound }
}

pub(super) const WORKS: &[Work] = &[
    Work {
        group: "hits",
        name: "hits, 300 B, 1 caller",
        placements: &[SAME_CORE],
        contenders: |bench| bench.hits_of_users(1),
        goals: &[goal(CACHED, P50, AtMost(1.0)), goal(CACHED, Cpu, AtMost(0.95))],
    },
    Work {
        group: "hits",
        name: "hits, 300 B, 64 callers",
        placements: &[UNPINNED_2],
        contenders: |bench| bench.hits_of_users(64),
        goals: &[goal(CACHED, Throughput, AtLeast(1.5)), goal(CACHED, Cpu, AtMost(0.65))],
    },
    Work {
        group: "hits",
        name: "hits, 300 B, 256 callers",
        placements: &[UNPINNED_2],
        contenders: |bench| bench.hits_of_users(256),
        goals: &[goal(CACHED, Throughput, AtLeast(1.5)), goal(CACHED, Cpu, AtMost(0.65))],
    },
    Work {
        group: "hits",
        name: "hits, 300 B, 64 callers",
        placements: &[TWO_CORES],
        contenders: |bench| bench.hits_of_users(64),
        goals: &[goal(CACHED, Throughput, AtLeast(1.15)), goal(CACHED, Cpu, AtMost(0.65))],
    },
    Work {
        group: "hits",
        name: "hits, 300 B, 256 callers",
        placements: &[TWO_CORES],
        contenders: |bench| bench.hits_of_users(256),
        goals: &[goal(CACHED, Throughput, AtLeast(1.15)), goal(CACHED, Cpu, AtMost(0.65))],
    },
    Work {
        group: "hits",
        name: "hits, 10 KB, 64 callers",
        placements: WHEREVER,
        contenders: |bench| bench.hits_of_pages(64),
        goals: &[goal(CACHED, Throughput, AtLeast(1.1)), goal(CACHED, Cpu, AtMost(0.9))],
    },
    Work {
        group: "misses",
        name: "misses, 300 B, 1 caller",
        placements: &[SAME_CORE],
        contenders: |bench| bench.misses_of_users(1),
        goals: &[goal(CACHED, P50, AtMost(1.5))],
    },
    Work {
        group: "misses",
        name: "misses, 300 B, 64 callers",
        placements: WHEREVER,
        contenders: |bench| bench.misses_of_users(64),
        goals: &[goal(CACHED, Throughput, AtLeast(0.75))],
    },
    Work {
        group: "writes",
        name: "writes, 64 callers",
        placements: WHEREVER,
        contenders: |bench| bench.invalidations(64),
        goals: &[goal(INVALIDATES, Throughput, AtLeast(0.5))],
    },
    Work {
        group: "writes",
        name: "writes, 300 B, 64 callers",
        placements: WHEREVER,
        contenders: |bench| bench.writes_through(64),
        goals: &[goal(WRITE_THROUGH, Throughput, AtLeast(0.5))],
    },
    Work {
        group: "batches",
        name: "100 hits at once, 1 caller",
        placements: WHEREVER,
        contenders: |bench| bench.batches_of_hits(1),
        goals: &[goal(BATCHED, Throughput, AtLeast(1.0))],
    },
    Work {
        group: "batches",
        name: "100 misses at once, 1 caller",
        placements: WHEREVER,
        contenders: |bench| bench.batches_of_misses(1),
        goals: &[goal(BATCHED, Throughput, AtLeast(0.5))],
    },
    Work {
        group: "queues",
        name: "pushed, 300 B, 64 callers",
        placements: WHEREVER,
        contenders: |bench| bench.pushes_to_queue(64),
        goals: &[goal(PUSH, Throughput, AtLeast(0.5))],
    },
    Work {
        group: "queues",
        name: "worked off, 300 B",
        placements: WHEREVER,
        contenders: |bench| bench.drains_of_queue(),
        goals: &[goal(WORKER, Throughput, AtLeast(0.8))],
    },
    Work {
        group: "memory",
        name: "hits in memory, 300 B, beside moka",
        placements: &[SAME_CORE],
        contenders: |bench| bench.hits_in_memory(),
        goals: &[goal(CACHED, P50, AtMost(1.5))],
    },
    Work {
        group: "outage",
        name: "breaker open, beside the body",
        placements: &[SAME_CORE],
        contenders: |bench| bench.calls_without_redis(),
        goals: &[goal(CACHED, Beyond, AtMost(1000.0))],
    },
];
