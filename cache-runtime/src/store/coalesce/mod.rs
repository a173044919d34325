//! Requests that go to the store together.
//!
//! A call that reads many keys runs the lookups of that many single reads side by side, over a store
//! of its own that [coalesces](Coalescer): a request that is made while the reads are polled is held
//! back. When all reads wait for an answer, the requests are sent as requests about many keys: one
//! round trip for all of them. Whoever uses that store at another time, such as work in the
//! background that a read has left behind, is not held back.

mod pending;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use self::pending::Pending;
use crate::store::{Keyed, Name, Operation, Store, StoreError, StoreResult};
use crate::support::budget::Deadline;

/// Holds requests back while futures are polled that make them together.
#[derive(Default)]
pub(super) struct Coalescer(Mutex<State>);

#[derive(Default)]
struct State {
    /// Requests are held back.
    is_open: bool,
    pending: Pending,
}

impl Coalescer {
    /// Holds a request back. It comes back if it is to be sent at once.
    pub(super) fn hold<R: Operation>(
        &self,
        name: Name<'_>,
        request: R,
        by: Deadline,
    ) -> Result<Answer<R::Reply>, R> {
        let mut state = self.state();
        if !R::COALESCES || !state.is_open {
            return Err(request);
        }
        Ok(state.pending.add(name, request, by))
    }

    /// The same for many requests.
    pub(super) fn hold_all<'a, R: Operation>(
        &self,
        requests: Vec<Keyed<'a, R>>,
        by: Deadline,
    ) -> Result<Vec<Answer<R::Reply>>, Vec<Keyed<'a, R>>> {
        let mut state = self.state();
        if !R::COALESCES || !state.is_open {
            return Err(requests);
        }
        Ok(requests.into_iter().map(|it| state.pending.add(it.name, it.request, by)).collect())
    }

    fn open(&self) -> Opened<'_> {
        self.state().is_open = true;
        Opened(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

impl fmt::Debug for Coalescer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coalescer").finish_non_exhaustive()
    }
}

/// Holds back until it is dropped, also when a future panics.
struct Opened<'a>(&'a Coalescer);

impl Opened<'_> {
    /// What was held back. In one step with the end of it: a request of another task that came
    /// between the two would never be sent.
    fn close(self) -> Pending {
        let mut state = self.0.state();
        state.is_open = false;
        std::mem::take(&mut state.pending)
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.0.state().is_open = false;
    }
}

/// Futures that ask the store together.
pub(crate) struct Together<'a, F> {
    /// Those that have not ended.
    futures: Vec<Option<Pin<Box<F>>>>,
    /// The one that they use.
    store: Option<&'a Store>,
    /// How long each piece of a request about many keys may take.
    patience: Duration,
}

impl<'a, F: Future> Together<'a, F> {
    /// Futures over a [store that coalesces](Store::coalescing), each of which may wait for it for
    /// `patience`. For the requests of so many of them that they are sent in pieces, that is the
    /// time of each piece, from the moment when the first of them is sent.
    pub(crate) fn new(
        futures: impl IntoIterator<Item = F>,
        store: Option<&'a Store>,
        patience: Duration,
    ) -> Self {
        let futures = futures.into_iter().map(|future| Some(Box::pin(future))).collect();
        Self { futures, store, patience }
    }

    /// Goes on until some have ended and the rest waits for other things than the store. Those that
    /// have ended, by their positions; none when there are none left.
    pub(crate) async fn advance(&mut self) -> Vec<(usize, F::Output)> {
        let mut ended = Vec::new();
        loop {
            let pending = poll_fn(|cx| {
                let (waiting, pending) = self.poll(cx, &mut ended);
                let settled = waiting == 0 || !ended.is_empty() || !pending.is_empty();
                if settled { Poll::Ready(pending) } else { Poll::Pending }
            })
            .await;
            match self.store {
                Some(store) if !pending.is_empty() => pending.send(store, self.patience).await,
                _ => return ended,
            }
        }
    }

    /// Goes on until all have ended.
    pub(crate) async fn finish(mut self) {
        while !self.advance().await.is_empty() {}
    }

    /// Polls all that have not ended: how many still have not, and what they have asked.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        ended: &mut Vec<(usize, F::Output)>,
    ) -> (usize, Pending) {
        let coalescer = self.store.and_then(|store| store.coalescer.as_deref());
        let opened = coalescer.map(Coalescer::open);
        let mut waiting = 0;
        for (position, place) in self.futures.iter_mut().enumerate() {
            match place.as_mut().map(|future| future.as_mut().poll(cx)) {
                Some(Poll::Ready(output)) => {
                    *place = None;
                    ended.push((position, output));
                }
                Some(Poll::Pending) => waiting += 1,
                None => {}
            }
        }
        (waiting, opened.map(Opened::close).unwrap_or_default())
    }
}

/// Where the answer to a request that was held back will be.
pub(super) struct Answer<T>(Arc<Mutex<Place<T>>>);

struct Place<T> {
    result: Option<StoreResult<T>>,
    /// Of the one who waits, if that is another task than the one that sends.
    waker: Option<Waker>,
}

/// All answers, in order.
pub(super) async fn all<T>(answers: Vec<Answer<T>>) -> Vec<StoreResult<T>> {
    let mut results = Vec::with_capacity(answers.len());
    for answer in answers {
        results.push(answer.await);
    }
    results
}

/// Gives the answer. Dropped without one, it says that none will come: the batch that was to send
/// the request was dropped, which only tasks beside it can learn.
pub(super) struct Giver<T>(Arc<Mutex<Place<T>>>);

fn answer<T>() -> (Giver<T>, Answer<T>) {
    let place = Arc::new(Mutex::new(Place { result: None, waker: None }));
    (Giver(Arc::clone(&place)), Answer(place))
}

impl<T> Giver<T> {
    fn give(&self, result: StoreResult<T>) {
        let mut place = lock(&self.0);
        place.result = Some(result);
        let waker = place.waker.take();
        drop(place);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        // Also after the answer was taken, when nobody asks for it any more.
        let is_without = lock(&self.0).result.is_none();
        if is_without {
            self.give(Err(StoreError::Lost));
        }
    }
}

impl<T> Future for Answer<T> {
    type Output = StoreResult<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<StoreResult<T>> {
        let mut place = lock(&self.0);
        if let Some(result) = place.result.take() {
            return Poll::Ready(result);
        }
        place.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<F> fmt::Debug for Together<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").field("futures", &self.futures.len()).finish_non_exhaustive()
    }
}
