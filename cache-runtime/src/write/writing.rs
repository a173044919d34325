//! The future of a write, and the body in it. This is compiled once more for each annotated
//! function, so it does nothing but hand on.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::error::Error;
use crate::support::body::Attached;
use crate::typing::Written;
use crate::write::protocol::{Protocol, Steps};
use crate::write::{Targets, Values, Write};

/// Of a write whose result adds nothing.
pub type Nothing<V, X> = fn(&V, &mut X);

pin_project! {
    /// The future of an annotated write.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the body. If that has begun, the fences are left to expire.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Writing<R, V, D, F, B, A, S> {
        // Comes before the body: what is `Send` in every call is looked through once, and not again
        // at the greatest depth.
        looked_through: PhantomData<Protocol>,
        // Dropped first: what the body holds, such as a connection, is given back before the
        // fences.
        #[pin]
        body: Attached<F, B>,
        protocol: Protocol,
        rest: Rest<R, V, D, A, S>,
    }
}

/// What there is besides.
struct Rest<R, V, D, A, S> {
    result: Option<R>,
    value: fn(&R) -> Option<&V>,
    refuse: Option<fn(Error) -> R>,
    in_doubt: Option<D>,
    after: Option<A>,
    store: Option<S>,
}

impl<R, V, D, F, B, A, S> Writing<R, V, D, F, B, A, S> {
    pub(super) fn new(
        write: Write,
        written: Written<R, V, D>,
        load: F,
        after: A,
        store: S,
    ) -> Self {
        let Written { value, refuse, in_doubt } = written;
        let (in_doubt, after, store) = (Some(in_doubt), Some(after), Some(store));
        let rest = Rest { result: None, value, refuse, in_doubt, after, store };
        let (body, protocol) = (Attached::new(load), Protocol::new(write));
        Self { looked_through: PhantomData, body, protocol, rest }
    }
}

impl<R, V, D, F, B, A, S> Future for Writing<R, V, D, F, B, A, S>
where
    D: FnOnce(&R) -> bool,
    F: FnOnce() -> B,
    B: Future<Output = R>,
    A: FnOnce(&V, &mut Targets),
    S: FnOnce(&V, &mut Values),
{
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let this = self.project();
        let mut both = Both { body: this.body, rest: this.rest };
        if this.protocol.poll(cx, &mut both).is_pending() {
            return Poll::Pending;
        }
        // There always is one: the protocol ends with a result.
        this.rest.result.take().map_or(Poll::Pending, Poll::Ready)
    }
}

/// The body, and what is made of its result.
struct Both<'a, R, V, D, F, B, A, S> {
    body: Pin<&'a mut Attached<F, B>>,
    rest: &'a mut Rest<R, V, D, A, S>,
}

impl<R, V, D, A, S> Rest<R, V, D, A, S> {
    fn value(&self) -> Option<&V> {
        self.result.as_ref().and_then(self.value)
    }
}

impl<R, V, D, F, B, A, S> Steps for Both<'_, R, V, D, F, B, A, S>
where
    D: FnOnce(&R) -> bool,
    F: FnOnce() -> B,
    B: Future<Output = R>,
    A: FnOnce(&V, &mut Targets),
    S: FnOnce(&V, &mut Values),
{
    fn start(&mut self) {
        self.body.as_mut().start();
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.body.as_mut().poll_body(cx).map(|result| self.rest.result = Some(result))
    }

    fn is_strict(&self) -> bool {
        self.rest.refuse.is_some()
    }

    fn refuse(&mut self, error: Error) {
        self.rest.result = self.rest.refuse.map(|refuse| refuse(error));
    }

    fn is_success(&self) -> bool {
        self.rest.value().is_some()
    }

    fn is_in_doubt(&mut self) -> bool {
        let in_doubt = self.rest.in_doubt.take();
        in_doubt.zip(self.rest.result.as_ref()).is_none_or(|(in_doubt, result)| in_doubt(result))
    }

    fn add_late(&mut self, targets: &mut Targets) {
        if let Some((after, value)) = self.rest.after.take().zip(self.rest.value()) {
            after(value, targets);
        }
    }

    fn make_values(&mut self, values: &mut Values) {
        if let Some((store, value)) = self.rest.store.take().zip(self.rest.value()) {
            store(value, values);
        }
    }
}

impl<R, V, D, F, B, A, S> fmt::Debug for Writing<R, V, D, F, B, A, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writing")
    }
}
