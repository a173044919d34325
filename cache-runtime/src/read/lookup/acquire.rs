//! Asking the store for the right to load, where no value was found.

use tokio::time::{Instant, sleep};

use crate::engine::Core;
use crate::engine::flight::Leader;
use crate::metrics::{Event, MissReason, OutcomeKind, UncachedReason};
use crate::policy::Callsite;
use crate::read::call::ReadCall;
use crate::read::interpret::Missing;
use crate::read::lease::Lease;
use crate::read::load::mode::LoadMode;
use crate::read::lookup::elsewhere::Learned;
use crate::read::lookup::wait::pause;
use crate::read::lookup::{Lookup, LookupOutcome, MissState, Step};
use crate::record::Value;
use crate::store::{Acquired, StoreError};

/// A call's wait for the load of another process, until it has got a value or the lease, or is
/// dropped.
struct LeaseWait {
    cache: Core,
    callsite: &'static Callsite,
    since: Option<Instant>,
}

impl LeaseWait {
    /// That of a call, which has not begun.
    fn of(call: &ReadCall) -> Self {
        Self { cache: call.cache.clone(), callsite: call.callsite, since: None }
    }

    fn begin(&mut self, now: Instant) {
        if self.since.is_none() {
            self.cache.recorder().count(self.callsite, Event::LeaseWait);
            self.since = Some(now);
        }
    }

    fn has_begun(&self) -> bool {
        self.since.is_some()
    }
}

impl Drop for LeaseWait {
    fn drop(&mut self) {
        if let Some(since) = self.since {
            self.cache.recorder().waited(self.callsite, since.elapsed());
        }
    }
}

impl Lookup<'_> {
    /// Asks the store for the value or the lease, repeatedly while another process is loading.
    pub(super) async fn acquire(&mut self, leader: Option<Leader>) -> Step {
        // A leader that took over from another has not looked itself, or not recently: the value
        // may be outdated by now.
        if self.call.is_outdated() {
            return LookupOutcome::unstored(leader, UncachedReason::Outdated).into();
        }
        let patient = self.call.callsite.policy().lock
            && leader.as_ref().is_some_and(|leader| !leader.follows_failure());
        let mut lease = self.lease(leader);
        let since = Instant::now();
        let (mut wait, mut rejected) = (LeaseWait::of(&self.call), false);
        let why = loop {
            let (reply, mark) = lease.acquire(self.reject).await;
            match reply {
                Ok(Acquired::Leased) => return self.leased(lease, wait.has_begun()).await,
                // Another process has stored it meanwhile: its value is in another key.
                Ok(Acquired::Value(_)) if self.call.is_alias() => {
                    if self.looks_again() {
                        return Step::Look(lease.take_leader());
                    }
                    self.missed(MissReason::Tag);
                    break UncachedReason::NotGranted;
                }
                Ok(Acquired::Value(record)) => {
                    let seen = self.judge_record(record.clone(), lease.stamps());
                    match self.confirm(seen).await {
                        Ok(value) if value.is_kept() && !self.is_fresh(&value).await => {
                            self.missed(MissReason::Expired);
                            // Not the value that was rejected, but one made stale meanwhile.
                            if rejected {
                                break UncachedReason::NotGranted;
                            }
                            self.reject = Some(value.token());
                            rejected = true;
                        }
                        Ok(value) => {
                            lease.pass_on(record, mark);
                            return LookupOutcome::served(OutcomeKind::Hit, &value).into();
                        }
                        Err(Missing::OtherTags(texts)) => match self.learn_tags(texts) {
                            Learned::Tags => lease.know_tags(&self.call.tags),
                            Learned::Own => {
                                return LookupOutcome::alone(OutcomeKind::Bypassed).into();
                            }
                            Learned::Nothing => {
                                self.missed(MissReason::Tag);
                                break UncachedReason::Fenced;
                            }
                        },
                        Err(Missing::Elsewhere) => {
                            // A waiter takes over, who finds the same.
                            drop(lease);
                            return self.step_aside();
                        }
                        // Useless to this process: asks the store once to replace it by the lease.
                        Err(Missing::Nothing(reason, _)) => {
                            self.missed(reason);
                            if rejected {
                                break UncachedReason::NotGranted;
                            }
                            rejected = true;
                        }
                        Err(missing) => break self.blocked(&missing),
                    }
                }
                Ok(Acquired::Held(left)) => {
                    self.missed(MissReason::Absent);
                    if let Some(why) = self.gives_up(patient, since) {
                        break why;
                    }
                    let paused = Instant::now();
                    wait.begin(paused);
                    sleep(pause(since.elapsed()).min(left)).await;
                    lease.waited(paused);
                }
                Ok(Acquired::Foreign) => break self.blocked(&Missing::foreign()),
                // No lease is granted after a restart, or where no scripts run, but the value whose
                // `GET` was spared may be there.
                reply @ (Ok(Acquired::Quiet) | Err(StoreError::Refused(_)))
                    if self.misses == MissState::Unasked =>
                {
                    if let Err(error) = &reply {
                        self.call.count(error.event());
                    }
                    match Box::pin(self.spared_get()).await {
                        Ok(value) => {
                            return LookupOutcome::served(OutcomeKind::Hit, &value).into();
                        }
                        Err(Missing::Elsewhere) => {
                            drop(lease);
                            return self.step_aside();
                        }
                        Err(missing) => break self.blocked(&missing),
                    }
                }
                Ok(Acquired::Quiet) => break UncachedReason::NotGranted,
                Ok(Acquired::Fenced) => break self.fenced(),
                Err(error) => {
                    self.call.count(error.event());
                    break UncachedReason::Unavailable;
                }
            }
        };
        LookupOutcome::unstored(lease.into_leader(), why).into()
    }

    /// The lease was granted, maybe after another process had held it: the call loads.
    async fn leased(&mut self, mut lease: Box<Lease>, has_waited: bool) -> Step {
        self.missed(MissReason::Absent);
        if has_waited {
            self.call.count(Event::Takeover);
        }
        if self.call.is_alias() {
            lease.hold(self.capture_entity().await);
        }
        LookupOutcome::leased(LoadMode::Leased(lease.begin())).into()
    }

    /// Why the call does not wait any longer for the load of another process, if so.
    fn gives_up(&self, patient: bool, since: Instant) -> Option<UncachedReason> {
        if !patient {
            return Some(UncachedReason::NotGranted);
        }
        (since.elapsed() >= self.patience()).then_some(UncachedReason::Impatient)
    }

    /// Why the lease was taken for fenced.
    fn fenced(&mut self) -> UncachedReason {
        if self.call.is_outdated() {
            return UncachedReason::Outdated;
        }
        self.missed(MissReason::Absent);
        UncachedReason::Fenced
    }

    /// Counts what was found where no lease is granted; why not.
    fn blocked(&mut self, missing: &Missing) -> UncachedReason {
        let (why, reason) = match missing {
            Missing::Blocked(why, reason) => (*why, *reason),
            Missing::Nothing(reason, _) => (UncachedReason::NotGranted, Some(*reason)),
            _ => (UncachedReason::NotGranted, None),
        };
        if let Some(reason) = reason {
            self.missed(reason);
        }
        why
    }

    /// The look into the store that was spared because the latest ones found nothing.
    async fn spared_get(&mut self) -> Result<Value, Missing> {
        loop {
            let reply = self.ask().await;
            match self.judge(reply).0 {
                Err(Missing::OtherTags(texts)) => {
                    if !matches!(self.learn_tags(texts), Learned::Tags) {
                        return Err(Missing::fenced(MissReason::Tag));
                    }
                }
                seen => {
                    let value = self.confirm(seen).await?;
                    if !value.is_kept() || self.is_fresh(&value).await {
                        return Ok(value);
                    }
                    return Err(Missing::Nothing(MissReason::Expired, Some(value.token())));
                }
            }
        }
    }
}
