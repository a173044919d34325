//! The calls whose costs are counted.

use std::hint::black_box;
use std::mem::size_of_val;

use cache_runtime::Cache;
use redis::aio::MultiplexedConnection;
use tokio::runtime::{Builder, Runtime};

use super::counts::Counts;
use super::{hand, ours};

/// Calls before those that count: the first ones connect, store, and size the buffers.
const FIRST: u64 = 100;

#[derive(Clone, Copy)]
pub(crate) enum Work {
    HitByHand,
    Hit,
    MissByHand,
    Miss,
    HitInMemory,
}

impl Work {
    pub(crate) const ALL: [Self; 5] =
        [Self::HitByHand, Self::Hit, Self::MissByHand, Self::Miss, Self::HitInMemory];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HitByHand => "hit, by hand",
            Self::Hit => "hit, #[cached]",
            Self::MissByHand => "miss, by hand",
            Self::Miss => "miss, #[cached]",
            Self::HitInMemory => "in memory, #[cached]",
        }
    }

    pub(crate) fn size_of_future(self, url: &str) -> usize {
        match self {
            Self::HitByHand | Self::MissByHand => {
                let connection = runtime(1).block_on(connection(url));
                size_of_val(&hand::user(connection, 0))
            }
            _ => size_of_val(&ours::user(0)),
        }
    }

    async fn calls(self, url: &str, calls: u64) -> Counts {
        match self {
            Self::HitByHand => {
                let connection = connection(url).await;
                counted(calls, |_| hand::user(connection.clone(), 0)).await
            }
            Self::MissByHand => {
                let mut connection = connection(url).await;
                let () = redis::cmd("FLUSHALL").query_async(&mut connection).await.expect("one");
                counted(calls, |id| hand::user(connection.clone(), id)).await
            }
            Self::Hit => {
                Cache::connect(url).expect("a Redis URL").install();
                counted(calls, |_| ours::user(0)).await
            }
            Self::Miss => {
                let mut connection = connection(url).await;
                let () = redis::cmd("FLUSHALL").query_async(&mut connection).await.expect("one");
                Cache::connect(url).expect("a Redis URL").install();
                counted(calls, ours::user).await
            }
            Self::HitInMemory => {
                Cache::in_memory().install();
                counted(calls, |_| ours::user(0)).await
            }
        }
    }
}

/// Does so many calls in a process of its own, and prints what they have cost.
pub(crate) fn child(arguments: &[String]) {
    let [url, name, workers, calls] = arguments else { panic!("not to be called by hand") };
    let work = Work::ALL.into_iter().find(|work| work.name() == name).expect("a known work");
    let (url, calls) = (url.clone(), calls.parse().expect("a number of calls"));
    let workers = workers.parse().expect("a number of workers");
    let counts = runtime(workers)
        .block_on(async move { tokio::spawn(async move { work.calls(&url, calls).await }).await });
    println!("{}", counts.expect("calls that do not panic"));
}

fn runtime(workers: usize) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    runtime.expect("a runtime")
}

async fn connection(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).expect("a Redis URL");
    client.get_multiplexed_async_connection().await.expect("a connection")
}

async fn counted<B: Future>(calls: u64, call: impl Fn(u64) -> B) -> Counts {
    for number in 0..FIRST {
        black_box(call(number).await);
    }
    let before = Counts::of_this_process();
    for number in FIRST..FIRST + calls {
        black_box(call(number).await);
    }
    Counts::of_this_process().per_call_since(before, calls)
}
