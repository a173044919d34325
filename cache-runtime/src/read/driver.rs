//! Leads a call through its stages: first look, search, place, body, finish.
//!
//! This is a state machine and no `async fn`, because it uses the types of the call ([`Steps`])
//! between two looks into the store, and must not hold them while it waits. Each stage that waits
//! is a boxed future of its own. A hit has one, a hit in memory none.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::engine::admission::Places;
use crate::engine::{Core, Mode};
use crate::error::Error;
use crate::key::Untyped;
use crate::metrics::Event;
use crate::read::call::{ReadCall, resolved};
use crate::read::freshness::AgePolicy;
use crate::read::interpret::Reply;
use crate::read::load::Load;
use crate::read::load::mode::LoadMode;
use crate::read::lookup::{Lookup, LookupOutcome, Refresh, Step};
use crate::read::restore::RestoreChannel;
use crate::read::steps::{Protocol, Steps};
use crate::record::Value;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A call on its way.
pub(super) struct Driver {
    stage: Stage,
}

/// How far a call has come.
enum Stage {
    Begin(Option<Core>, Untyped, Mode, AgePolicy),
    /// The first look, which is all that a hit needs.
    FirstLook(Boxed<(Lookup<'static>, Reply)>),
    /// Everything else that finds a value, or the right to load.
    Search(RestoreChannel, Boxed<(Lookup<'static>, LookupOutcome)>),
    /// A load waits for its place.
    Place(Box<Load>, Boxed<Result<Places, Error>>),
    Body(Box<Load>, Places),
    Finish(ReadCall, Boxed<Option<Value>>),
    Done,
}

impl Driver {
    pub(super) fn new(cache: Option<Core>, mode: Mode, key: Untyped, age: AgePolicy) -> Self {
        Self { stage: Stage::Begin(cache, key, mode, age) }
    }
}

impl Protocol for Driver {
    fn poll(&mut self, cx: &mut Context<'_>, steps: &mut dyn Steps) -> Poll<()> {
        loop {
            // If a stage panics, the call is done.
            let (stage, is_pending) = match mem::replace(&mut self.stage, Stage::Done) {
                Stage::Begin(cache, key, mode, age) => {
                    (Stage::begin((cache, key), mode, age, steps), false)
                }
                Stage::FirstLook(mut look) => match look.as_mut().poll(cx) {
                    Poll::Ready((lookup, reply)) => (Stage::looked(lookup, reply, steps), false),
                    Poll::Pending => (Stage::FirstLook(look), true),
                },
                Stage::Search(channel, mut search) => {
                    match channel.poll(cx, steps, |cx| search.as_mut().poll(cx)) {
                        Poll::Ready((lookup, outcome)) => {
                            (Stage::searched(lookup, outcome, steps), false)
                        }
                        Poll::Pending => (Stage::Search(channel, search), true),
                    }
                }
                Stage::Place(load, mut place) => match place.as_mut().poll(cx) {
                    Poll::Ready(Err(overloaded)) if steps.can_refuse() => {
                        steps.refuse(overloaded);
                        (Stage::finish(*load, steps), false)
                    }
                    Poll::Ready(places) => {
                        load.start(steps);
                        (Stage::Body(load, places.unwrap_or_default()), false)
                    }
                    Poll::Pending => (Stage::Place(load, place), true),
                },
                Stage::Body(mut load, places) => match load.poll(&places, cx, steps) {
                    Poll::Ready(()) => {
                        drop(places);
                        (Stage::finish(*load, steps), false)
                    }
                    Poll::Pending => (Stage::Body(load, places), true),
                },
                Stage::Finish(call, mut finish) => match finish.as_mut().poll(cx) {
                    Poll::Ready(stale) => {
                        if let Some(stale) = stale {
                            serve_stale(&call, &stale, steps);
                        }
                        (Stage::Done, false)
                    }
                    Poll::Pending => (Stage::Finish(call, finish), true),
                },
                Stage::Done => return Poll::Ready(()),
            };
            self.stage = stage;
            if is_pending {
                return Poll::Pending;
            }
        }
    }
}

impl Stage {
    fn begin(
        (cache, key): (Option<Core>, Untyped),
        mode: Mode,
        age: AgePolicy,
        steps: &mut dyn Steps,
    ) -> Self {
        let (cache, mode) = resolved(cache, key.callsite, key.owner, mode);
        let unhashable = key.unhashable();
        let call = ReadCall::new(cache, key, mode);
        if call.bypasses(mode, unhashable) {
            return Self::load(call, LoadMode::Alone, steps);
        }
        let mut lookup = Lookup::new(call, mode, age, steps.memory(), steps.is_by_hand());
        if let Some(step) = lookup.begin() {
            return Self::search(lookup, step);
        }
        match lookup.ask_at_once() {
            Some(reply) => Self::looked(lookup, reply, steps),
            None => Self::first_look(lookup),
        }
    }

    fn first_look(lookup: Lookup<'static>) -> Self {
        if lookup.needs_value_only() {
            // A future of its own, which is a fraction of the other in size.
            return Self::FirstLook(Box::pin(lookup.ask_for_value()));
        }
        Self::FirstLook(Box::pin(async move {
            let reply = lookup.ask().await;
            (lookup, reply)
        }))
    }

    fn looked(mut lookup: Lookup<'static>, reply: Reply, steps: &mut dyn Steps) -> Self {
        let (seen, freshness) = lookup.judge(reply);
        let seen = lookup.confirm_by(seen, steps);
        if lookup.is_hit(&seen, freshness) {
            return Self::Done;
        }
        Self::search(lookup, Step::Decide(None, seen, freshness))
    }

    fn search(mut lookup: Lookup<'static>, step: Step) -> Self {
        let channel = lookup.open_channel();
        Self::Search(
            channel,
            Box::pin(async move {
                let outcome = lookup.search(step).await;
                (lookup, outcome)
            }),
        )
    }

    fn searched(
        mut lookup: Lookup<'static>,
        outcome: LookupOutcome,
        steps: &mut dyn Steps,
    ) -> Self {
        match outcome {
            LookupOutcome::Found | LookupOutcome::Kept => Self::Done,
            LookupOutcome::Load(mode) => Self::load(lookup.call, mode, steps),
            LookupOutcome::Refresh(refresh) => {
                refresh_in_background(&lookup.call, refresh, steps);
                Self::Done
            }
            LookupOutcome::Await(refresh) => {
                // Joins before the load begins, so that this caller may take the result too. There
                // is no flight if an invalidation has removed it: then the call looks again.
                let step =
                    lookup.join().map_or(Step::Look(None), |waiting| Step::Wait(waiting, true));
                refresh_in_background(&lookup.call, refresh, steps);
                // The body in the call is the only one that is left.
                lookup.age = AgePolicy::Considered;
                Self::search(lookup, step)
            }
        }
    }

    fn load(call: ReadCall, mode: LoadMode, steps: &mut dyn Steps) -> Self {
        let load = Load::new(call, mode);
        if let Some(place) = load.place(steps.can_refuse()) {
            return Self::Place(load, Box::pin(place));
        }
        load.start(steps);
        Self::Body(load, Places::default())
    }

    fn finish(load: Load, steps: &mut dyn Steps) -> Self {
        match load.end(steps) {
            (call, Some(finish)) => Self::Finish(call, finish.run()),
            (_, None) => Self::Done,
        }
    }
}

/// Starts a call in the background that refreshes the value.
fn refresh_in_background(call: &ReadCall, refresh: Refresh, steps: &mut dyn Steps) {
    let (memory, by_hand) = (steps.memory(), steps.is_by_hand());
    let age = AgePolicy::Considered;
    let mut lookup = Lookup::new(call.clone(), Mode::Through, age, memory, by_hand);
    let channel = lookup.open_channel();
    let search = Box::pin(async move {
        let outcome = match lookup.refresh(refresh).await {
            Step::Done(LookupOutcome::Load(mode)) => LookupOutcome::Load(mode),
            // If the value has gone, the next call loads it.
            _ => LookupOutcome::Kept,
        };
        (lookup, outcome)
    });
    let driver = Driver { stage: Stage::Search(channel, search) };
    steps.detach(Box::new(driver), &call.cache);
}

/// Serves a value that was kept, in place of a failure.
fn serve_stale(call: &ReadCall, stale: &Value, steps: &mut dyn Steps) {
    // If it does not decode, which it did before, the call returns the failure.
    if steps.decode(stale.payload(), call.schema.codec) {
        call.count(Event::Stale);
    }
}
