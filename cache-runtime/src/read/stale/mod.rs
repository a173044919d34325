//! The first stage of a call whose function considers the age of values: one that serves stale values, or refreshes
//! early. A hit sends one more command, in the same round trip.

pub(crate) mod freshness;
pub(crate) mod refresh_lease;
pub(crate) mod replace;

use tokio::sync::oneshot;

use self::freshness::Use;
use self::replace::{Need, Over};
use crate::engine::Mode;
use crate::engine::background::{Claim, Claimed};
use crate::engine::flight::{Leader, Mark, Role, Verdict};
use crate::metrics::Event;
use crate::read::load::outcome::Attempt;
use crate::read::lookup::first_look::{Lack, Seen};
use crate::read::lookup::{Looked, Lookup};
use crate::record::Value;

/// The result of a lookup.
pub(super) enum Outlook {
    /// A value, which is the result of the call by now.
    Found,
    Load(Attempt),
    /// The same, which should be refreshed in the background.
    Refresh(Refresh),
    /// The same, which may be served if a load in the background takes too long.
    Await(Refresh),
    /// There is nothing to do in the background.
    Settled,
}

/// What is known of an entry before anything is done about it.
pub(super) enum First {
    Nothing,
    /// Another call in this process is loading it.
    Loading(oneshot::Receiver<Verdict>),
    /// What a look has found, and what may be done with a value. That is drawn once: an early refresh is a chance.
    Seen(Seen, Use),
}

impl From<Option<oneshot::Receiver<Verdict>>> for First {
    fn from(waiting: Option<oneshot::Receiver<Verdict>>) -> Self {
        waiting.map_or(Self::Nothing, Self::Loading)
    }
}

/// A refresh for the background to do.
pub(super) struct Refresh {
    pub(super) seen: Value,
    pub(super) claim: Claim,
    /// The lead of the callers that wait for the load, if there may be any.
    pub(super) leader: Option<Leader>,
}

/// A lookup, or another look after somebody else's load has ended.
pub(super) enum Step {
    Done(Outlook),
    Again(Option<Leader>),
}

impl From<Looked> for Outlook {
    fn from(looked: Looked) -> Self {
        match looked {
            Looked::Found => Self::Found,
            Looked::Load(attempt) => Self::Load(attempt),
        }
    }
}

impl Lookup<'_> {
    /// Finds a value, and decides according to its age. `detached`: the body can run in the background.
    pub(super) async fn dated(&mut self, mode: Mode, detached: bool, first: First) -> Outlook {
        let mut step = match first {
            First::Loading(waiting) => self.wait_dated(waiting, false).await,
            First::Seen(seen, usage) => self.weigh(mode, detached, None, seen, usage).await,
            First::Nothing => Step::Again(None),
        };
        loop {
            step = match step {
                Step::Done(outlook) => return outlook,
                Step::Again(leader) => self.inspect(mode, detached, leader).await,
            };
        }
    }

    /// A single look, by a caller that may lead a flight.
    pub(super) async fn inspect(
        &mut self,
        mode: Mode,
        detached: bool,
        leader: Option<Leader>,
    ) -> Step {
        let mark = leader.as_ref().map(Leader::mark);
        if self.is_outdated() {
            self.count(Event::Outdated);
            return self.nothing(mode, leader, Lack::Obstacle).await;
        }
        let (seen, now_ms) = self.look_dated().await;
        let usage = self.usage(&seen, now_ms);
        self.weigh(mode, detached, leader.zip(mark), seen, usage).await
    }

    /// What may be done with what was seen, at this time by the clock of the store.
    pub(super) fn usage(&self, seen: &Seen, now_ms: u64) -> Use {
        match seen {
            Seen::Value(value) => Use::of(value, self.entry.callsite.policy(), now_ms),
            Seen::None(_) => Use::Expired,
        }
    }

    /// What such a look has found.
    async fn weigh(
        &mut self,
        mode: Mode,
        detached: bool,
        lead: Option<(Leader, Mark)>,
        seen: Seen,
        verdict: Use,
    ) -> Step {
        let value = match seen {
            Seen::Value(value) => value,
            Seen::None(Lack::Elsewhere) => {
                self.step_aside();
                return Step::Again(None);
            }
            Seen::None(lack) => {
                return self.nothing(mode, lead.map(|(leader, _)| leader), lack).await;
            }
        };
        if mode == Mode::Refresh {
            return Step::Done(self.replace(value.token()).await.into());
        }
        match verdict {
            Use::Expired => {
                self.reject = Some(value.token());
                return self.nothing(mode, lead.map(|(leader, _)| leader), Lack::Miss).await;
            }
            Use::IfError => return self.if_error(detached, lead, value).await,
            Use::Fresh | Use::Early => self.count(Event::Hit),
            Use::WhileRevalidating => {
                self.count(Event::Hit);
                self.count(Event::Stale);
            }
        }
        if let Some((leader, mark)) = lead {
            let (lease, record) = (self.lease(Some(leader)), value.record().clone());
            if verdict == Use::WhileRevalidating {
                lease.pass_on_stale(record, Some(mark));
            } else {
                lease.pass_on(record, Some(mark));
            }
        }
        if verdict == Use::Fresh {
            return Step::Done(Outlook::Found);
        }
        let Some(claim) = self.claim() else {
            return Step::Done(Outlook::Found);
        };
        if verdict == Use::Early {
            self.count(Event::Early);
        }
        if detached {
            let refresh = Refresh { seen: value, claim, leader: None };
            return Step::Done(Outlook::Refresh(refresh));
        }
        let lease = self.unboxed_lease(None).beside(Some(claim));
        match self.over(lease, &value, Need::May).await {
            Over::Load(attempt) => Step::Done(Outlook::Load(attempt)),
            Over::Found | Over::Stale | Over::Gone(_) => Step::Done(Outlook::Found),
        }
    }

    /// Nothing usable was found: join a flight, or lead one.
    async fn nothing(&mut self, mode: Mode, leader: Option<Leader>, lack: Lack) -> Step {
        self.count(Event::Miss);
        let leader = match (leader, mode, lack) {
            (leader, Mode::Refresh, Lack::Obstacle) => {
                drop(leader);
                return Step::Done(Outlook::Load(Attempt::Alone));
            }
            (leader, Mode::Refresh, _) | (leader @ Some(_), ..) => leader,
            (None, ..) => match self.enter() {
                Role::Wait(waiting) => return self.wait_dated(waiting, false).await,
                Role::Lead(leader) => Some(leader),
            },
        };
        let looked = match (leader, lack) {
            (Some(leader), Lack::Obstacle) => Looked::around(leader),
            (leader, _) => self.acquire(leader).await,
        };
        Step::Done(looked.into())
    }

    /// The value, which is the result of the call, is served only if no newer one arrives.
    async fn if_error(
        &mut self,
        detached: bool,
        lead: Option<(Leader, Mark)>,
        value: Value,
    ) -> Step {
        if self.entry.cache.background().is_resting(&self.entry.text) {
            self.count(Event::Hit);
            self.serve_rested();
            if let Some((leader, mark)) = lead {
                self.lease(Some(leader)).pass_on_stale(value.record().clone(), Some(mark));
            }
            return Step::Done(Outlook::Found);
        }
        self.count(Event::Miss);
        let leader = match lead {
            Some((leader, _)) => leader,
            None => match self.enter() {
                Role::Wait(waiting) => return self.wait_dated(waiting, true).await,
                Role::Lead(leader) => leader,
            },
        };
        if detached && self.entry.callsite.policy().load_timeout.is_some() {
            let Some(claim) = self.claim() else {
                self.count(Event::Stale);
                return Step::Done(Outlook::Found);
            };
            let refresh = Refresh { seen: value, claim, leader: Some(leader) };
            return Step::Done(Outlook::Await(refresh));
        }
        let lease = self.unboxed_lease(Some(leader)).beside(None);
        match self.over(lease, &value, Need::Must).await {
            Over::Load(attempt) => Step::Done(Outlook::Load(attempt)),
            Over::Found => Step::Done(Outlook::Found),
            Over::Stale => {
                self.serve_rested();
                Step::Done(Outlook::Found)
            }
            Over::Gone(leader) => Step::Again(leader),
        }
    }

    /// The right to refresh in this process, unless another call has it or the entry rests.
    fn claim(&self) -> Option<Claim> {
        match self.entry.cache.background().claim(&self.entry.text) {
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
