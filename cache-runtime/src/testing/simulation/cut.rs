//! Futures that are dropped before their end.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

/// When a future is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Never,
    /// When it has begun to wait for so many times.
    Waiting(u32),
    /// When it is woken for the time after, and before it knows.
    Woken(u32),
    /// After so many milliseconds.
    After(u64),
}

/// Runs a future to its end, or drops it before.
pub(super) async fn until<F: Future>(cut: Cut, future: F) -> Option<F::Output> {
    let mut waits = 0;
    let mut future = pin!(future);
    let end = poll_fn(|cx| {
        if cut == Cut::Woken(waits) {
            return Poll::Ready(None);
        }
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => {
                waits += 1;
                if cut == Cut::Waiting(waits) { Poll::Ready(None) } else { Poll::Pending }
            }
        }
    });
    match cut {
        Cut::After(millis) => timeout(Duration::from_millis(millis), end).await.ok().flatten(),
        _ => end.await,
    }
}
