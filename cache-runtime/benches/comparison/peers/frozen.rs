//! Redis stops answering, with all its connections open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::Cache;
use tokio::time::{sleep, timeout};

use super::super::measure::median;
use super::super::scenarios::{Bench, ENTRIES};
use super::super::server::Server;
use super::{Load, PEERS, Peer};

/// How long Redis does not answer. Nobody waits for a call longer than that.
const FROZEN: Duration = Duration::from_secs(5);
const CALLERS: u64 = 8;
/// From the end of a call to the next one of its caller.
const PAUSE: Duration = Duration::from_millis(1);

/// Calls while Redis is frozen, in milliseconds each.
#[derive(Default)]
struct Calls {
    took: Vec<f64>,
    errors: usize,
}

impl Bench {
    /// What callers wait for a body that costs nothing.
    pub(super) fn frozen(&self, server: &Server) {
        println!("\nRedis is frozen for {FROZEN:?}, callers: {CALLERS}");
        println!(
            "  {:<18} {:>10} {:>9} {:>9} {:>11} {:>12}",
            "", "calls", "errors", "p50 ms", "longest ms", "ms per call"
        );
        for name in PEERS {
            let peer = self.runtime.block_on(connected(name, server.url()));
            server.freeze();
            let Calls { mut took, errors } = self.runtime.block_on(calls(peer));
            server.thaw();
            took.sort_by(f64::total_cmp);
            let calls = took.len();
            println!(
                "  {name:<18} {calls:>10} {errors:>9} {:>9.3} {:>11.1} {:>12.3}",
                median(took.iter().copied()),
                took.last().copied().unwrap_or_default(),
                took.iter().sum::<f64>() / calls as f64,
            );
        }
    }
}

/// With a connection that has not been frozen before, but for `cached`, which keeps its own.
async fn connected(name: &str, url: &str) -> Arc<Peer> {
    Cache::connect(url).expect("a Redis URL").install();
    let peer = Peer::connected(name, url).await;
    peer.user(0, Load::Free).await.expect("an answer");
    Arc::new(peer)
}

async fn calls(peer: Arc<Peer>) -> Calls {
    let end = Instant::now() + FROZEN;
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let peer = Arc::clone(&peer);
            tokio::spawn(async move {
                let (mut calls, mut id) = (Calls::default(), caller);
                while Instant::now() < end {
                    let began = Instant::now();
                    let left = end - began;
                    let answer = timeout(left, peer.user(id % ENTRIES, Load::Free)).await;
                    calls.took.push(began.elapsed().as_secs_f64() * 1e3);
                    calls.errors += usize::from(!matches!(answer, Ok(Ok(_))));
                    id += CALLERS;
                    sleep(PAUSE).await;
                }
                calls
            })
        })
        .collect();
    let mut all = Calls::default();
    for caller in callers {
        let calls = caller.await.expect("a caller that does not panic");
        all.took.extend(calls.took);
        all.errors += calls.errors;
    }
    all
}
