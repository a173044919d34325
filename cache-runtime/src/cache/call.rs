//! Per-call control: `get_user(&db, 7).refresh().await`.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::engine::Mode;

/// Changes how a single call of a cached function uses the cache.
///
/// This applies to the function that the future belongs to, not to cached functions called inside
/// it. On the future of a function that is not cached, it applies to the first cached function that
/// the future calls before it first awaits.
///
/// ```
/// # use cache_runtime::{cached, Cache};
/// use cache_runtime::CallExt as _;
///
/// #[cached(key = "now", ttl = 60)]
/// async fn now() -> std::time::SystemTime {
///     std::time::SystemTime::now()
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # Cache::in_memory().scope(async {
/// let first = now().await;
/// let exact = now().bypass().await; // neither read nor stored
/// assert_eq!(now().await, first);
/// let newer = now().refresh().await; // not read, but stored
/// assert_eq!(now().await, newer);
/// # assert!(exact > first && newer > exact);
/// # }).await }
/// ```
pub trait CallExt: Future + Sized {
    /// Runs the body even if a value is cached, and stores the result. An invalidation in the
    /// meantime wins, as always.
    fn refresh(self) -> Call<Self> {
        Call { call: self, mode: Some(Mode::Refresh) }
    }

    /// Runs the body as if the function were not cached: nothing is read, shared or stored.
    fn bypass(self) -> Call<Self> {
        Call { call: self, mode: Some(Mode::Bypass) }
    }
}

impl<F: Future> CallExt for F {}

pin_project! {
    /// The future of a modified call, returned by the methods of [`CallExt`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Call<F> {
        #[pin]
        call: F,
        // Until the first poll.
        mode: Option<Mode>,
    }
}

impl<F: Future> Future for Call<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(mode) = this.mode.take() else {
            return this.call.poll(cx);
        };
        let _former = mode.set();
        this.call.poll(cx)
    }
}

impl<F> fmt::Debug for Call<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("mode", &self.mode).finish_non_exhaustive()
    }
}
