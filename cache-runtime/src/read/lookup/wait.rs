//! Waiting for loads of other callers.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use crate::engine::flight::{Landed, Verdict};
use crate::metrics::{OutcomeKind, UncachedReason};
use crate::read::freshness::{AgePolicy, Freshness};
use crate::read::lookup::{Lookup, LookupOutcome, Step};
use crate::read::restore::Source;
use crate::support::random::random_fraction;

/// Shortest and longest pause between two looks at another process's lease.
const POLL: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// What part of the time waited so far is the pause before the next look at another process's
/// lease: a caller waits for little more than the load, and one that waits for long asks rarely.
const SHARE: u32 = 40;

impl Lookup<'_> {
    /// Waits for the flight of this process. If there is a stale value, the call waits for no
    /// longer than the function's `load_timeout`. `has_stale`: it is the result of the call
    /// already.
    pub(super) async fn wait(
        &mut self,
        mut waiting: oneshot::Receiver<Verdict>,
        has_stale: bool,
    ) -> Step {
        let paused = Instant::now();
        let until = paused + self.patience();
        let mut verdict = None;
        if self.age != AgePolicy::Ignored
            && let Some(limit) = self.call.callsite.policy().load_timeout
        {
            verdict = timeout(limit, &mut waiting).await.ok();
            if verdict.is_none() {
                self.budget.resume(paused);
                if has_stale || self.finds_stale().await {
                    return LookupOutcome::found(OutcomeKind::Stale).into();
                }
            }
        }
        let verdict = match verdict {
            Some(verdict) => Ok(verdict),
            None => timeout_at(until, waiting).await,
        };
        self.budget.resume(paused);
        // What it has begun itself is no other call's.
        let shared = if self.owns_load { OutcomeKind::Loaded } else { OutcomeKind::Coalesced };
        let (taken, outcome) = match verdict {
            Ok(Ok(Verdict::Value(landed))) => (self.take(landed).await, shared),
            Ok(Ok(Verdict::Stale(landed))) => (self.take(landed).await, OutcomeKind::Stale),
            Ok(Ok(Verdict::Error(error))) => (self.restore(Source::Error(error)).await, shared),
            Ok(Ok(Verdict::Lead(leader))) if leader.is_first() => return Step::Look(Some(leader)),
            Ok(Ok(Verdict::Lead(leader))) => {
                return LookupOutcome::shared(leader, UncachedReason::Unshared).into();
            }
            // Every flight ends with a verdict. A caller that has waited long enough runs the body.
            Ok(Err(_)) | Err(_) => return LookupOutcome::alone(UncachedReason::Impatient).into(),
        };
        if taken {
            LookupOutcome::found(outcome).into()
        } else {
            LookupOutcome::alone(UncachedReason::Unshared).into()
        }
    }

    /// Makes the leader's value the result, if this call can use it: as a clone of the original, or
    /// else decoded as by any caller that finds it.
    async fn take(&self, landed: Landed) -> bool {
        let Landed { record, original } = landed;
        let Some(value) = self.call.interpret_shared(record) else { return false };
        if let Some(original) = original
            && value.version() == self.call.schema.version
            && self.restore(Source::Copy(original)).await
        {
            return true;
        }
        if self.call.is_alias() {
            return self.take_of_alias(&value).await;
        }
        if self.call.fits(&value) {
            return self.decode(&value).await.is_ok();
        }
        self.call.unreadable(&value);
        false
    }

    /// Whether there is a stale value, which may be served instead of a load that takes too long.
    async fn finds_stale(&mut self) -> bool {
        if self.call.is_outdated() {
            return false;
        }
        let reply = self.ask().await;
        let (seen, freshness) = self.judge(reply);
        self.confirm(seen).await.is_ok() && freshness != Freshness::Expired
    }

    /// How long the call waits for other callers' loads.
    pub(super) fn patience(&self) -> Duration {
        self.call.callsite.policy().wait.unwrap_or(self.call.cache.settings().wait)
    }
}

/// The pause before the next look at another process's lease, randomized, so that processes do not
/// poll in lockstep.
pub(super) fn pause(waited: Duration) -> Duration {
    (waited / SHARE).clamp(POLL.0, POLL.1).mul_f64(0.75 + random_fraction() / 2.0)
}
