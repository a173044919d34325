//! The second stage of a batch: runs the body, for all of its ids at once or in chunks.
//!
//! The body of a batch in chunks fails as a whole, like any other: after the first error no further
//! chunk is begun, those that are running are dropped, and the batch returns that error. The values
//! of the chunks that have ended by then are stored all the same, and serve waiters.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::engine::Core;
use crate::engine::admission::Places;
use crate::policy::Callsite;
use crate::read::batch::Id;
use crate::read::batch::bodies::Bodies;
use crate::read::batch::load::{Load, in_order, keep, with_renewals};
use crate::read::load::finish::Finish;
use crate::read::load::running::Running;
use crate::store::Together;
use crate::support::trace::Trace;
use crate::typing::{Batched, OfOne};

/// How many ids one run of the body is given, and how many runs there are at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks {
    pub(super) most: usize,
    pub(super) at_once: usize,
}

/// What the body returned for the ids of a round.
pub(super) struct Loaded<R, T> {
    /// One result for each, and how its run ended.
    pub(super) results: Vec<(OfOne<T>, Ran)>,
    /// The error of the first run that failed.
    pub(super) failure: Option<R>,
}

/// How a run of the body ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ran {
    /// With a result, after so long.
    For(Duration),
    /// It was refused, because too many loads were running.
    Shed,
    /// It was dropped, or has not begun, because another one failed.
    Not,
}

impl Ran {
    pub(super) fn took(self) -> Duration {
        match self {
            Self::For(took) => took,
            Self::Shed | Self::Not => Duration::ZERO,
        }
    }
}

impl Chunks {
    /// One run with all of them.
    pub(super) const NONE: Self = Self { most: usize::MAX, at_once: 1 };

    /// Runs the body for all ids of a round, and renews their leases meanwhile.
    pub(super) async fn load<I: Id, R, T>(
        self,
        entry: (&Core, &'static Callsite),
        batched: &Batched<R, I, T>,
        (ids, loads): (&[I], &[Load<T>]),
        bodies: &Bodies<I, R>,
    ) -> Loaded<R, T> {
        let (Self { most, at_once }, (cache, callsite)) = (self, entry);
        let mut ended: Vec<_> = loads.chunks(most).map(|_| None).collect();
        let mut failed = None;
        let failure = {
            let runs = loads.chunks(most).enumerate().map(|(number, chunk)| {
                let ids = chunk.iter().filter_map(|load| ids.get(load.at).cloned()).collect();
                let running = Running::new(cache.clone(), callsite);
                async move {
                    let places = Places::take(cache, callsite, batched.refuse.is_some()).await;
                    let mut trace = Trace::default();
                    let (result, is_shed) = match (places, batched.refuse) {
                        (Err(overloaded), Some(refuse)) => (refuse(overloaded), true),
                        (places, _) => {
                            let places = places.unwrap_or_default();
                            running.start();
                            trace = Trace::load();
                            (bodies.run(ids, places.any(), trace.clone()).await, false)
                        }
                    };
                    let loaded = batched.take_apart(result);
                    trace.failed(loaded.is_err().then_some("error"));
                    let took = running.end(loaded.is_ok());
                    (number, if is_shed { Ran::Shed } else { Ran::For(took) }, loaded)
                }
            });
            let take = |(number, ran, loaded)| match loaded {
                Ok(pairs) => {
                    keep(&mut ended, number, Some((pairs, ran)));
                    None
                }
                Err(result) => {
                    failed = Some((number, ran));
                    Some(result)
                }
            };
            with_renewals(cache, loads, run(runs, at_once, take)).await
        };
        // What the bodies hold, such as a connection, is given back before the values are stored.
        bodies.stop().await;
        let is_awaited = || loads.iter().any(|load| load.mode.is_awaited());
        let (failure, error) = match failure {
            Some(result) if is_awaited() => {
                let (result, error) = batched.share(result);
                (Some(result), error)
            }
            failure => (failure, None),
        };
        let mut results = Vec::with_capacity(loads.len());
        for (number, (chunk, ended)) in loads.chunks(most).zip(ended).enumerate() {
            if let Some((pairs, ran)) = ended {
                let ordered = in_order(ids, chunk, pairs, batched.nothing).into_iter();
                results.extend(ordered.map(|result| (result, ran)));
            } else {
                let ran = failed.filter(|(failed, _)| *failed == number);
                let ran = ran.map_or(Ran::Not, |(_, ran)| ran);
                results.extend(chunk.iter().map(|_| (Err(error.clone()), ran)));
            }
        }
        Loaded { results, failure }
    }
}

/// Stores in the background what some chunks have loaded of a batch that has failed. The batch
/// returns its error meanwhile, which may be one that must stay on its thread.
pub(super) fn store_in_background(cache: &Core, finishes: Vec<Finish>, patience: Duration) {
    if finishes.is_empty() {
        return;
    }
    let in_background = cache.clone();
    cache.background().run(async move {
        let finishes = finishes.into_iter().map(Finish::run);
        Together::new(finishes, in_background.store(), patience).finish().await;
    });
}

/// Runs futures in order, at most so many at once, until `end` returns an error for the output of
/// one of them. No output is held while others run.
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
