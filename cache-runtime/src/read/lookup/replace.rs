//! Preparing to replace an existing value.
//!
//! # A refresh and an invalidation
//!
//! A refresh holds no lease of the entry's own key, in which the old value stays. What keeps it
//! from storing what an invalidation has outdated is the token of that value, which no other value
//! has:
//!
//! ```text
//! refresh: sees the old value, loads what the database has
//! writer:  commits, invalidates the entry: the old value is gone
//! refresh: stores its value if the key holds the old value's token, which it does not
//! ```
//!
//! So it must have seen the old value, and captured the stamps of its tags, before the body runs.
//! If another process has stored a newer value meanwhile, that has another token.

use tokio::time::{Instant, sleep};

use crate::metrics::{Event, OutcomeKind, UncachedReason};
use crate::read::freshness::Freshness;
use crate::read::lease::Lease;
use crate::read::load::mode::LoadMode;
use crate::read::lookup::wait::pause;
use crate::read::lookup::{Lookup, LookupOutcome, Step};
use crate::record::Value;
use crate::record::token::Token;
use crate::store::Acquired;

impl Lookup<'_> {
    /// Prepares to replace a value because the caller asked for that, even if it is fresh.
    pub(super) async fn replace(&mut self, seen: Token) -> LookupOutcome {
        let mut lease = self.lease(None);
        if lease.capture().await {
            LookupOutcome::leased(LoadMode::Replace(lease.begin(), seen))
        } else {
            LookupOutcome::alone(UncachedReason::NotGranted)
        }
    }

    /// Prepares to replace a value under its refresh lease. Another process may hold that: a call
    /// that leads a flight needs the result, and waits for it or loads all the same; any other call
    /// leaves the value to that process. Looks again if the value has gone.
    pub(super) async fn prepare_refresh(&mut self, mut lease: Box<Lease>, seen: &Value) -> Step {
        let policy = self.call.callsite.policy();
        let (since, must_load) = (Instant::now(), lease.is_led());
        loop {
            let (reply, _) = lease.acquire(None).await;
            let held = match reply {
                Ok(Acquired::Leased) => true,
                Ok(Acquired::Fenced) => {
                    lease.rest();
                    return LookupOutcome::Kept.into();
                }
                Ok(Acquired::Held(left))
                    if must_load && policy.lock && since.elapsed() < self.patience() =>
                {
                    let paused = Instant::now();
                    sleep(pause(since.elapsed()).min(left)).await;
                    lease.waited(paused);
                    match self.replaced(&mut lease, seen.token()).await {
                        Some(step) => return step,
                        None => continue,
                    }
                }
                _ if !must_load => {
                    lease.pause();
                    return LookupOutcome::Kept.into();
                }
                _ => false,
            };
            if !lease.capture().await {
                return Step::Look(lease.take_leader());
            }
            // Looks once more under the lease, because another process may have replaced the value
            // and given up its lease between this call's look and its lease. Without that, the load
            // would be in vain: the token has changed.
            if held && let Some(step) = self.replaced(&mut lease, seen.token()).await {
                return step;
            }
            self.call.count(Event::RefreshStarted);
            let (lease, seen) = (lease.begin(), Box::new(seen.clone()));
            return LookupOutcome::leased(LoadMode::Refresh(lease, seen)).into();
        }
    }

    /// What to do if the entry no longer holds the value that was seen. The result of the call
    /// stays what it is, unless the newer value is to be it.
    async fn replaced(&mut self, lease: &mut Lease, seen: Token) -> Option<Step> {
        self.call.cache.store()?;
        let mark = lease.mark();
        // The store does not know of an invalidation that was not delivered. A waiter that has
        // joined since then must not get the value.
        if self.call.is_outdated() {
            return Some(Step::Look(lease.take_leader()));
        }
        let reply = self.ask().await;
        if let (Ok(value), freshness) = self.judge(reply) {
            if value.token() == seen {
                return None;
            }
            let is_fresh = matches!(freshness, Freshness::Fresh | Freshness::RefreshEarly);
            if is_fresh && self.decode(&value).await.is_ok() {
                lease.land(value.record().clone(), mark);
                return Some(LookupOutcome::served(OutcomeKind::Hit, &value).into());
            }
        }
        Some(Step::Look(lease.take_leader()))
    }
}
