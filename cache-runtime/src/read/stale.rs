//! The first stage of a call whose function considers the age of values: one that serves stale values, or refreshes
//! early. A hit sends one more command, in the same round trip.

use super::age::Use;
use super::attempt::Attempt;
use super::look::{Lack, Seen};
use super::lookup::{Looked, Lookup};
use super::replace::{Need, Over};
use crate::background::{Claim, Claimed};
use crate::call::Mode;
use crate::flight::{Leader, Mark, Role};
use crate::record::Value;
use crate::stats::Event;
use crate::store::Name;

/// The result of a lookup.
pub(super) enum Outlook<R> {
    Found(R),
    Load(Attempt),
    /// The value may be served, and should be refreshed in the background.
    Refresh(R, Refresh),
    /// The value may be served if a load in the background takes too long.
    Await(R, Refresh),
}

/// A refresh for the background to do.
pub(super) struct Refresh {
    pub(super) seen: Value,
    pub(super) claim: Claim,
    /// The lead of the callers that wait for the load, if there may be any.
    pub(super) leader: Option<Leader>,
}

/// A lookup, or another look after somebody else's load has ended.
pub(super) enum Step<R> {
    Done(Outlook<R>),
    Again(Option<Leader>),
}

impl<R> From<Looked<R>> for Outlook<R> {
    fn from(looked: Looked<R>) -> Self {
        match looked {
            Looked::Found(result) => Self::Found(result),
            Looked::Load(attempt) => Self::Load(attempt),
        }
    }
}

impl<R, T> Lookup<'_, R, T> {
    /// Finds a value, and decides according to its age. `detached`: the body can run in the background.
    pub(super) async fn dated(&mut self, mode: Mode, detached: bool) -> Outlook<R> {
        let name = self.name;
        if self.cache.store().is_none() {
            return Outlook::Load(Attempt::Alone);
        }
        let join = || self.cache.flights().join(name, || self.asked());
        let waiting = if mode == Mode::Through { join() } else { None };
        let mut step = match waiting {
            Some(waiting) => self.wait_dated(name, waiting, None).await,
            None => Step::Again(None),
        };
        loop {
            step = match step {
                Step::Done(outlook) => return outlook,
                Step::Again(leader) => self.inspect(name, mode, detached, leader).await,
            };
        }
    }

    /// A single look, by a caller that may lead a flight.
    pub(super) async fn inspect(
        &mut self,
        name: Name<'_>,
        mode: Mode,
        detached: bool,
        leader: Option<Leader>,
    ) -> Step<R> {
        let mark = leader.as_ref().map(Leader::mark);
        if self.is_outdated() {
            self.count(Event::Outdated);
            return self.nothing(name, mode, leader, Lack::Obstacle).await;
        }
        let Some(store) = self.cache.store() else {
            return Step::Done(Outlook::Load(Attempt::Alone));
        };
        let (result, value, now_ms) = match self.look_dated(store, name).await {
            (Seen::Value(result, value), now_ms) => (result, value, now_ms),
            (Seen::None(lack), _) => return self.nothing(name, mode, leader, lack).await,
        };
        if mode == Mode::Refresh {
            return Step::Done(self.replace(value.token()).await.into());
        }
        let verdict = Use::of(&value, self.callsite.policy(), now_ms);
        match verdict {
            Use::Expired => {
                self.reject = Some(value.token());
                return self.nothing(name, mode, leader, Lack::Miss).await;
            }
            Use::IfError => {
                return self.if_error(name, detached, leader, mark, result, value).await;
            }
            Use::Fresh | Use::Early => self.count(Event::Hit),
            Use::WhileRevalidating => {
                self.count(Event::Hit);
                self.count(Event::Stale);
            }
        }
        if let (Some(leader), Some(mark)) = (leader, mark) {
            let (lease, record) = (self.lease(Some(leader)), value.record().clone());
            if verdict == Use::WhileRevalidating {
                lease.pass_on_stale(record, Some(mark));
            } else {
                lease.pass_on(record, Some(mark));
            }
        }
        if verdict == Use::Fresh {
            return Step::Done(Outlook::Found(result));
        }
        let Some(claim) = self.claim() else {
            return Step::Done(Outlook::Found(result));
        };
        if verdict == Use::Early {
            self.count(Event::Early);
        }
        if detached {
            let refresh = Refresh { seen: value, claim, leader: None };
            return Step::Done(Outlook::Refresh(result, refresh));
        }
        let lease = self.unboxed_lease(None).beside(Some(claim));
        match self.over(name, lease, &value, Need::May).await {
            Over::Load(attempt) => Step::Done(Outlook::Load(attempt)),
            Over::Found(newer) => Step::Done(Outlook::Found(newer)),
            Over::Stale | Over::Gone(_) => Step::Done(Outlook::Found(result)),
        }
    }

    /// Nothing usable was found: join a flight, or lead one.
    async fn nothing(
        &mut self,
        name: Name<'_>,
        mode: Mode,
        leader: Option<Leader>,
        lack: Lack,
    ) -> Step<R> {
        self.count(Event::Miss);
        let leader = match (leader, mode, lack) {
            (leader, Mode::Refresh, Lack::Obstacle) => {
                drop(leader);
                return Step::Done(Outlook::Load(Attempt::Alone));
            }
            (leader, Mode::Refresh, Lack::Miss) | (leader @ Some(_), ..) => leader,
            (None, ..) => match self.cache.flights().enter(name, self.asked()) {
                Role::Wait(waiting) => return self.wait_dated(name, waiting, None).await,
                Role::Lead(leader) => Some(leader),
            },
        };
        let looked = match (leader, lack) {
            (Some(leader), Lack::Obstacle) => Looked::around(leader),
            (leader, _) => self.acquire(name, leader).await,
        };
        Step::Done(looked.into())
    }

    /// The value is served only if no newer one arrives.
    async fn if_error(
        &mut self,
        name: Name<'_>,
        detached: bool,
        leader: Option<Leader>,
        mark: Option<Mark>,
        result: R,
        value: Value,
    ) -> Step<R> {
        if self.cache.background().is_resting(self.name.text) {
            self.count(Event::Hit);
            self.serve_rested();
            if let Some(leader) = leader {
                self.lease(Some(leader)).pass_on_stale(value.record().clone(), mark);
            }
            return Step::Done(Outlook::Found(result));
        }
        self.count(Event::Miss);
        let leader = match leader {
            Some(leader) => leader,
            None => match self.cache.flights().enter(name, self.asked()) {
                Role::Wait(waiting) => return self.wait_dated(name, waiting, Some(result)).await,
                Role::Lead(leader) => leader,
            },
        };
        if detached && self.callsite.policy().load_timeout.is_some() {
            let Some(claim) = self.claim() else {
                self.count(Event::Stale);
                return Step::Done(Outlook::Found(result));
            };
            let refresh = Refresh { seen: value, claim, leader: Some(leader) };
            return Step::Done(Outlook::Await(result, refresh));
        }
        let lease = self.unboxed_lease(Some(leader)).beside(None);
        match self.over(name, lease, &value, Need::Must).await {
            Over::Load(attempt) => Step::Done(Outlook::Load(attempt)),
            Over::Found(newer) => Step::Done(Outlook::Found(newer)),
            Over::Stale => {
                self.serve_rested();
                Step::Done(Outlook::Found(result))
            }
            Over::Gone(leader) => Step::Again(leader),
        }
    }

    /// The right to refresh in this process, unless another call has it or the entry rests.
    fn claim(&self) -> Option<Claim> {
        match self.cache.background().claim(self.name.text) {
            Claimed::Granted(claim) => return Some(claim),
            Claimed::Busy => {}
            Claimed::Resting => self.count(Event::Rested),
            Claimed::Full => self.count(Event::RefreshShed),
        }
        None
    }

    fn serve_rested(&self) {
        self.count(Event::Stale);
        self.count(Event::Rested);
    }
}
