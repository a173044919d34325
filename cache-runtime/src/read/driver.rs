//! Leads a call through the protocol: look, search, place, body, end.
//!
//! This is a state machine and no `async fn`, because it has to use the types of the call ([`Steps`]) between two looks
//! into the store, and must not hold them while it waits. Each stage that waits is a boxed future of its own. A hit has
//! one, a hit in memory none.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::engine::admission::Places;
use crate::engine::{Core, Mode};
use crate::error::Error;
use crate::key::Untyped;
use crate::metrics::Event;
use crate::read::load::Loading;
use crate::read::load::desk::Desk;
use crate::read::load::outcome::Attempt;
use crate::read::load::steps::Steps;
use crate::read::lookup::first_look::Reply;
use crate::read::lookup::{Entry, Known, Lookup};
use crate::read::stale::freshness::Use;
use crate::read::stale::replace::{Need, Over};
use crate::read::stale::{First, Outlook, Refresh};
use crate::read::{bypasses, resolved};
use crate::record::Value;

pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a function makes of the age of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Nothing: what is there is fresh.
    Ignored,
    /// It serves stale values, or refreshes early.
    Counts,
    /// The same, and its body can run in the background.
    Detaches,
}

/// A call on its way.
pub(super) struct Driver {
    age: Age,
    mode: Mode,
    stage: Stage,
}

/// How far it has come.
pub(super) enum Stage {
    Begin(Option<Core>, Untyped),
    /// The first look, which is all that a hit needs.
    Look(Boxed<(Lookup<'static>, Reply)>),
    /// Everything else that finds a value, or the right to load.
    Search(Desk, Boxed<(Lookup<'static>, Outlook)>),
    /// A load waits for its place.
    Place(Box<Loading>, Boxed<Result<Places, Error>>),
    Body(Box<Loading>, Places),
    End(Entry, Boxed<Option<Value>>),
    Over,
}

impl Driver {
    pub(super) fn new(cache: Option<Core>, mode: Mode, key: Untyped, age: Age) -> Self {
        Self { age, mode, stage: Stage::Begin(cache, key) }
    }

    /// Goes on until the call has a result, or need have none because nobody waits for it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, steps: &mut dyn Steps) -> Poll<()> {
        loop {
            // If a stage panics, the call is over.
            let (stage, is_pending) = match mem::replace(&mut self.stage, Stage::Over) {
                Stage::Begin(cache, key) => (self.begin(cache, key, steps), false),
                Stage::Look(mut look) => match look.as_mut().poll(cx) {
                    Poll::Ready((lookup, reply)) => (self.looked(lookup, reply, steps), false),
                    Poll::Pending => (Stage::Look(look), true),
                },
                Stage::Search(desk, mut search) => {
                    match desk.attend(cx, steps, |cx| search.as_mut().poll(cx)) {
                        Poll::Ready((lookup, outlook)) => {
                            (Self::found(lookup, outlook, steps), false)
                        }
                        Poll::Pending => (Stage::Search(desk, search), true),
                    }
                }
                Stage::Place(loading, mut place) => match place.as_mut().poll(cx) {
                    Poll::Ready(Err(overloaded)) if steps.can_refuse() => {
                        steps.refuse(overloaded);
                        (loading.end(steps), false)
                    }
                    Poll::Ready(places) => {
                        (loading.start(places.unwrap_or_default(), steps), false)
                    }
                    Poll::Pending => (Stage::Place(loading, place), true),
                },
                Stage::Body(mut loading, places) => match loading.poll(&places, cx, steps) {
                    Poll::Ready(()) => {
                        drop(places);
                        (loading.end(steps), false)
                    }
                    Poll::Pending => (Stage::Body(loading, places), true),
                },
                Stage::End(entry, mut end) => match end.as_mut().poll(cx) {
                    Poll::Ready(stale) => {
                        if let Some(stale) = stale {
                            serve_stale(&entry, &stale, steps);
                        }
                        (Stage::Over, false)
                    }
                    Poll::Pending => (Stage::End(entry, end), true),
                },
                Stage::Over => return Poll::Ready(()),
            };
            self.stage = stage;
            if is_pending {
                return Poll::Pending;
            }
        }
    }

    fn begin(&mut self, cache: Option<Core>, key: Untyped, steps: &mut dyn Steps) -> Stage {
        let (cache, mode) = resolved(cache, key.callsite, key.owner, self.mode);
        self.mode = mode;
        let (unhashable, entry) = (key.unhashable(), Entry::new(cache, key));
        let Entry { cache, callsite, text, tags, .. } = &entry;
        if bypasses(mode, cache, callsite, unhashable, text, tags) || cache.store().is_none() {
            return Loading::new(entry, Attempt::Alone).place(steps);
        }
        let mut lookup = Lookup::new(entry, steps.memory(), steps.is_by_hand());
        lookup.steps_aside = mode == Mode::Through;
        if self.age != Age::Ignored {
            let waiting = if mode == Mode::Through { lookup.join() } else { None };
            if waiting.is_some() || lookup.is_outdated() {
                return self.search_dated(lookup, First::from(waiting));
            }
            return Self::look(lookup, true);
        }
        if let Some(known) = lookup.begin(mode) {
            return self.search(lookup, known);
        }
        let at_once = lookup.entry.tags.is_empty().then(|| lookup.at_once()).flatten();
        match at_once {
            Some(reply) => self.looked(lookup, reply, steps),
            None => Self::look(lookup, false),
        }
    }

    fn look(lookup: Lookup<'static>, dated: bool) -> Stage {
        if !dated && lookup.entry.tags.is_empty() {
            // A future of its own, which is a fraction of the other.
            return Stage::Look(Box::pin(async move {
                let reply = lookup.ask_for_value().await;
                (lookup, reply)
            }));
        }
        Stage::Look(Box::pin(async move {
            let reply = lookup.ask(dated).await;
            (lookup, reply)
        }))
    }

    fn looked(
        &mut self,
        mut lookup: Lookup<'static>,
        reply: Reply,
        steps: &mut dyn Steps,
    ) -> Stage {
        let now_ms = reply.now_ms.clone().unwrap_or_default();
        let candidate = lookup.judge(reply);
        let seen = lookup.confirm_by(candidate, steps);
        if self.age == Age::Ignored {
            if lookup.is_hit(self.mode, &seen) {
                return Stage::Over;
            }
            return self.search(lookup, Known::Seen(seen));
        }
        let usage = lookup.usage(&seen, now_ms);
        if usage == Use::Fresh && self.mode == Mode::Through {
            lookup.count(Event::Hit);
            return Stage::Over;
        }
        self.search_dated(lookup, First::Seen(seen, usage))
    }

    fn search(&self, mut lookup: Lookup<'static>, known: Known) -> Stage {
        let mode = self.mode;
        let desk = lookup.desk.insert(Desk::default()).clone();
        Stage::Search(
            desk,
            Box::pin(async move {
                let looked = lookup.go_on(mode, known).await;
                (lookup, looked.into())
            }),
        )
    }

    fn search_dated(&self, mut lookup: Lookup<'static>, first: First) -> Stage {
        let (mode, detaches) = (self.mode, self.age == Age::Detaches);
        let desk = lookup.desk.insert(Desk::default()).clone();
        Stage::Search(
            desk,
            Box::pin(async move {
                let outlook = lookup.dated(mode, detaches, first).await;
                (lookup, outlook)
            }),
        )
    }

    fn found(mut lookup: Lookup<'static>, outlook: Outlook, steps: &mut dyn Steps) -> Stage {
        match outlook {
            Outlook::Found | Outlook::Settled => Stage::Over,
            Outlook::Load(attempt) => Loading::new(lookup.entry, attempt).place(steps),
            Outlook::Refresh(refresh) => {
                let cache = lookup.entry.cache.clone();
                let behind = Self::behind(lookup.entry, refresh, steps);
                steps.detach(behind, &cache);
                Stage::Over
            }
            Outlook::Await(refresh) => {
                // Joins before the load begins, so that this caller may take the result too.
                let waiting = lookup.join();
                let behind = Self::behind(lookup.entry.clone(), refresh, steps);
                steps.detach(behind, &lookup.entry.cache);
                let desk = lookup.desk.insert(Desk::default()).clone();
                Stage::Search(
                    desk,
                    Box::pin(async move {
                        let outlook = lookup.outwait(waiting).await;
                        (lookup, outlook)
                    }),
                )
            }
        }
    }

    /// A load in the background.
    fn behind(entry: Entry, refresh: Refresh, steps: &dyn Steps) -> Self {
        let Refresh { seen, claim, leader } = refresh;
        let need = if leader.is_some() { Need::Must } else { Need::May };
        let mut lookup = Lookup::new(entry, steps.memory(), steps.is_by_hand());
        let desk = lookup.desk.insert(Desk::default()).clone();
        let search: Boxed<_> = Box::pin(async move {
            let lease = lookup.unboxed_lease(leader).beside(Some(claim));
            let outlook = match lookup.over(lease, &seen, need).await {
                Over::Load(attempt) => Outlook::Load(attempt),
                Over::Found | Over::Stale | Over::Gone(_) => Outlook::Settled,
            };
            (lookup, outlook)
        });
        Self { age: Age::Counts, mode: Mode::Through, stage: Stage::Search(desk, search) }
    }
}

/// Serves a value that was kept in place of a failure.
fn serve_stale(entry: &Entry, stale: &Value, steps: &mut dyn Steps) {
    // If it does not decode, which it did before, the call returns the failure.
    if steps.decode(stale.payload(), entry.schema.codec) {
        entry.count(Event::Stale);
    }
}
