//! The future of a call, and the body in it. This is compiled once more for each annotated function, so it does nothing
//! but hand on.
//!
//! The types here have names and hand-written `poll`s on purpose. rustc follows the futures of nested calls to tell
//! whether they are `Send`, and gives up at 128 levels: each `async` block costs three of them, a struct one.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::engine::{Core, ambient, background};
use crate::read::driver::Driver;
use crate::read::load::steps::{Both, Values};

/// The body of one call, which returns an `R` and stores a `T`.
pub(in crate::read) trait Body<R, T> {
    /// Makes its future.
    fn start(&mut self);

    /// Polls that. Whatever it holds is dropped when it ends.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<R>;

    /// Runs a copy of it in the background, where it can be copied.
    fn detach(&mut self, driver: Driver, values: Values<R, T>, cache: &Core);
}

/// A call without the body: compiled once for each pair of types.
pub(in crate::read) struct Call<R, T> {
    pub(in crate::read) driver: Driver,
    pub(in crate::read) values: Values<R, T>,
}

impl<R, T> Call<R, T> {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        unless: Option<&dyn Fn(&T) -> bool>,
        body: &mut dyn Body<R, T>,
    ) -> Poll<Option<R>> {
        let mut both = Both { values: &mut self.values, unless, body };
        self.driver.poll(cx, &mut both).map(|()| self.values.result.take())
    }

    /// The same for a call that somebody waits for: that ends with a result.
    fn poll_caller(
        &mut self,
        cx: &mut Context<'_>,
        unless: Option<&dyn Fn(&T) -> bool>,
        body: &mut dyn Body<R, T>,
    ) -> Poll<R> {
        match self.poll(cx, unless, body) {
            Poll::Ready(Some(result)) => Poll::Ready(result),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

pin_project! {
    /// The future of a call of a cached function.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the body. A lease or the lead of a flight that the call held is given up at once.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Calling<R, T, U, B> {
        // Comes before the body: what is `Send` in every call is looked through once, and not again at the greatest depth.
        looked_through: PhantomData<Driver>,
        // Dropped first: what the body holds, such as a connection, is given back before the lease.
        #[pin]
        body: B,
        call: Call<R, T>,
        unless: Option<U>,
    }
}

impl<R, T, U, B> Calling<R, T, U, B> {
    pub(in crate::read) fn new(call: Call<R, T>, unless: Option<U>, body: B) -> Self {
        Self { looked_through: PhantomData, body, call, unless }
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
        this.call.poll_caller(cx, this.unless.as_ref().map(|it| it as _), &mut this.body)
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
        this.call.poll_caller(cx, this.unless.as_ref().map(|it| it as _), &mut this.body)
    }
}

impl<R, T, U, B> fmt::Debug for Calling<R, T, U, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calling")
    }
}

pin_project! {
    /// A body that runs once, in its call.
    #[doc(hidden)]
    #[project = AttachedProjection]
    #[derive(Debug)]
    pub enum Attached<F, B> {
        Waiting { load: Option<F> },
        Running { #[pin] body: B },
        Over,
    }
}

impl<F, B> Attached<F, B> {
    pub(crate) fn new(load: F) -> Self {
        Self::Waiting { load: Some(load) }
    }

    /// Makes the future.
    pub(crate) fn start(mut self: Pin<&mut Self>)
    where
        F: FnOnce() -> B,
    {
        if let AttachedProjection::Waiting { load } = self.as_mut().project()
            && let Some(load) = load.take()
        {
            self.set(Self::Running { body: load() });
        }
    }

    /// Polls it, and drops it when it ends.
    pub(crate) fn poll_body(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<B::Output>
    where
        B: Future,
    {
        let AttachedProjection::Running { body } = self.as_mut().project() else {
            return Poll::Pending;
        };
        let ended = body.poll(cx);
        if ended.is_ready() {
            self.set(Self::Over);
        }
        ended
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

    fn detach(&mut self, _: Driver, _: Values<R, T>, _: &Core) {}
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

    fn detach(&mut self, driver: Driver, values: Values<R, T>, cache: &Core) {
        let DetachedProjection::Waiting { arguments: Some(arguments), own, unless, .. } =
            self.as_mut().project()
        else {
            return;
        };
        let Some(own) = own.take() else { return };
        let body = own(arguments);
        let call = Call { driver, values };
        let calling = Calling::new(call, unless.clone(), Attached::new(move || body));
        background::spawn(ambient::scope(cache.clone(), Unattended { calling }));
    }
}

pin_project! {
    /// A call in the background: nobody waits for its result, and it may find out that there need be none.
    struct Unattended<R, T, U, F, B> {
        #[pin]
        calling: Calling<R, T, U, Attached<F, B>>,
    }
}

impl<R, T, U, F, B> Future for Unattended<R, T, U, F, B>
where
    U: Fn(&T) -> bool,
    F: FnOnce() -> B,
    B: Future<Output = R>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project().calling.project();
        let unless = this.unless.as_ref().map(|it| it as _);
        this.call.poll(cx, unless, &mut this.body).map(drop)
    }
}
