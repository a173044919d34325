//! Values that are served although they are to be replaced: fresh ones that are refreshed early,
//! and stale ones.

use crate::engine::background::{Claimed, RefreshClaim};
use crate::engine::flight::{Leader, Mark, Role};
use crate::metrics::Event;
use crate::read::freshness::{AgePolicy, Freshness};
use crate::read::lease::Lease;
use crate::read::lookup::{Lookup, LookupOutcome, Refresh, Step};
use crate::record::Value;

impl Lookup<'_> {
    /// The value is the result of the call, and waiters may have it. Refreshes it as well, if its
    /// freshness asks for that and no other call is refreshing it.
    pub(super) async fn serve(
        &mut self,
        lead: Option<(Leader, Mark)>,
        value: Value,
        freshness: Freshness,
    ) -> Step {
        let is_stale = freshness == Freshness::StaleWhileRevalidate;
        self.call.count(Event::Hit);
        if is_stale {
            self.call.count(Event::Stale);
        }
        if let Some((leader, mark)) = lead {
            let (lease, record) = (self.lease(Some(leader)), value.record().clone());
            if is_stale {
                lease.pass_on_stale(record, Some(mark));
            } else {
                lease.pass_on(record, Some(mark));
            }
        }
        if freshness == Freshness::Fresh {
            return LookupOutcome::Found.into();
        }
        let Some(claim) = self.claim() else {
            return LookupOutcome::Found.into();
        };
        if freshness == Freshness::RefreshEarly {
            self.call.count(Event::Early);
        }
        if self.age == AgePolicy::Detachable {
            return LookupOutcome::Refresh(Refresh { seen: value, claim, leader: None }).into();
        }
        // If this call may not refresh it, the value is good enough.
        match self.refresh(Refresh { seen: value, claim, leader: None }).await {
            Step::Done(LookupOutcome::Load(mode)) => LookupOutcome::Load(mode).into(),
            _ => LookupOutcome::Found.into(),
        }
    }

    /// The value, which is the result of the call, is served only if the load fails or takes too
    /// long.
    pub(super) async fn load_or_serve_stale(
        &mut self,
        lead: Option<(Leader, Mark)>,
        value: Value,
    ) -> Step {
        if self.call.cache.background().is_resting(&self.call.text) {
            self.call.count(Event::Hit);
            self.count_rested();
            if let Some((leader, mark)) = lead {
                self.lease(Some(leader)).pass_on_stale(value.record().clone(), Some(mark));
            }
            return LookupOutcome::Found.into();
        }
        self.call.count(Event::Miss);
        let leader = match lead {
            Some((leader, _)) => leader,
            None => match self.enter() {
                Role::Wait(waiting) => return Step::Wait(waiting, true),
                Role::Lead(leader) => leader,
            },
        };
        if self.age == AgePolicy::Detachable && self.call.callsite.policy().load_timeout.is_some() {
            let Some(claim) = self.claim() else {
                self.call.count(Event::Stale);
                return LookupOutcome::Found.into();
            };
            let refresh = Refresh { seen: value, claim, leader: Some(leader) };
            return LookupOutcome::Await(refresh).into();
        }
        let lease = Lease::new(&self.call, self.budget, Some(leader)).for_refresh(None);
        match self.prepare_refresh(lease, &value).await {
            Step::Done(LookupOutcome::Kept) => {
                self.count_rested();
                LookupOutcome::Found.into()
            }
            step => step,
        }
    }

    /// Prepares a refresh that this process has claimed.
    pub(in crate::read) async fn refresh(&mut self, refresh: Refresh) -> Step {
        let Refresh { seen, claim, leader } = refresh;
        let lease = Lease::new(&self.call, self.budget, leader).for_refresh(Some(claim));
        self.prepare_refresh(lease, &seen).await
    }

    /// The right to refresh in this process, unless another call has it or the entry rests.
    fn claim(&self) -> Option<RefreshClaim> {
        match self.call.cache.background().claim(&self.call.text) {
            Claimed::Granted(claim) => return Some(claim),
            Claimed::Busy => {}
            Claimed::Resting => self.call.count(Event::Rested),
            Claimed::Full => self.call.count(Event::RefreshShed),
        }
        None
    }

    fn count_rested(&self) {
        self.call.count(Event::Stale);
        self.call.count(Event::Rested);
    }
}
