//! Values that are served although they are to be replaced: fresh ones that are refreshed early,
//! and stale ones.

use crate::engine::background::{Claimed, RefreshClaim};
use crate::engine::flight::{Leader, Mark, Role};
use crate::metrics::{Ending, Event, MissReason, OutcomeKind};
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
        let outcome = if is_stale { OutcomeKind::Stale } else { OutcomeKind::Hit };
        if let Some((leader, mark)) = lead {
            let (lease, record) = (self.lease(Some(leader)), value.record().clone());
            if is_stale {
                lease.pass_on_stale(record, Some(mark));
            } else {
                lease.pass_on(record, Some(mark));
            }
        }
        if freshness == Freshness::Fresh {
            return LookupOutcome::served(outcome, &value).into();
        }
        let Some(claim) = self.claim() else {
            return LookupOutcome::served(outcome, &value).into();
        };
        if freshness == Freshness::RefreshEarly {
            self.call.count(Event::Early);
        }
        if self.age == AgePolicy::Detachable {
            let ending = Ending::served(outcome, value.cost_ms());
            let refresh = Refresh { seen: value, claim, leader: None };
            return LookupOutcome::Refresh(refresh, ending).into();
        }
        // If this call may not refresh it, the value is good enough.
        let good_enough = LookupOutcome::served(outcome, &value);
        match self.refresh(Refresh { seen: value, claim, leader: None }).await {
            Step::Done(found @ (LookupOutcome::Load(..) | LookupOutcome::Found(_))) => found.into(),
            _ => good_enough.into(),
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
            self.call.count(Event::Rested);
            if let Some((leader, mark)) = lead {
                self.lease(Some(leader)).pass_on_stale(value.record().clone(), Some(mark));
            }
            return LookupOutcome::served(OutcomeKind::Stale, &value).into();
        }
        self.missed(MissReason::Expired);
        let leader = match lead {
            Some((leader, _)) => leader,
            None => match self.enter() {
                Role::Wait(waiting) => return Step::Wait(waiting, true),
                Role::Lead(leader) => leader,
            },
        };
        if self.age == AgePolicy::Detachable && self.call.callsite.policy().load_timeout.is_some() {
            let Some(claim) = self.claim() else {
                return LookupOutcome::served(OutcomeKind::Stale, &value).into();
            };
            let refresh = Refresh { seen: value, claim, leader: Some(leader) };
            return LookupOutcome::Await(refresh).into();
        }
        let lease = Lease::new(&self.call, self.budget, Some(leader)).for_refresh(None);
        match self.prepare_refresh(lease, &value).await {
            Step::Done(LookupOutcome::Kept) => {
                self.call.count(Event::Rested);
                LookupOutcome::served(OutcomeKind::Stale, &value).into()
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
}
