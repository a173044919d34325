//! Asking the store for the right to load, where no value was found.

use tokio::time::{Instant, sleep};

use crate::engine::Mode;
use crate::engine::flight::Leader;
use crate::metrics::Event;
use crate::read::lease::Lease;
use crate::read::load::outcome::Attempt;
use crate::read::lookup::first_look::{Lack, Seen};
use crate::read::lookup::wait::pause;
use crate::read::lookup::{Looked, Lookup};
use crate::store::{Acquired, StoreError};

impl Lookup<'_> {
    /// Asks the store for the value or the lease, repeatedly while another process is loading.
    pub(in crate::read) async fn acquire(&mut self, leader: Option<Leader>) -> Looked {
        // A leader that took over from another has not looked itself, or not recently: the value may be outdated by
        // now.
        if self.is_outdated() {
            self.answered(Event::Miss);
            return leader.map_or_else(Looked::alone, Looked::around);
        }
        let patient = self.entry.callsite.policy().lock
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
                        self.count(Event::Takeover);
                    }
                    return Looked::Load(Attempt::Leased(lease.begin()));
                }
                Ok(Acquired::Value(record)) => {
                    let candidate = self.examine(record.clone(), lease.stamps());
                    match self.confirm(candidate).await {
                        Seen::Value(value)
                            if value.is_kept() && !rejected && !self.is_fresh(&value).await =>
                        {
                            self.reject = Some(value.token());
                            rejected = true;
                        }
                        Seen::Value(_) => {
                            self.answered(Event::Hit);
                            lease.pass_on(record, mark);
                            return Looked::Found;
                        }
                        Seen::None(Lack::Elsewhere) => {
                            // Hands over to a waiter, who finds the same.
                            drop(lease);
                            return self.look_aside(Mode::Through).await;
                        }
                        // Useless to this process: asks the store to replace it by the lease, once.
                        Seen::None(Lack::Miss) if !rejected => rejected = true,
                        Seen::None(_) => break,
                    }
                }
                Ok(Acquired::Held(left)) if patient && since.elapsed() < self.patience() => {
                    self.answered(Event::Miss);
                    if !waited {
                        self.count(Event::LeaseWait);
                    }
                    waited = true;
                    let paused = Instant::now();
                    sleep(pause(since.elapsed()).min(left)).await;
                    lease.waited(paused);
                }
                Ok(Acquired::Foreign) => {
                    self.count(Event::Foreign);
                    break;
                }
                // No lease is granted after a restart, or where no scripts run, but the value whose `GET` was spared may
                // be there.
                reply @ (Ok(Acquired::Quiet) | Err(StoreError::Refused(_))) if self.unasked => {
                    if let Err(error) = &reply {
                        self.count(error.event());
                    }
                    match Box::pin(self.spared_get()).await {
                        Seen::Value(value) if !value.is_kept() || self.is_fresh(&value).await => {
                            self.answered(Event::Hit);
                            return Looked::Found;
                        }
                        Seen::None(Lack::Elsewhere) => {
                            drop(lease);
                            return self.look_aside(Mode::Through).await;
                        }
                        _ => break,
                    }
                }
                Ok(Acquired::Held(_) | Acquired::Fenced | Acquired::Quiet) => break,
                Err(error) => {
                    self.count(error.event());
                    break;
                }
            }
        }
        self.answered(Event::Miss);
        lease.into_leader().map_or_else(Looked::alone, Looked::around)
    }

    /// The look into the store that was spared because the latest ones found nothing.
    async fn spared_get(&mut self) -> Seen {
        if self.entry.cache.store().is_none() {
            return Seen::None(Lack::Obstacle);
        }
        let reply = self.ask(false).await;
        let candidate = self.judge(reply);
        self.confirm(candidate).await
    }

    pub(in crate::read) fn lease(&self, leader: Option<Leader>) -> Box<Lease> {
        Box::new(self.unboxed_lease(leader))
    }

    pub(in crate::read) fn unboxed_lease(&self, leader: Option<Leader>) -> Lease {
        let length =
            self.entry.callsite.policy().lease.unwrap_or(self.entry.cache.settings().lease);
        Lease::new(&self.entry, length, self.budget, leader)
    }
}
