//! The future of a call of a batch, and the bodies in it.
//!
//! As in the [call of one entry](crate::read::calling), the body's future stands beside the
//! protocol's and not in it: rustc gives up when it has to look through too many futures to tell
//! whether they are `Send`.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::engine::{admission, report};
use crate::read::driver::Driver;
use crate::support::trace::Trace;

/// The bodies of a batch: where the protocol has them run. Clones are the same one.
///
/// No waker is registered: [`CallingMany`] polls the bodies before each poll of the protocol.
pub(super) struct Bodies<I, R>(Arc<Mutex<State<I, R>>>);

struct State<I, R> {
    /// How many runs have been asked for.
    count: usize,
    /// Those that have not begun, with their ids.
    asked: Vec<(Run, Vec<I>)>,
    /// The results that have not been taken yet, by the numbers of their runs.
    ended: Vec<(usize, R)>,
    /// Whether all bodies that run are to be dropped.
    stops: bool,
}

/// A run of the body.
#[derive(Clone, Debug)]
struct Run {
    number: usize,
    /// Whether it has a place among the concurrent loads.
    has_place: bool,
    trace: Trace,
}

impl<I, R> Bodies<I, R> {
    pub(super) fn new() -> Self {
        let state = State { count: 0, asked: Vec::new(), ended: Vec::new(), stops: false };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Has the body run with these ids, and waits for what it returns. Called by the protocol.
    pub(super) async fn run(&self, ids: Vec<I>, has_place: bool, trace: Trace) -> R {
        let number = {
            let mut state = self.state();
            let number = state.count;
            state.count += 1;
            state.asked.push((Run { number, has_place, trace }, ids));
            number
        };
        poll_fn(|_| {
            let mut state = self.state();
            match state.ended.iter().position(|(ended, _)| *ended == number) {
                Some(place) => Poll::Ready(state.ended.swap_remove(place).1),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Drops all bodies that still run.
    pub(super) async fn stop(&self) {
        self.state().stops = true;
        poll_fn(|_| if self.state().stops { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    /// Puts a result where the protocol finds it.
    fn end(&self, run: &Run, result: R) {
        self.state().ended.push((run.number, result));
    }

    /// Takes out the runs that are to begin.
    fn take_asked(&self) -> Vec<(Run, Vec<I>)> {
        std::mem::take(&mut self.state().asked)
    }

    /// Whether all bodies that run are to be dropped. Also forgets those that have not begun.
    fn take_stop(&self) -> bool {
        let mut state = self.state();
        if state.stops {
            state.asked.clear();
        }
        std::mem::take(&mut state.stops)
    }

    /// No code that may panic runs under this lock.
    fn state(&self) -> MutexGuard<'_, State<I, R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I, R> Clone for Bodies<I, R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl Run {
    fn poll<B: Future>(&self, body: Pin<&mut B>, cx: &mut Context<'_>) -> Poll<B::Output> {
        let poll = || report::aside(|| body.poll(cx));
        self.trace.within(|| if self.has_place { admission::poll_inside(poll) } else { poll() })
    }
}

pin_project! {
    /// The future of a call of a cached function of many ids.
    ///
    /// # Cancel safety
    ///
    /// That of a single read, for each id.
    #[must_use = "futures do nothing unless awaited"]
    #[project = CallingManyProjection]
    pub struct CallingMany<P, I, C, R, F, B> {
        // Comes before the body: what is `Send` in every call is looked through once, and not again
        // at the greatest depth.
        looked_through: PhantomData<(Driver, P)>,
        // Dropped first: what a body holds, such as a connection, is given back before the leases.
        #[pin]
        body: Option<B>,
        run: Option<Run>,
        // The bodies of further chunks.
        more: Vec<(Run, Pin<Box<B>>)>,
        #[pin]
        protocol: P,
        bodies: Bodies<I, R>,
        // Makes the collection that the body is given.
        collect: fn(Vec<I>) -> C,
        load: F,
        trace: Trace,
    }
}

impl<P, I, C, R, F, B> CallingMany<P, I, C, R, F, B> {
    pub(super) fn new(
        protocol: P,
        bodies: Bodies<I, R>,
        collect: fn(Vec<I>) -> C,
        load: F,
        trace: Trace,
    ) -> Self {
        Self {
            looked_through: PhantomData,
            body: None,
            run: None,
            more: Vec::new(),
            protocol,
            bodies,
            collect,
            load,
            trace,
        }
    }
}

impl<P, I, C, R, F, B> Future for CallingMany<P, I, C, R, F, B>
where
    P: Future<Output = R>,
    F: FnMut(C) -> B,
    B: Future<Output = R>,
{
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let this = self.project();
        let trace = this.trace.clone();
        trace.within(|| this.advance(cx))
    }
}

impl<P, I, C, R, F, B> CallingManyProjection<'_, P, I, C, R, F, B>
where
    P: Future<Output = R>,
    F: FnMut(C) -> B,
    B: Future<Output = R>,
{
    /// Polls the bodies and the protocol for as long as one of them has something to do.
    fn advance(mut self, cx: &mut Context<'_>) -> Poll<R> {
        let this = &mut self;
        loop {
            if let Some((run, body)) = this.run.as_ref().zip(this.body.as_mut().as_pin_mut())
                && let Poll::Ready(result) = run.poll(body, cx)
            {
                this.body.set(None);
                this.bodies.end(run, result);
            }
            let bodies = &*this.bodies;
            this.more.retain_mut(|(run, body)| match run.poll(body.as_mut(), cx) {
                Poll::Ready(result) => {
                    bodies.end(run, result);
                    false
                }
                Poll::Pending => true,
            });
            if let Poll::Ready(result) = this.protocol.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            if bodies.take_stop() {
                this.body.set(None);
                this.more.clear();
                continue;
            }
            let asked = bodies.take_asked();
            if asked.is_empty() {
                return Poll::Pending;
            }
            for (run, ids) in asked {
                let body = (this.load)((this.collect)(ids));
                if this.body.is_none() {
                    this.body.set(Some(body));
                    *this.run = Some(run);
                } else {
                    this.more.push((run, Box::pin(body)));
                }
            }
        }
    }
}

impl<P, I, C, R, F, B> fmt::Debug for CallingMany<P, I, C, R, F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallingMany")
    }
}
