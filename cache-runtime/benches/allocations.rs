//! Allocations per call of an annotated function and of the same function written by hand, and the
//! sizes of their futures. These are counted, not timed: one run is as good as many.
//!
//! ```text
//! cargo bench -p cache-runtime --bench allocations
//! ```

#![expect(clippy::expect_used, reason = "a bench ends where it cannot go on")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

#[expect(dead_code, reason = "not all is measured here")]
#[path = "comparison/hand.rs"]
mod hand;
#[path = "comparison/ours.rs"]
mod ours;
#[expect(dead_code, reason = "nothing is pinned to a processor here")]
#[path = "comparison/server.rs"]
mod server;
#[path = "comparison/subject.rs"]
mod subject;

use std::alloc::System;
use std::hint::black_box;
use std::mem::size_of_val;

use cache_runtime::Cache;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CALLS: u64 = 1000;

fn main() {
    let server = server::Server::start();
    // One thread, so that nothing else allocates meanwhile but the task that drives the connection,
    // which belongs to the call.
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        Cache::connect(server.url()).expect("a Redis URL").install();
        let client = redis::Client::open(server.url()).expect("a Redis URL");
        let connection = client.get_multiplexed_async_connection().await.expect("a connection");
        let by_hand = |id| hand::user(connection.clone(), id);

        println!("{:<26} {:>11} {:>9}", "per call", "allocations", "bytes");
        report("hit by hand", by_hand, |_| 0).await;
        report("hit #[cached]", ours::user, |_| 0).await;
        report("miss by hand", by_hand, |call| call + 1).await;
        report("miss #[cached]", ours::user, |call| call + 1).await;
        let embedded = Cache::in_memory();
        report("hit in memory #[cached]", |id| embedded.scope(ours::user(id)), |_| 0).await;
        println!("\n{:<26} {:>9}", "future", "bytes");
        println!("{:<26} {:>9}", "by hand", size_of_val(&by_hand(0)));
        println!("{:<26} {:>9}", "#[cached]", size_of_val(&ours::user(0)));
    });
}

async fn report<B: Future>(name: &str, call: impl Fn(u64) -> B, argument: impl Fn(u64) -> u64) {
    // The first calls connect, store, and size the buffers.
    for _ in 0..100 {
        black_box(call(0).await);
    }
    let region = Region::new(ALLOCATOR);
    for number in 0..CALLS {
        black_box(call(argument(number)).await);
    }
    let change = region.change();
    // What does not happen on every call, such as the growth of a buffer, does not count.
    let per_call = |total: usize| total as f64 / CALLS as f64;
    let allocations = per_call(change.allocations + change.reallocations);
    println!("{name:<26} {allocations:>11.1} {:>9.0}", per_call(change.bytes_allocated));
}
