//! Waiting for loads of other callers.

use std::time::Duration;

use tokio::sync::oneshot::{self, error::RecvError};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

use super::age::Use;
use super::attempt::{Attempt, guarded};
use super::look::Seen;
use super::lookup::{Looked, Lookup};
use super::stale::{Outlook, Step};
use crate::call::Mode;
use crate::flight::{Landed, Leader, Verdict};
use crate::outcome::Shared;
use crate::record::{self, Found, Value};
use crate::stats::Event;
use crate::store::Name;
use crate::token::random_fraction;

/// Shortest and longest pause between two looks at another process's lease.
const POLL: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// What a waiter gets from a flight.
enum Waited<R> {
    Found(R),
    Lead(Leader),
    /// Nothing in time.
    Alone,
}

impl<R, T> Lookup<'_, R, T> {
    /// Waits for the flight of this process.
    pub(super) async fn wait(
        &mut self,
        name: Name<'_>,
        waiting: oneshot::Receiver<Verdict>,
    ) -> Looked<R> {
        let paused = Instant::now();
        let verdict = timeout_at(paused + self.patience(), waiting).await;
        self.budget.resume(paused);
        match self.waited(name, verdict) {
            Waited::Found(result) => Looked::Found(result),
            Waited::Lead(leader) if leader.is_first() => self.acquire(name, Some(leader)).await,
            Waited::Lead(leader) => Looked::around(leader),
            Waited::Alone => Looked::alone(),
        }
    }

    /// What a flight's verdict, or the lack of one in time, means to a waiter.
    fn waited(
        &self,
        name: Name<'_>,
        verdict: Result<Result<Verdict, RecvError>, Elapsed>,
    ) -> Waited<R> {
        match verdict {
            Ok(Ok(Verdict::Value(Landed { record, original }))) => {
                if let Found::Value(value) = record::read(record, name.hash)
                    // A leader with other tags may not have looked at these.
                    && self.tags.are_those_of(&value)
                    && let Some(result) = self.copy(&value, original.as_ref())
                {
                    self.count(Event::Coalesced);
                    return Waited::Found(result);
                }
            }
            Ok(Ok(Verdict::Error(error))) => {
                if let Some(result) = (self.returns.sharing.unshare)(&error) {
                    self.count(Event::Coalesced);
                    return Waited::Found(result);
                }
            }
            Ok(Ok(Verdict::Lead(leader))) => return Waited::Lead(leader),
            // Every flight ends with a verdict; a caller whose patience ends runs the body itself.
            Ok(Err(_)) | Err(_) => self.count(Event::Impatient),
        }
        Waited::Alone
    }

    /// A waiter's copy of the leader's value: a clone of the original, or else decoded as by any caller that finds it.
    fn copy(&self, value: &Value, original: Option<&Shared>) -> Option<R> {
        let unshare = (self.returns.nature)().unshare;
        let original = original.filter(|_| value.version() == self.schema.version);
        let copy = original.and_then(|original| guarded(|| unshare(original)).flatten());
        copy.or_else(|| self.decode(value))
    }

    /// Waits for the flight of this process; if there is a stale value, for no longer than `load_timeout`.
    pub(super) async fn wait_dated(
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

    /// Waits for the background load that this caller has started.
    pub(super) async fn outwait(
        &mut self,
        waiting: Option<oneshot::Receiver<Verdict>>,
        stale: R,
    ) -> Outlook<R> {
        let name = self.name;
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

    /// How long the call waits for other callers' loads.
    pub(super) fn patience(&self) -> Duration {
        self.callsite.policy().wait.unwrap_or(self.cache.settings().wait)
    }
}

/// The pause before the next look at another process's lease: an eighth of the time waited so far, so that polling
/// delays a caller by little more than that, and randomized, so that processes do not poll in lockstep.
pub(super) fn pause(waited: Duration) -> Duration {
    (waited / 8).clamp(POLL.0, POLL.1).mul_f64(0.75 + random_fraction() / 2.0)
}
