//! A store, a cache over it, and calls that wait.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use cache_fixtures::stores::{OnStore, Store};
use cache_fixtures::{patient, stats};
use cache_runtime::Cache;
use cache_runtime::stats::FunctionStats;
use cache_testing::barrier::Counter;

#[derive(Debug)]
pub struct Fixture {
    pub cache: Cache,
    /// A cache that panics where its functions are used wrongly, and shares no entries with the
    /// other.
    pub strict: Cache,
    pub runs: Counter,
    _store: Store,
}

impl OnStore for Fixture {
    fn on(store: Store) -> Self {
        let strict = store.connect(patient().namespace("strict").panic_on_misuse(true));
        Self { cache: store.cache(), strict, runs: Counter::new(), _store: store }
    }
}

impl Fixture {
    pub fn stats(&self, function: &str) -> FunctionStats {
        stats(&self.cache, function)
    }
}

/// Lets calls that have [begun] go on until something has happened, before any of them ends.
macro_rules! going_on {
    ($happened:expr; $($call:expr),+) => {
        tokio::select! {
            biased;
            $(_ = $call.as_mut() => panic!("a call has ended"),)+
            () = $happened => {}
        }
    };
}
pub(crate) use going_on;

/// A call that has begun, and waits: for a gate, or for another call's load.
pub async fn begun<F: Future>(call: F) -> Pin<Box<F>> {
    let mut call = Box::pin(call);
    let is_ready = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
    assert!(!is_ready, "the call waits");
    call
}
