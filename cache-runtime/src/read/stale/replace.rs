//! Preparing to replace an existing value.

use tokio::time::{Instant, sleep};

use crate::engine::flight::Leader;
use crate::metrics::Event;
use crate::read::lease::Lease;
use crate::read::load::outcome::Attempt;
use crate::read::lookup::wait::pause;
use crate::read::lookup::{Looked, Lookup};
use crate::read::stale::freshness::Use;
use crate::record::Value;
use crate::record::token::Token;
use crate::store::Acquired;

/// The result of preparing to replace a value.
pub(in crate::read) enum Over {
    Load(Attempt),
    /// Somebody else has replaced it, by what is the result of the call by now.
    Found,
    /// There is no need to: it is good enough, and another caller is refreshing it, or nobody may for now.
    Stale,
    /// It is gone.
    Gone(Option<Leader>),
}

/// Whether a value is replaced even without the right to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) enum Need {
    /// Somebody waits for the load.
    Must,
    /// Nobody waits.
    May,
}

impl Lookup<'_> {
    /// The value is there and should be replaced.
    pub(in crate::read) async fn replace(&mut self, seen: Token) -> Looked {
        let mut lease = self.lease(None);
        if lease.capture().await {
            Looked::Load(Attempt::Replace(lease.begin(), seen))
        } else {
            Looked::alone()
        }
    }

    /// Prepares to replace a value under the lease in the key beside it. Not if the value has changed, or if another
    /// process is refreshing it, which this waits for if the call needs the result.
    pub(in crate::read) async fn over(
        &mut self,
        mut lease: Box<Lease>,
        seen: &Value,
        need: Need,
    ) -> Over {
        let policy = self.entry.callsite.policy();
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
                    match self.newer(&mut lease, seen.token()).await {
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
            // Another process may have replaced it before giving up its lease.
            if held && let Some(over) = self.newer(&mut lease, seen.token()).await {
                return over;
            }
            self.count(Event::RefreshStarted);
            return Over::Load(Attempt::Over(lease.begin(), Box::new(seen.clone())));
        }
    }

    /// What the entry holds, if that is no longer the value that was seen. The result of the call stays what it is unless
    /// the newer value is to be it.
    async fn newer(&mut self, lease: &mut Lease, seen: Token) -> Option<Over> {
        self.entry.cache.store()?;
        let mark = lease.mark();
        // The store does not know of an invalidation that was not delivered, but a waiter that has joined since does.
        if self.is_outdated() {
            return Some(Over::Gone(lease.take_leader()));
        }
        let reply = self.ask(true).await;
        let now_ms = reply.now_ms.clone().unwrap_or_default();
        if let Ok(value) = self.judge(reply) {
            if value.token() == seen {
                return None;
            }
            let usage = Use::of(&value, self.entry.callsite.policy(), now_ms);
            if matches!(usage, Use::Fresh | Use::Early) && self.decode(&value).await {
                lease.land(value.record().clone(), mark);
                return Some(Over::Found);
            }
        }
        Some(Over::Gone(lease.take_leader()))
    }
}
