//! Whose errors a call is given: its own, and those of calls of the same function for the same ids.

use std::collections::{BTreeSet, HashMap};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use cache_fixtures::stores::on_both_stores;
use cache_runtime::cached;
use cache_testing::barrier::{Gate, eventually};
use cache_testing::within_limit;

use crate::batch::fixture::Fixture;

/// Items of which some cannot be read.
#[derive(Clone, Debug)]
struct Items(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    broken: BTreeSet<u64>,
    /// Holds the first load.
    gate: Gate,
    /// Which function was run for which ids.
    runs: Mutex<Vec<(&'static str, Vec<u64>)>>,
}

/// Says whose error it is. All who wait could have a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Broken {
    by: &'static str,
    ids: Vec<u64>,
}

impl Items {
    fn with_broken<const N: usize>(broken: [u64; N]) -> Self {
        let (gate, runs) = (Gate::new(), Mutex::default());
        Self(Arc::new(Inner { broken: broken.into(), gate, runs }))
    }

    async fn load(&self, by: &'static str, ids: &[u64]) -> Result<HashMap<u64, u64>, Broken> {
        let is_first = {
            let mut runs = self.0.runs.lock().unwrap();
            runs.push((by, ids.to_vec()));
            runs.len() == 1
        };
        if is_first {
            self.0.gate.pass().await;
        }
        if ids.iter().any(|id| self.0.broken.contains(id)) {
            return Err(Broken { by, ids: ids.to_vec() });
        }
        Ok(ids.iter().map(|id| (*id, 10 * id)).collect())
    }

    /// All runs but the first.
    fn later_runs(&self) -> Vec<(&'static str, Vec<u64>)> {
        self.0.runs.lock().unwrap()[1..].to_vec()
    }
}

#[cached(key = "item:<id>", ttl = 3600, skip(items))]
async fn item(items: &Items, id: u64) -> Result<u64, Broken> {
    Ok(items.load("item", &[id]).await?[&id])
}

/// The same entry and the same types.
#[cached(key = item_key(&id), ttl = 3600, skip(items))]
async fn other_item(items: &Items, id: u64) -> Result<u64, Broken> {
    Ok(items.load("other_item", &[id]).await?[&id])
}

#[cached(batch(id in ids), key = item_key(id), ttl = 3600, skip(items))]
async fn many(items: &Items, ids: &[u64]) -> Result<HashMap<u64, u64>, Broken> {
    items.load("many", ids).await
}

#[cached(batch(id in ids), key = item_key(id), ttl = 3600, skip(items))]
async fn other_many(items: &Items, ids: &[u64]) -> Result<HashMap<u64, u64>, Broken> {
    items.load("other_many", ids).await
}

/// A call in a task of its own, which has begun to wait when this returns.
macro_rules! start {
    ($fixture:expr, $items:expr, $function:ident $ids:expr) => {{
        let items = $items.clone();
        let mut call = Box::pin($fixture.cache.scope(async move { $function(&items, $ids).await }));
        assert!(poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await);
        tokio::spawn(call)
    }};
}

/// A call that fails, and one that has waited for item 13 since before the load that failed: all
/// wait for a load that is then dropped, and the first of them takes over.
macro_rules! meet {
    (
        $fixture:expr, $items:expr,
        $first:ident $first_ids:expr, $second:ident $second_ids:expr $(, $other:expr)?
    ) => {{
        let dropped = start!($fixture, $items, item 13);
        $items.0.gate.entered(1).await;
        let first = start!($fixture, $items, $first $first_ids);
        let second = start!($fixture, $items, $second $second_ids);
        $(eventually!($fixture.cache.get(&item_key(&$other)).await.unwrap().is_some());)?
        dropped.abort();
        let first = within_limit("it takes over", first).await.unwrap();
        (first, within_limit("it ends", second).await.unwrap())
    }};
}

fn broken<const N: usize>(by: &'static str, ids: [u64; N]) -> Broken {
    Broken { by, ids: ids.into() }
}

on_both_stores! {
    a_single_read_has_not_failed_with_a_batch
    a_single_read_has_not_failed_with_a_batch_of_one
    a_batch_has_not_failed_with_a_single_read
    a_batch_of_less_has_not_failed_with_one_of_more
    a_batch_of_more_has_not_failed_with_one_of_less
    the_same_batch_fails_once_for_all
    the_same_read_fails_once_for_all
    two_functions_with_one_key_have_their_own_errors
    two_batches_with_the_same_keys_have_their_own_errors
    callers_at_the_same_time_have_their_own_errors
    those_who_cannot_share_an_error_share_what_is_loaded_next
}

/// Whichever of two batches leads when the first load is dropped: each ran its body for the row
/// that fails, and its error names nothing that it did not ask for.
fn each_has_its_own_error<T: std::fmt::Debug>(
    items: &Items,
    batches: [(Result<T, Broken>, &[u64]); 2],
) {
    for (result, asked) in batches {
        let Broken { by, ids } = result.unwrap_err();
        let named = ids.contains(&13) && ids.iter().all(|id| asked.contains(id));
        assert!(by == "many" && named, "{by} {ids:?} for {asked:?}");
    }
    let runs = items.later_runs();
    let failing = runs.iter().filter(|(by, ids)| *by == "many" && ids.contains(&13));
    assert_eq!(failing.count(), 2, "{runs:?}");
}

async fn a_single_read_has_not_failed_with_a_batch(fixture: Fixture) {
    let items = Items::with_broken([13]);
    let (first, second) = meet!(fixture, items, many &[13, 20], item 13, 20);
    assert_eq!(first, Err(broken("many", [13])));
    assert_eq!(second, Err(broken("item", [13])));
}

async fn a_single_read_has_not_failed_with_a_batch_of_one(fixture: Fixture) {
    let items = Items::with_broken([13]);
    let (first, second) = meet!(fixture, items, many &[13], item 13);
    assert_eq!(first, Err(broken("many", [13])));
    assert_eq!(second, Err(broken("item", [13])));
}

async fn a_batch_has_not_failed_with_a_single_read(fixture: Fixture) {
    let items = Items::with_broken([13]);
    let (first, second) = meet!(fixture, items, item 13, many &[13]);
    assert_eq!(first, Err(broken("item", [13])));
    assert_eq!(second, Err(broken("many", [13])));
}

async fn a_batch_of_less_has_not_failed_with_one_of_more(fixture: Fixture) {
    let items = Items::with_broken([13]);
    let (first, second) = meet!(fixture, items, many & [13, 20], many & [13]);
    each_has_its_own_error(&items, [(first, &[13, 20]), (second, &[13])]);
}

async fn a_batch_of_more_has_not_failed_with_one_of_less(fixture: Fixture) {
    let items = Items::with_broken([13]);
    let (first, second) = meet!(fixture, items, many & [13], many & [13, 20]);
    each_has_its_own_error(&items, [(first, &[13]), (second, &[13, 20])]);
}

/// In whatever order. The row that can be read is loaded by whichever of the two gets its lease, by
/// itself or together with the row that fails.
async fn the_same_batch_fails_once_for_all(fixture: Fixture) {
    let items = Items::with_broken([13]);
    let (first, second) = meet!(fixture, items, many & [13, 20], many & [20, 13, 20]);
    assert_eq!(first, second);
    let Broken { by, ids } = first.unwrap_err();
    assert!(by == "many" && ids.contains(&13), "{by} {ids:?}");
    let runs = items.later_runs();
    assert_eq!(runs.iter().filter(|(_, ids)| ids.contains(&13)).count(), 1, "{runs:?}");
}

async fn the_same_read_fails_once_for_all(fixture: Fixture) {
    let items = Items::with_broken([13]);
    let (first, second) = meet!(fixture, items, item 13, item 13);
    assert_eq!((&first, &second), (&Err(broken("item", [13])), &first));
    assert_eq!(items.later_runs(), [("item", vec![13])]);
}

async fn two_functions_with_one_key_have_their_own_errors(fixture: Fixture) {
    let items = Items::with_broken([13]);
    let (first, second) = meet!(fixture, items, item 13, other_item 13);
    assert_eq!(first, Err(broken("item", [13])));
    assert_eq!(second, Err(broken("other_item", [13])));
}

async fn two_batches_with_the_same_keys_have_their_own_errors(fixture: Fixture) {
    let items = Items::with_broken([13]);
    let (first, second) = meet!(fixture, items, many & [13], other_many & [13]);
    assert_eq!(first, Err(broken("many", [13])));
    assert_eq!(second, Err(broken("other_many", [13])));
}

/// Within the round trip by which the first one asks for its leases.
async fn callers_at_the_same_time_have_their_own_errors(fixture: Fixture) {
    let items = Items::with_broken([13]);
    items.0.gate.open();
    for round in 0..50 {
        let good = 100 + round;
        let ids = [13, good];
        let batch = fixture.cache.scope(many(&items, &ids));
        let one = fixture.cache.scope(item(&items, good));
        let other = fixture.cache.scope(many(&items, &ids[1..]));
        let (batch, one, other) = tokio::join!(batch, one, other);
        assert_eq!(batch.unwrap_err().by, "many");
        assert_eq!(one, Ok(10 * good));
        assert_eq!(other, Ok(HashMap::from([(good, 10 * good)])));
    }
}

/// They do not all load at once.
async fn those_who_cannot_share_an_error_share_what_is_loaded_next(fixture: Fixture) {
    let items = Items::with_broken([13]);
    let batch = start!(fixture, items, many & [13, 20]);
    items.0.gate.entered(1).await;
    let mut waiting = Vec::new();
    for _ in 0..100 {
        waiting.push(start!(fixture, items, item 20));
    }
    items.0.gate.open();
    assert_eq!(batch.await.unwrap(), Err(broken("many", [13, 20])));
    for call in waiting {
        assert_eq!(within_limit("it ends", call).await.unwrap(), Ok(200));
    }
    let runs = items.later_runs().len();
    assert!(runs <= 2, "{runs} of a hundred callers ran the body");
}
