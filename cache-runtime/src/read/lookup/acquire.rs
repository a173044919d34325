//! Asking the store for the right to load, where no value was found.

use tokio::time::{Instant, sleep};

use crate::engine::flight::Leader;
use crate::metrics::Event;
use crate::read::interpret::Missing;
use crate::read::load::mode::LoadMode;
use crate::read::lookup::elsewhere::Learned;
use crate::read::lookup::wait::pause;
use crate::read::lookup::{Lookup, LookupOutcome, Step};
use crate::record::Value;
use crate::store::{Acquired, StoreError};

impl Lookup<'_> {
    /// Asks the store for the value or the lease, repeatedly while another process is loading.
    pub(super) async fn acquire(&mut self, leader: Option<Leader>) -> Step {
        // A leader that took over from another has not looked itself, or not recently: the value
        // may be outdated by now.
        if self.call.is_outdated() {
            self.answered(Event::Miss);
            return leader.map_or_else(LookupOutcome::alone, LookupOutcome::shared).into();
        }
        let patient = self.call.callsite.policy().lock
            && leader.as_ref().is_some_and(|leader| !leader.follows_failure());
        let mut lease = self.lease(leader);
        let since = Instant::now();
        let (mut waited, mut rejected) = (false, false);
        loop {
            let (reply, mark) = lease.acquire(self.reject).await;
            match reply {
                Ok(Acquired::Leased) => {
                    self.answered(Event::Miss);
                    if waited {
                        self.call.count(Event::Takeover);
                    }
                    return LookupOutcome::Load(LoadMode::Leased(lease.begin())).into();
                }
                Ok(Acquired::Value(record)) => {
                    let seen = self.judge_record(record.clone(), lease.stamps());
                    match self.confirm(seen).await {
                        Ok(value) if value.is_kept() && !self.is_fresh(&value).await => {
                            // Not the value that was rejected, but one made stale meanwhile.
                            if rejected {
                                break;
                            }
                            self.reject = Some(value.token());
                            rejected = true;
                        }
                        Ok(_) => {
                            self.answered(Event::Hit);
                            lease.pass_on(record, mark);
                            return LookupOutcome::Found.into();
                        }
                        Err(Missing::OtherTags(texts)) => match self.learn_tags(texts) {
                            Learned::Tags => lease.know_tags(&self.call.tags),
                            Learned::Own => return LookupOutcome::alone().into(),
                            Learned::Nothing => break,
                        },
                        Err(Missing::Elsewhere) => {
                            // A waiter takes over, who finds the same.
                            drop(lease);
                            return self.step_aside();
                        }
                        // Useless to this process: asks the store once to replace it by the lease.
                        Err(Missing::Nothing(_)) if !rejected => rejected = true,
                        Err(_) => break,
                    }
                }
                Ok(Acquired::Held(left)) if patient && since.elapsed() < self.patience() => {
                    self.answered(Event::Miss);
                    if !waited {
                        self.call.count(Event::LeaseWait);
                    }
                    waited = true;
                    let paused = Instant::now();
                    sleep(pause(since.elapsed()).min(left)).await;
                    lease.waited(paused);
                }
                Ok(Acquired::Foreign) => {
                    self.call.count(Event::Foreign);
                    break;
                }
                // No lease is granted after a restart, or where no scripts run, but the value whose
                // `GET` was spared may be there.
                reply @ (Ok(Acquired::Quiet) | Err(StoreError::Refused(_))) if self.unasked => {
                    if let Err(error) = &reply {
                        self.call.count(error.event());
                    }
                    match Box::pin(self.spared_get()).await {
                        Ok(value) if !value.is_kept() || self.is_fresh(&value).await => {
                            self.answered(Event::Hit);
                            return LookupOutcome::Found.into();
                        }
                        Err(Missing::Elsewhere) => {
                            drop(lease);
                            return self.step_aside();
                        }
                        _ => break,
                    }
                }
                Ok(Acquired::Held(_) | Acquired::Fenced | Acquired::Quiet) => break,
                Err(error) => {
                    self.call.count(error.event());
                    break;
                }
            }
        }
        self.answered(Event::Miss);
        lease.into_leader().map_or_else(LookupOutcome::alone, LookupOutcome::shared).into()
    }

    /// The look into the store that was spared because the latest ones found nothing.
    async fn spared_get(&mut self) -> Result<Value, Missing> {
        if self.call.cache.store().is_none() {
            return Err(Missing::Blocked);
        }
        loop {
            let reply = self.ask().await;
            match self.judge(reply).0 {
                Err(Missing::OtherTags(texts)) => {
                    if !matches!(self.learn_tags(texts), Learned::Tags) {
                        return Err(Missing::Blocked);
                    }
                }
                seen => return self.confirm(seen).await,
            }
        }
    }
}
