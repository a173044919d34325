//! Waiting for loads of other callers.

use std::time::Duration;

use tokio::sync::oneshot::{self, error::RecvError};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

use crate::engine::Mode;
use crate::engine::flight::{Landed, Leader, Verdict};
use crate::metrics::Event;
use crate::read::load::desk::Question;
use crate::read::load::outcome::Attempt;
use crate::read::lookup::first_look::Seen;
use crate::read::lookup::{Looked, Lookup};
use crate::read::stale::freshness::Use;
use crate::read::stale::{Outlook, Step};
use crate::record::{self, Found, Value};
use crate::support::random::random_fraction;
use crate::typing::Shared;

/// Shortest and longest pause between two looks at another process's lease.
const POLL: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// What a waiter gets from a flight.
enum Waited {
    Found,
    Lead(Leader),
    /// Nothing in time.
    Alone,
}

impl Lookup<'_> {
    /// Waits for the flight of this process.
    pub(in crate::read) async fn wait(&mut self, waiting: oneshot::Receiver<Verdict>) -> Looked {
        let paused = Instant::now();
        let verdict = timeout_at(paused + self.patience(), waiting).await;
        self.budget.resume(paused);
        match self.waited(verdict).await {
            Waited::Found => Looked::Found,
            Waited::Lead(leader) if leader.is_first() => self.acquire(Some(leader)).await,
            Waited::Lead(leader) => Looked::around(leader),
            Waited::Alone => Looked::alone(),
        }
    }

    /// What a flight's verdict, or the lack of one in time, means to a waiter.
    async fn waited(&self, verdict: Result<Result<Verdict, RecvError>, Elapsed>) -> Waited {
        match verdict {
            Ok(Ok(Verdict::Value(Landed { record, original }))) => {
                if let Found::Value(value) = record::read(record, self.entry.hash)
                    // A leader with other tags may not have looked at these.
                    && self.entry.tags.are_those_of(&value)
                    && self.copy(&value, original).await
                {
                    self.count(Event::Coalesced);
                    return Waited::Found;
                }
            }
            Ok(Ok(Verdict::Error(error))) => {
                if self.put(Question::UnshareError(error)).await {
                    self.count(Event::Coalesced);
                    return Waited::Found;
                }
            }
            Ok(Ok(Verdict::Lead(leader))) => return Waited::Lead(leader),
            // Every flight ends with a verdict; a caller whose patience ends runs the body itself.
            Ok(Err(_)) | Err(_) => self.count(Event::Impatient),
        }
        Waited::Alone
    }

    /// A waiter's copy of the leader's value: a clone of the original, or else decoded as by any caller that finds it.
    async fn copy(&self, value: &Value, original: Option<Shared>) -> bool {
        if let Some(original) = original
            && value.version() == self.entry.schema.version
            && self.put(Question::Unshare(original)).await
        {
            return true;
        }
        self.decode(value).await
    }

    /// Waits for the flight of this process; if there is a stale value, for no longer than `load_timeout`.
    /// `has_stale`: the result of the call is one already.
    pub(in crate::read) async fn wait_dated(
        &mut self,
        mut waiting: oneshot::Receiver<Verdict>,
        has_stale: bool,
    ) -> Step {
        let paused = Instant::now();
        let until = paused + self.patience();
        let mut verdict = None;
        if let Some(limit) = self.entry.callsite.policy().load_timeout {
            verdict = timeout(limit, &mut waiting).await.ok();
            if verdict.is_none() {
                self.budget.resume(paused);
                if has_stale || self.finds_stale().await {
                    self.count(Event::Stale);
                    return Step::Done(Outlook::Found);
                }
            }
        }
        let verdict = match verdict {
            Some(verdict) => Ok(verdict),
            None => timeout_at(until, waiting).await,
        };
        self.budget.resume(paused);
        match self.waited(verdict).await {
            Waited::Found => Step::Done(Outlook::Found),
            Waited::Lead(leader) if leader.is_first() => Step::Again(Some(leader)),
            Waited::Lead(leader) => Step::Done(Looked::around(leader).into()),
            Waited::Alone => Step::Done(Outlook::Load(Attempt::Alone)),
        }
    }

    /// Waits for the background load that this caller has started. The result of the call is a stale value.
    pub(in crate::read) async fn outwait(
        &mut self,
        waiting: Option<oneshot::Receiver<Verdict>>,
    ) -> Outlook {
        // Without a receiver the flight was detached by an invalidation: the next look finds out.
        let mut step = match waiting {
            Some(waiting) => self.wait_dated(waiting, true).await,
            None => Step::Again(None),
        };
        loop {
            step = match step {
                Step::Done(outlook) => return outlook,
                Step::Again(leader) => self.inspect(Mode::Through, false, leader).await,
            };
        }
    }

    /// Whether there is a stale value that may be served instead of a load that takes too long.
    async fn finds_stale(&mut self) -> bool {
        if self.is_outdated() {
            return false;
        }
        let (Seen::Value(value), now_ms) = self.look_dated().await else {
            return false;
        };
        Use::of(&value, self.entry.callsite.policy(), now_ms) != Use::Expired
    }

    /// How long the call waits for other callers' loads.
    pub(in crate::read) fn patience(&self) -> Duration {
        self.entry.callsite.policy().wait.unwrap_or(self.entry.cache.settings().wait)
    }
}

/// The pause before the next look at another process's lease: an eighth of the time waited so far, so that polling
/// delays a caller by little more than that, and randomized, so that processes do not poll in lockstep.
pub(in crate::read) fn pause(waited: Duration) -> Duration {
    (waited / 8).clamp(POLL.0, POLL.1).mul_f64(0.75 + random_fraction() / 2.0)
}
