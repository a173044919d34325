//! Runs futures concurrently: one per node, so only a few.

use std::future::poll_fn;
use std::task::Poll;

/// Waits for all.
pub(crate) async fn join(futures: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut running: Vec<_> = futures.map(Box::pin).collect();
    poll_fn(|cx| {
        running.retain_mut(|future| future.as_mut().poll(cx).is_pending());
        if running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Waits for the first; for ever, where there is none.
pub(crate) async fn race(futures: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut running: Vec<_> = futures.map(Box::pin).collect();
    poll_fn(|cx| {
        let ended = running.iter_mut().any(|future| future.as_mut().poll(cx).is_ready());
        if ended { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
