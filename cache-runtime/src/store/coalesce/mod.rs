//! Operations that go to the store together.
//!
//! A call that reads many keys runs the lookups of that many single reads side by side. Each requests its own key
//! from the store with the operations on one key. These requests are held back while the reads are polled. When all
//! reads wait for an answer, the requests are sent as operations on many keys: one round trip for all of them.

mod pending;

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use self::pending::Held;
use crate::store::{Keyed, Name, Operation, Store, StoreResult};
use crate::support::budget::Deadline;

thread_local! {
    /// What the futures ask that are being polled.
    static CURRENT: RefCell<Option<Asked>> = const { RefCell::new(None) };
}

/// Futures that ask the store together.
pub(crate) struct Convoy<F> {
    /// Those that have not ended.
    futures: Vec<Option<Pin<Box<F>>>>,
    /// How long each piece of an operation on many keys may take.
    patience: Duration,
    asked: Asked,
}

/// What has been asked and not been sent. Clones are one.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Held>>);

/// Where the answer to an operation that was held back will be.
pub(super) struct Answer<T>(Arc<Mutex<Option<StoreResult<T>>>>);

impl<F: Future> Convoy<F> {
    /// Futures each of which may wait for the store for `patience`. For the requests of so many of them that they are
    /// sent in pieces, that is the time of each piece, from the moment when the first of them is sent.
    pub(crate) fn new(futures: impl IntoIterator<Item = F>, patience: Duration) -> Self {
        let futures = futures.into_iter().map(|future| Some(Box::pin(future))).collect();
        Self { futures, patience, asked: Asked::default() }
    }

    /// Goes on until some have ended and the rest waits for other things than the store. Those that have ended, by their
    /// positions; none when there are none left.
    pub(crate) async fn advance(&mut self, store: Option<&Store>) -> Vec<(usize, F::Output)> {
        let mut ended = Vec::new();
        loop {
            poll_fn(|cx| {
                let waiting = self.poll(cx, &mut ended);
                let settled = waiting == 0 || !ended.is_empty() || !self.asked.is_empty();
                if settled { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            match store {
                Some(store) if !self.asked.is_empty() => {
                    self.asked.send(store, self.patience).await;
                }
                _ => return ended,
            }
        }
    }

    /// Goes on until all have ended.
    pub(crate) async fn finish(mut self, store: Option<&Store>) {
        while !self.advance(store).await.is_empty() {}
    }

    /// Polls all that have not ended; how many still have not.
    fn poll(&mut self, cx: &mut Context<'_>, ended: &mut Vec<(usize, F::Output)>) -> usize {
        let _reset = Reset(CURRENT.replace(Some(self.asked.clone())));
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
        waiting
    }
}

/// Puts back what was current before, also when a future panics.
struct Reset(Option<Asked>);

impl Drop for Reset {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

impl Asked {
    fn is_empty(&self) -> bool {
        self.held().is_empty()
    }

    /// A boxed future without its type: otherwise rustc looks through all of the store to tell whether a batch is `Send`.
    fn send<'a>(
        &self,
        store: &'a Store,
        patience: Duration,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let held = std::mem::take(&mut *self.held());
        Box::pin(held.send(store, patience))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds a request back, if it is made while a convoy's futures are being polled. If not, it comes
/// back.
pub(super) fn hold<R: Operation>(
    name: Name<'_>,
    request: R,
    by: Deadline,
) -> Result<Answer<R::Reply>, R> {
    if !R::COALESCES {
        return Err(request);
    }
    CURRENT.with_borrow(|asked| match asked {
        Some(asked) => Ok(asked.held().add(name, request, by)),
        None => Err(request),
    })
}

/// The same for many requests.
pub(super) fn hold_all<R: Operation>(
    requests: Vec<Keyed<'_, R>>,
    by: Deadline,
) -> Result<Vec<Answer<R::Reply>>, Vec<Keyed<'_, R>>> {
    if !R::COALESCES {
        return Err(requests);
    }
    CURRENT.with_borrow(|asked| {
        let Some(asked) = asked else { return Err(requests) };
        let mut held = asked.held();
        Ok(requests.into_iter().map(|it| held.add(it.name, it.request, by)).collect())
    })
}

/// All answers, in order.
pub(super) async fn all<T>(answers: Vec<Answer<T>>) -> Vec<StoreResult<T>> {
    let mut results = Vec::with_capacity(answers.len());
    for answer in answers {
        results.push(answer.await);
    }
    results
}

impl<T> Answer<T> {
    fn new() -> Self {
        Self(Arc::default())
    }

    /// The same answer, for the one who gives it.
    fn another(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    fn give(&self, result: StoreResult<T>) {
        *self.result() = Some(result);
    }

    fn result(&self) -> MutexGuard<'_, Option<StoreResult<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who polls it polls it again when what was held back has been sent: nobody need be woken.
impl<T> Future for Answer<T> {
    type Output = StoreResult<T>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<StoreResult<T>> {
        match self.result().take() {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
    }
}

impl<F> fmt::Debug for Convoy<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Convoy").field("futures", &self.futures.len()).finish_non_exhaustive()
    }
}
