//! Leads a call through its stages: first look, search, place, body, finish.
//!
//! This is a state machine and no `async fn`, because it uses the types of the call ([`Steps`])
//! between two looks into the store, and must not hold them while it waits. Each stage that waits
//! is a boxed future of its own. A hit has one, a hit in memory none.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Instant;

use crate::engine::admission::Places;
use crate::engine::{Core, Mode, report};
use crate::error::Error;
use crate::key::Untyped;
use crate::metrics::{Ending, OutcomeKind, UncachedReason};
use crate::read::call::{ReadCall, resolved};
use crate::read::freshness::{AgePolicy, Freshness};
use crate::read::interpret::{Missing, Reply};
use crate::read::load::Load;
use crate::read::load::mode::LoadMode;
use crate::read::lookup::{Lookup, LookupOutcome, Refresh, Step};
use crate::read::restore::RestoreChannel;
use crate::read::steps::{Protocol, Steps};
use crate::read::tally::Tally;
use crate::record::Value;
use crate::support::trace::Trace;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A call on its way.
pub(super) struct Driver {
    stage: Stage,
    /// How the call will end if nothing else happens.
    ending: Ending,
    tally: Tally,
    trace: Trace,
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
        Self::at(Stage::Begin(cache, key, mode, age), Tally::one())
    }

    fn at(stage: Stage, tally: Tally) -> Self {
        Self { stage, ending: OutcomeKind::Cancelled.into(), tally, trace: Trace::default() }
    }
}

impl Protocol for Driver {
    fn poll(&mut self, cx: &mut Context<'_>, steps: &mut dyn Steps) -> Poll<()> {
        if let Stage::Begin(_, key, ..) = &self.stage {
            self.trace = Trace::call(key.callsite.name());
        }
        self.trace.clone().within(|| self.advance(cx, steps))
    }
}

impl Driver {
    /// Goes through as many stages as it can.
    fn advance(&mut self, cx: &mut Context<'_>, steps: &mut dyn Steps) -> Poll<()> {
        loop {
            // If a stage panics, the call is done.
            let (stage, is_pending) = match mem::replace(&mut self.stage, Stage::Done) {
                Stage::Begin(cache, key, mode, age) => {
                    (self.begin((cache, key), mode, age, steps), false)
                }
                Stage::FirstLook(mut look) => match look.as_mut().poll(cx) {
                    Poll::Ready((mut lookup, reply)) => {
                        let seen = lookup.judge(reply);
                        (self.looked(lookup, seen, steps), false)
                    }
                    Poll::Pending => (Stage::FirstLook(look), true),
                },
                Stage::Search(channel, mut search) => {
                    match channel.poll(cx, steps, |cx| search.as_mut().poll(cx)) {
                        Poll::Ready((lookup, outcome)) => {
                            (self.searched(lookup, outcome, steps), false)
                        }
                        Poll::Pending => (Stage::Search(channel, search), true),
                    }
                }
                Stage::Place(mut load, mut place) => match place.as_mut().poll(cx) {
                    Poll::Ready(Err(overloaded)) if steps.can_refuse() => {
                        steps.refuse(overloaded);
                        self.ending = OutcomeKind::Shed.into();
                        (self.finish(*load, steps), false)
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
                        (self.finish(*load, steps), false)
                    }
                    Poll::Pending => (Stage::Body(load, places), true),
                },
                Stage::Finish(call, mut finish) => match finish.as_mut().poll(cx) {
                    Poll::Ready(stale) => {
                        // If it does not decode, which it did before, the call returns the failure.
                        if let Some(stale) = stale
                            && steps.decode(stale.payload(), call.schema.codec)
                        {
                            self.ending = OutcomeKind::Stale.into();
                        }
                        (self.done(&call), false)
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

    fn begin(
        &mut self,
        (cache, key): (Option<Core>, Untyped),
        mode: Mode,
        age: AgePolicy,
        steps: &mut dyn Steps,
    ) -> Stage {
        let now = Instant::now();
        self.tally.begin(now);
        let (cache, mode) = resolved(cache, key.callsite, key.owner, mode);
        let unhashable = key.unhashable();
        let call = ReadCall::new(cache, key, mode);
        self.trace.key(|| call.traced_key());
        if call.bypasses(mode, unhashable) {
            self.ending = OutcomeKind::Bypassed.into();
            return self.load(call, LoadMode::Alone, steps);
        }
        let age = if report::is_asked() { age.considered() } else { age };
        let mut lookup = Lookup::new(call, mode, age, steps.memory(), steps.is_by_hand(), now);
        if let Some(step) = lookup.begin() {
            return self.search(lookup, step, steps);
        }
        match lookup.look_at_once(now) {
            Some(seen) => self.looked(lookup, seen, steps),
            None => self.first_look(lookup),
        }
    }

    fn first_look(&mut self, lookup: Lookup<'static>) -> Stage {
        self.tally.note(&lookup.call);
        if lookup.needs_value_only() {
            // A future of its own, which is a fraction of the other in size.
            return Stage::FirstLook(Box::pin(lookup.ask_for_value()));
        }
        Stage::FirstLook(Box::pin(async move {
            let reply = lookup.ask().await;
            (lookup, reply)
        }))
    }

    fn looked(
        &mut self,
        mut lookup: Lookup<'static>,
        (seen, freshness): (Result<Value, Missing>, Freshness),
        steps: &mut dyn Steps,
    ) -> Stage {
        let seen = lookup.confirm_by(seen, steps);
        if let Some(ending) = lookup.hit(&seen, freshness) {
            self.ending = ending;
            return self.done(&lookup.call);
        }
        self.search(lookup, Step::Decide(None, seen, freshness), steps)
    }

    fn search(&mut self, mut lookup: Lookup<'static>, step: Step, steps: &mut dyn Steps) -> Stage {
        let step = match step {
            // Where there is no store to ask, that is all, and nothing is allocated for a search.
            Step::Decide(lead, Err(missing), _) => lookup.miss(lead, missing),
            step => step,
        };
        if let Step::Done(outcome) = step {
            lookup.note_uncached(&outcome);
            return self.searched(lookup, outcome, steps);
        }
        self.tally.note(&lookup.call);
        let channel = lookup.open_channel();
        Stage::Search(
            channel,
            Box::pin(async move {
                let outcome = lookup.search(step).await;
                (lookup, outcome)
            }),
        )
    }

    fn searched(
        &mut self,
        mut lookup: Lookup<'static>,
        outcome: LookupOutcome,
        steps: &mut dyn Steps,
    ) -> Stage {
        match outcome {
            LookupOutcome::Found(ending) => {
                self.ending = ending;
                self.done(&lookup.call)
            }
            LookupOutcome::Kept => self.done(&lookup.call),
            LookupOutcome::Load(mode, ending) => {
                self.ending = ending;
                self.load(lookup.call, mode, steps)
            }
            LookupOutcome::Refresh(refresh, ending) => {
                self.ending = ending;
                refresh_in_background(&lookup.call, refresh, steps);
                self.done(&lookup.call)
            }
            LookupOutcome::Await(refresh) => {
                // Joins before the load begins, so that this caller may take the result too. There
                // is no flight if an invalidation has removed it: then the call looks again.
                let step =
                    lookup.join().map_or(Step::Look(None), |waiting| Step::Wait(waiting, true));
                refresh_in_background(&lookup.call, refresh, steps);
                // The body in the call is the only one that is left.
                lookup.age = AgePolicy::Considered;
                lookup.owns_load = true;
                self.search(lookup, step, steps)
            }
        }
    }

    fn load(&mut self, call: ReadCall, mode: LoadMode, steps: &mut dyn Steps) -> Stage {
        self.tally.note(&call);
        let mut load = Load::new(call, mode);
        if let Some(place) = load.place(steps.can_refuse()) {
            return Stage::Place(load, Box::pin(place));
        }
        load.start(steps);
        Stage::Body(load, Places::default())
    }

    fn finish(&mut self, load: Load, steps: &mut dyn Steps) -> Stage {
        match load.end(steps) {
            (call, Some(finish)) => Stage::Finish(call, finish.run()),
            (call, None) => self.done(&call),
        }
    }

    /// The call has its result.
    fn done(&mut self, call: &ReadCall) -> Stage {
        report::tagged(|| call.tags.shown(&call.cache));
        let Ending { kind, why, .. } = self.ending;
        self.trace.outcome(kind.as_str(), why.map(UncachedReason::as_str));
        self.tally.end((&call.cache, call.callsite), self.ending);
        Stage::Done
    }
}

/// Starts a call in the background that refreshes the value.
fn refresh_in_background(call: &ReadCall, refresh: Refresh, steps: &mut dyn Steps) {
    let (memory, by_hand) = (steps.memory(), steps.is_by_hand());
    let age = AgePolicy::Considered;
    let mut lookup = Lookup::new(call.clone(), Mode::Through, age, memory, by_hand, Instant::now());
    let channel = lookup.open_channel();
    let search = Box::pin(async move {
        let outcome = match lookup.refresh(refresh).await {
            Step::Done(load @ LookupOutcome::Load(..)) => load,
            // If the value has gone, the next call loads it.
            _ => LookupOutcome::Kept,
        };
        (lookup, outcome)
    });
    let driver = Driver::at(Stage::Search(channel, search), Tally::none());
    steps.detach(Box::new(driver), &call.cache);
}
