//! The future of a call, and the body in it. This is compiled once more for each annotated
//! function, so it does nothing but pass on.
//!
//! The types here have names and hand-written `poll`s on purpose: see
//! [`Attached`].

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::engine::{Core, ambient, background};
use crate::read::driver::Driver;
use crate::read::steps::{Body, Both, Protocol, Values};
use crate::support::body::Attached;

pin_project! {
    /// The future of a call of a cached function.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the body. A lease or the lead of a flight that the call held is given up
    /// at once.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Calling<R, T, U, B> {
        // Comes before the body: rustc looks through what is `Send` in every call once, and not
        // again at the greatest depth.
        looked_through: PhantomData<Driver>,
        // Dropped first: what the body holds, such as a connection, is given back before the lease.
        #[pin]
        body: B,
        driver: Driver,
        values: Values<R, T>,
        unless: Option<U>,
    }
}

impl<R, T, U, B> Calling<R, T, U, B> {
    pub(in crate::read) fn new(
        driver: Driver,
        values: Values<R, T>,
        unless: Option<U>,
        body: B,
    ) -> Self {
        Self { looked_through: PhantomData, body, driver, values, unless }
    }
}

impl<R, T, U, F, B> Future for Calling<R, T, U, Attached<F, B>>
where
    U: Fn(&T) -> bool,
    F: FnOnce() -> B,
    B: Future<Output = R>,
{
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let mut this = self.project();
        let unless = this.unless.as_ref().map(|unless| unless as _);
        let mut both = Both { values: this.values, unless, body: &mut this.body };
        ready!(this.driver.poll(cx, &mut both));
        // There always is a result: only a call in the background ends without one.
        both.values.result.take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<R, T, U, A, O, D, F, B> Future for Calling<R, T, U, Detached<A, O, F, B, U>>
where
    R: Send + 'static,
    T: 'static,
    U: Fn(&T) -> bool + Clone + Send + 'static,
    O: FnOnce(&A) -> D,
    D: Future<Output = R> + Send + 'static,
    F: FnOnce(A) -> B,
    B: Future<Output = R>,
{
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let mut this = self.project();
        let unless = this.unless.as_ref().map(|unless| unless as _);
        let mut both = Both { values: this.values, unless, body: &mut this.body };
        ready!(this.driver.poll(cx, &mut both));
        // There always is a result: only a call in the background ends without one.
        both.values.result.take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<R, T, U, B> fmt::Debug for Calling<R, T, U, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calling")
    }
}

impl<R, T, F, B> Body<R, T> for Pin<&mut Attached<F, B>>
where
    F: FnOnce() -> B,
    B: Future<Output = R>,
{
    fn start(&mut self) {
        self.as_mut().start();
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<R> {
        self.as_mut().poll_body(cx)
    }

    fn detach(&mut self, _: Box<dyn Protocol>, _: Values<R, T>, _: &Core) {}
}

pin_project! {
    /// A body that may also run in the background, on copies of its arguments.
    #[doc(hidden)]
    #[project = DetachedProjection]
    #[derive(Debug)]
    pub enum Detached<A, O, F, B, U> {
        Waiting { arguments: Option<A>, own: Option<O>, load: Option<F>, unless: Option<U> },
        Running { #[pin] body: B },
        Over,
    }
}

impl<A, O, F, B, U> Detached<A, O, F, B, U> {
    pub(in crate::read) fn new(arguments: A, own: O, load: F, unless: Option<U>) -> Self {
        Self::Waiting { arguments: Some(arguments), own: Some(own), load: Some(load), unless }
    }
}

impl<R, T, A, O, D, F, B, U> Body<R, T> for Pin<&mut Detached<A, O, F, B, U>>
where
    R: Send + 'static,
    T: 'static,
    U: Fn(&T) -> bool + Clone + Send + 'static,
    O: FnOnce(&A) -> D,
    D: Future<Output = R> + Send + 'static,
    F: FnOnce(A) -> B,
    B: Future<Output = R>,
{
    fn start(&mut self) {
        if let DetachedProjection::Waiting { arguments, load, .. } = self.as_mut().project()
            && let Some((arguments, load)) = arguments.take().zip(load.take())
        {
            self.set(Detached::Running { body: load(arguments) });
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<R> {
        let DetachedProjection::Running { body } = self.as_mut().project() else {
            return Poll::Pending;
        };
        let ended = body.poll(cx);
        if ended.is_ready() {
            self.set(Detached::Over);
        }
        ended
    }

    fn detach(&mut self, protocol: Box<dyn Protocol>, values: Values<R, T>, cache: &Core) {
        let DetachedProjection::Waiting { arguments: Some(arguments), own, unless, .. } =
            self.as_mut().project()
        else {
            return;
        };
        let Some(own) = own.take() else { return };
        let (body, unless) = (own(arguments), unless.clone());
        let body = Attached::new(move || body);
        background::spawn(ambient::scope(
            cache.clone(),
            BackgroundCall { body, protocol, values, unless },
        ));
    }
}

pin_project! {
    /// A call in the background. Its result is not used, and it may find out that it needs none.
    struct BackgroundCall<R, T, U, F, B> {
        // Dropped first, as in a call in the foreground.
        #[pin]
        body: Attached<F, B>,
        protocol: Box<dyn Protocol>,
        values: Values<R, T>,
        unless: Option<U>,
    }
}

impl<R, T, U, F, B> Future for BackgroundCall<R, T, U, F, B>
where
    U: Fn(&T) -> bool,
    F: FnOnce() -> B,
    B: Future<Output = R>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let unless = this.unless.as_ref().map(|unless| unless as _);
        this.protocol.poll(cx, &mut Both { values: this.values, unless, body: &mut this.body })
    }
}
