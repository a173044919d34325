//! The first stage of a call whose function looks at the age of values: one that serves stale values, or refreshes them
//! early. It costs a hit one more command, in the same round trip.

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::age::Use;
use super::attempt::Attempt;
use super::lease::Lease;
use super::lookup::{Lack, Looked, Lookup, Seen, Waited, pause};
use crate::background::{Claim, Claimed};
use crate::call::Mode;
use crate::flight::{Leader, Mark, Role, Verdict};
use crate::record::Value;
use crate::stats::Event;
use crate::store::{Acquired, Name};
use crate::token::Token;

/// What a lookup comes to.
pub(super) enum Outlook<R> {
    Found(R),
    Load(Attempt),
    /// The value may be served, and is to be refreshed in the background.
    Refresh(R, Refresh),
    /// The value may be served if a load in the background takes too long.
    Await(R, Refresh),
}

/// What the background is told to do.
pub(super) struct Refresh {
    pub(super) seen: Value,
    pub(super) claim: Claim,
    /// Of those who wait for the load, if it is waited for.
    pub(super) leader: Option<Leader>,
}

/// A lookup, or another look after somebody else's load has ended.
enum Step<R> {
    Done(Outlook<R>),
    Again(Option<Leader>),
}

/// What comes of the wish to replace a value.
pub(super) enum Over<R> {
    Load(Attempt),
    /// Somebody else has replaced it.
    Found(R),
    /// There is no need to: it is good enough, and another caller sees to it, or none may for now.
    Stale,
    /// It is gone.
    Gone(Option<Leader>),
}

/// Whether a value is replaced also without the right to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Somebody waits for the load.
    Must,
    /// Nobody does.
    May,
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
    /// Finds a value and decides by its age. `detached`: the body can run in the background.
    pub(super) async fn dated(&mut self, mode: Mode, detached: bool) -> Outlook<R> {
        let name = Name::new(self.text);
        if self.cache.store().is_none() {
            return Outlook::Load(Attempt::Alone);
        }
        let waiting = if mode == Mode::Through { self.cache.flights().join(name) } else { None };
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

    /// One look, by a caller that leads those who wait, or by any.
    async fn inspect(
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
            self.lease(Some(leader)).pass_on(value.record().clone(), Some(mark));
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

    /// Nothing usable was found: join those who load, or lead.
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
            (None, ..) => match self.cache.flights().enter(name) {
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

    /// The value is served only if there comes no newer one.
    async fn if_error(
        &mut self,
        name: Name<'_>,
        detached: bool,
        leader: Option<Leader>,
        mark: Option<Mark>,
        result: R,
        value: Value,
    ) -> Step<R> {
        if self.cache.background().is_resting(self.text) {
            self.count(Event::Hit);
            self.serve_rested();
            if let Some(leader) = leader {
                self.lease(Some(leader)).pass_on(value.record().clone(), mark);
            }
            return Step::Done(Outlook::Found(result));
        }
        self.count(Event::Miss);
        let leader = match leader {
            Some(leader) => leader,
            None => match self.cache.flights().enter(name) {
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

    /// Gets ready to replace a value: alone, if it still stands, and by and by if others are at it.
    pub(super) async fn over(
        &mut self,
        name: Name<'_>,
        mut lease: Box<Lease>,
        seen: &Value,
        need: Need,
    ) -> Over<R> {
        let policy = self.callsite.policy();
        let since = Instant::now();
        loop {
            let (reply, _) = lease.acquire(None).await;
            let held = match reply {
                Ok(Acquired::Leased) => true,
                Ok(Acquired::Fenced) => {
                    lease.rest();
                    return Over::Stale;
                }
                Ok(Acquired::Held(left))
                    if need == Need::Must && policy.lock && since.elapsed() < self.patience() =>
                {
                    let paused = Instant::now();
                    sleep(pause(since.elapsed()).min(left)).await;
                    lease.waited(paused);
                    match self.newer(name, &mut lease, seen.token()).await {
                        Some(over) => return over,
                        None => continue,
                    }
                }
                _ if need == Need::May => {
                    lease.pause();
                    return Over::Stale;
                }
                _ => false,
            };
            if !lease.capture().await {
                return Over::Gone(lease.take_leader());
            }
            // Another process may have replaced it before it gave its lease up.
            if held && let Some(over) = self.newer(name, &mut lease, seen.token()).await {
                return over;
            }
            self.count(Event::RefreshStarted);
            return Over::Load(Attempt::Over(lease.begin(), Box::new(seen.clone())));
        }
    }

    /// What stands in the entry, if it is not the value that was seen any more.
    async fn newer(&mut self, name: Name<'_>, lease: &mut Lease, seen: Token) -> Option<Over<R>> {
        let store = self.cache.store()?;
        let mark = lease.mark();
        // Of an invalidation that was not delivered the store knows nothing, but who joined since does.
        if self.is_outdated() {
            return Some(Over::Gone(lease.take_leader()));
        }
        let (found, now_ms) = self.look_dated(store, name).await;
        if let Seen::Value(result, value) = found {
            if value.token() == seen {
                return None;
            }
            if matches!(Use::of(&value, self.callsite.policy(), now_ms), Use::Fresh | Use::Early) {
                lease.land(value.record().clone(), mark);
                return Some(Over::Found(result));
            }
        }
        Some(Over::Gone(lease.take_leader()))
    }

    /// Waits for the flight of this process; not longer than the function waits for any load if there is a stale value.
    async fn wait_dated(
        &mut self,
        name: Name<'_>,
        mut waiting: oneshot::Receiver<Verdict>,
        stale: Option<R>,
    ) -> Step<R> {
        let paused = Instant::now();
        let until = paused + self.patience();
        let mut verdict = None;
        if let Some(limit) = self.callsite.policy().load_timeout {
            verdict = timeout(limit, &mut waiting).await.ok();
            if verdict.is_none() {
                self.budget.resume(paused);
                let found = match stale {
                    Some(result) => Some(result),
                    None => self.stale(name).await,
                };
                if let Some(result) = found {
                    self.count(Event::Stale);
                    return Step::Done(Outlook::Found(result));
                }
            }
        }
        let verdict = match verdict {
            Some(verdict) => Ok(verdict),
            None => timeout_at(until, waiting).await,
        };
        self.budget.resume(paused);
        match self.waited(name, verdict) {
            Waited::Found(result) => Step::Done(Outlook::Found(result)),
            Waited::Lead(leader) if leader.is_first() => Step::Again(Some(leader)),
            Waited::Lead(leader) => Step::Done(Looked::around(leader).into()),
            Waited::Alone => Step::Done(Outlook::Load(Attempt::Alone)),
        }
    }

    /// Waits for the load in the background that this caller has set off.
    pub(super) async fn outwait(
        &mut self,
        waiting: Option<oneshot::Receiver<Verdict>>,
        stale: R,
    ) -> Outlook<R> {
        let name = Name::new(self.text);
        // Without a receiver the flight was detached by an invalidation: the next look finds out.
        let mut step = match waiting {
            Some(waiting) => self.wait_dated(name, waiting, Some(stale)).await,
            None => Step::Again(None),
        };
        loop {
            step = match step {
                Step::Done(outlook) => return outlook,
                Step::Again(leader) => self.inspect(name, Mode::Through, false, leader).await,
            };
        }
    }

    /// A stale value that may be served instead of a load that takes too long.
    async fn stale(&mut self, name: Name<'_>) -> Option<R> {
        let store = self.cache.store()?;
        if self.is_outdated() {
            return None;
        }
        let (Seen::Value(result, value), now_ms) = self.look_dated(store, name).await else {
            return None;
        };
        (Use::of(&value, self.callsite.policy(), now_ms) != Use::Expired).then_some(result)
    }

    /// The right to refresh in this process, unless it is somebody else's or nobody's.
    fn claim(&self) -> Option<Claim> {
        match self.cache.background().claim(self.text) {
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
