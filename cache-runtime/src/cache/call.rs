//! Per-call control: `get_user(&db, 7).refresh().await`.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::engine::Mode;
use crate::engine::report::{Outcome, Report};

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

    /// Gives the result together with how the call ended: whether it was a hit, how old the value
    /// is, whether it was stored and if not why. [`Outcome::cache_status`] writes that into an HTTP
    /// header.
    ///
    /// ```
    /// # use cache_runtime::{Cache, cached};
    /// use cache_runtime::CallExt as _;
    ///
    /// #[cached(key = "double:<n>", ttl = 60)]
    /// async fn double(n: u64) -> u64 {
    ///     2 * n
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # Cache::in_memory().scope(async {
    /// let (result, outcome) = double(4).outcome().await;
    /// assert_eq!((result, outcome.is_stored()), (8, true));
    /// assert_eq!(outcome.cache_status(), "cache-runtime; fwd=miss; stored; ttl=60");
    ///
    /// let (result, outcome) = double(4).outcome().await;
    /// assert_eq!((result, outcome.kind().as_str()), (8, "hit"));
    /// assert!(outcome.cache_status().starts_with("cache-runtime; hit; ttl="));
    /// # }).await }
    /// ```
    ///
    /// Such a call asks the store for its time, in the same round trip; other calls are no larger
    /// and no slower for it. Of a future that calls several cached functions it tells the outcome
    /// of the one that ends first.
    fn outcome(self) -> CallWithOutcome<Self> {
        CallWithOutcome { call: self, report: Some(Box::default()) }
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

pin_project! {
    /// The future of a call that also tells its outcome, from [`CallExt::outcome`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct CallWithOutcome<F> {
        #[pin]
        call: F,
        // What is known so far. Gone while the call is being polled, and when it has ended.
        report: Option<Box<Report>>,
    }
}

impl<F: Future> Future for CallWithOutcome<F> {
    type Output = (F::Output, Outcome);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(Report::during(this.report, || this.call.poll(cx)));
        let report = this.report.take().unwrap_or_default();
        Poll::Ready((result, report.into_outcome()))
    }
}

impl<F> fmt::Debug for CallWithOutcome<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallWithOutcome").field("report", &self.report).finish_non_exhaustive()
    }
}
