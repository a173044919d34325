//! The second stage of a batch: runs the body, for all of its ids at once or in chunks.
//!
//! The body of a batch in chunks fails as a whole, like any other: with the first error no further chunk is begun, those
//! that are running are dropped, and the batch returns that error. The values of the chunks that have ended by then are
//! stored all the same, and serve waiters.

use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::Hash;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use super::{Batch, Batched, Id, Loads, keep};
use crate::cache::Cache;
use crate::callsite::Callsite;
use crate::limit;
use crate::outcome::OfOne;
use crate::read::attempt::{Attempt, guarded, keeping};
use crate::read::ending::Ending;
use crate::read::loading::Running;
use crate::store::Convoy;

/// How many ids one run of the body is given, and how many runs there are at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks {
    pub(super) most: usize,
    pub(super) at_once: usize,
}

impl Chunks {
    /// One run with all of them.
    pub(super) const NONE: Self = Self { most: usize::MAX, at_once: 1 };
}

/// What the body returned for the ids of a round.
pub(super) struct Loaded<R, T> {
    /// One result for each, and how long its run took.
    pub(super) results: Vec<(OfOne<T>, Duration)>,
    /// The error of the first run that failed.
    pub(super) failure: Option<R>,
}

impl<T, U: Fn(&T) -> bool> Batch<'_, T, U> {
    /// Runs the body for all ids of a round, and keeps their leases meanwhile.
    pub(super) async fn load<I: Id, R, B: Future<Output = R>>(
        &self,
        callsite: &'static Callsite,
        batched: &Batched<R, I, T>,
        (ids, loads): (&[I], &Loads),
        chunks: Chunks,
        load: &Mutex<impl FnMut(Vec<I>) -> B>,
    ) -> Loaded<R, T> {
        let Chunks { most, at_once } = chunks;
        let mut ended: Vec<_> = loads.chunks(most).map(|_| None).collect();
        let failure = {
            let runs = loads.chunks(most).enumerate().map(|(number, chunk)| {
                let ids = chunk.iter().filter_map(|(at, _)| ids.get(*at).cloned()).collect();
                let running = Running::new(self.cache, callsite);
                async move {
                    let start = || {
                        running.start();
                        let mut load = load.lock().unwrap_or_else(PoisonError::into_inner);
                        (*load)(ids)
                    };
                    let result = limit::bounded(self.cache, callsite, batched.refuse, start).await;
                    let loaded = batched.take_apart(result);
                    (number, running.end(loaded.is_ok()), loaded)
                }
            });
            let take = |(number, took, loaded)| match loaded {
                Ok(pairs) => {
                    keep(&mut ended, number, Some((pairs, took)));
                    None
                }
                Err(result) => Some(result),
            };
            let mut body = pin!(run(runs, at_once, take));
            self.watch(loads, body.as_mut()).await
            // What the body held, such as a connection, is given back before the values are stored.
        };
        let error = failure.as_ref().and_then(|result| guarded(|| batched.share(result)).flatten());
        let mut results = Vec::with_capacity(loads.len());
        for (chunk, ended) in loads.chunks(most).zip(ended) {
            match ended {
                Some((pairs, took)) => {
                    let sorted = sort(ids, chunk, pairs, batched.nothing).into_iter();
                    results.extend(sorted.map(|result| (result, took)));
                }
                None => results.extend(chunk.iter().map(|_| (Err(error.clone()), Duration::ZERO))),
            }
        }
        Loaded { results, failure }
    }

    /// The second stage of a single read, for all of a round: runs the body, and keeps the leases meanwhile.
    async fn watch<B: Future>(&self, loads: &Loads, body: Pin<&mut B>) -> B::Output {
        let leases: Vec<_> = loads.iter().filter_map(|(_, attempt)| attempt.lease()).collect();
        let Some(length) = leases.first().map(|lease| lease.length()) else {
            return body.await;
        };
        let patience = self.cache.settings().budget;
        let renew = || Convoy::new(leases.iter().map(|lease| lease.renew()), patience);
        keeping(body, length, || Box::pin(renew().finish(self.cache.store()))).await
    }
}

/// What the body returned for each id of a round. What it returned for other ids is dropped.
fn sort<I: Eq + Hash, T>(
    ids: &[I],
    loads: &[(usize, Attempt)],
    pairs: Vec<(I, T)>,
    nothing: fn() -> Option<T>,
) -> Vec<OfOne<T>> {
    let asked = loads.iter().enumerate();
    let asked = asked.filter_map(|(place, (at, _))| Some((ids.get(*at)?, place)));
    let places: HashMap<&I, usize> = asked.collect();
    let mut values: Vec<Option<T>> = loads.iter().map(|_| None).collect();
    for (id, value) in pairs {
        if let Some(place) = places.get(&id) {
            keep(&mut values, *place, Some(value));
        }
    }
    values.into_iter().map(|value| value.or_else(nothing).ok_or(None)).collect()
}

/// Stores in the background what some chunks have loaded of a batch that has failed: its error is not held meanwhile, as
/// it may be one that stays on its thread.
pub(super) fn store_behind(
    cache: &Cache,
    callsite: &'static Callsite,
    endings: Vec<Ending>,
    patience: Duration,
) {
    if endings.is_empty() {
        return;
    }
    let of = cache.clone();
    cache.background().run(async move {
        let endings = endings.into_iter().map(|ending| ending.finish(callsite));
        Convoy::new(endings, patience).finish(of.store()).await;
    });
}

/// Runs futures, in order and so many at once, until `end` makes an end of what comes of one of them: its error, which is
/// not held while others run.
async fn run<F: Future, E>(
    mut waiting: impl Iterator<Item = F>,
    at_once: usize,
    mut end: impl FnMut(F::Output) -> Option<E>,
) -> Option<E> {
    let mut running: Vec<Pin<Box<F>>> = Vec::new();
    poll_fn(|cx| {
        loop {
            while running.len() < at_once
                && let Some(next) = waiting.next()
            {
                running.push(Box::pin(next));
            }
            let (before, mut error) = (running.len(), None);
            running.retain_mut(|future| {
                if error.is_some() {
                    return true;
                }
                match future.as_mut().poll(cx) {
                    Poll::Ready(output) => {
                        error = end(output);
                        false
                    }
                    Poll::Pending => true,
                }
            });
            if error.is_some() || before == 0 {
                return Poll::Ready(error);
            }
            // If some have ended, there is room for others.
            if running.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::ready;

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn so_many_run_at_once_and_all_run() {
        let (gate, running) = (Semaphore::new(0), RefCell::new(Vec::new()));
        let future = |number: usize| {
            let (gate, running) = (&gate, &running);
            async move {
                running.borrow_mut().push(number);
                gate.acquire().await.unwrap().forget();
                number
            }
        };
        let mut taken = Vec::new();
        let mut all = Box::pin(run((0..5).map(future), 2, |number| {
            taken.push(number);
            None::<()>
        }));
        for begun in [2, 3, 4, 5] {
            assert!(poll_fn(|cx| Poll::Ready(all.as_mut().poll(cx).is_pending())).await);
            assert_eq!(running.borrow().len(), begun);
            gate.add_permits(1);
        }
        gate.add_permits(1);
        assert_eq!(all.await, None);
        assert_eq!(taken, [0, 1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn nothing_runs_after_the_first_that_fails() {
        let mut ended = Vec::new();
        let failure = run((0..5).map(ready), 3, |number| {
            ended.push(number);
            (number == 1).then_some("failed")
        });
        assert_eq!(failure.await, Some("failed"));
        assert_eq!(ended, [0, 1]);
        assert_eq!(run(std::iter::empty::<std::future::Ready<()>>(), 3, Some).await, None);
    }
}
