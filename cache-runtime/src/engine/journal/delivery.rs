//! The background task that empties the journal.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use crate::engine::journal::invalidation::Batch;
use crate::engine::journal::{Invalidation, Journal};
use crate::error::Cause;
use crate::store::redis::Sweep;
use crate::store::{Digests, Invalidate, Name, Store, StoreError};
use crate::support::budget::Budget;
use crate::support::log;
use crate::support::random::random_fraction;

/// Shortest and longest pause between attempts to deliver.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// How long a scan may take, which nobody waits for. Each of its steps has a limit of its own.
const SCAN_LIMIT: Duration = Duration::from_secs(3_600);

/// How often it is said how far a sweep has come that takes long.
const TOLD: Duration = Duration::from_secs(30);

/// How many different refusals of a server the log describes.
const REASONS: usize = 8;

/// The background task that empties the journal.
pub(super) struct Delivery {
    journal: Arc<Journal>,
    /// Why invalidations are waiting, as far as that is in the log.
    announced: Vec<Cause>,
    /// Why the latest attempt was in vain.
    why: Option<StoreError>,
    retired: bool,
    /// When it is said next how far a sweep has come.
    tell_at: Instant,
}

impl Delivery {
    pub(super) fn new(journal: Arc<Journal>) -> Self {
        let (announced, why) = (Vec::new(), None);
        Self { journal, announced, why, retired: false, tell_at: Instant::now() + TOLD }
    }

    pub(super) async fn run(mut self) {
        let base = Arc::clone(&self.journal.base);
        let Some(store) = base.store() else { return };
        let mut pause = PAUSE.0;
        loop {
            let batch = self.journal.state().oldest();
            let progress = match batch {
                Batch::Nothing => {
                    if self.retire() {
                        return;
                    }
                    true
                }
                Batch::Keys(keys) => self.send_keys(store, &keys).await,
                Batch::Pattern(place, pattern) => self.send_pattern(store, place, &pattern).await,
                Batch::Overflow(place, keys) => self.send_overflow(store, place, keys).await,
            };
            if progress {
                pause = PAUSE.0;
            } else {
                self.announce();
                // Retries as soon as the store is back, even before the pause is over.
                let longest = pause.mul_f64(0.5 + random_fraction() / 2.0);
                _ = timeout(longest, store.changed()).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }

    /// Whether any was acknowledged.
    async fn send_keys(&mut self, store: &Store, keys: &[(u64, String)]) -> bool {
        let names: Vec<_> = keys.iter().map(|(_, key)| Name::new(key)).collect();
        self.journal.base.flights().forget(&names);
        let hold_off = self.journal.state().hold_off;
        let request = Invalidate { hold_off };
        let replies = self.journal.base.invalidate_in_order(store, &names, request).await;
        self.why = replies.iter().find_map(|reply| reply.as_ref().err().cloned());
        let acknowledged = keys.iter().zip(&replies).filter(|(_, reply)| reply.is_ok());
        self.journal.acknowledged(acknowledged.map(|((_, key), _)| Invalidation::Key(key.clone())));
        self.settle(keys.iter().zip(&replies).map(|((place, _), reply)| (*place, reply.is_ok())))
    }

    async fn send_pattern(&mut self, store: &Store, place: u64, pattern: &str) -> bool {
        self.journal.base.flights().forget_all();
        let (hold_off, sweep) = self.sweep(place);
        let by = Budget::new(SCAN_LIMIT).deadline();
        let base = Arc::clone(&self.journal.base);
        let reply = async {
            base.before_sweep(store, pattern, Invalidate { hold_off }).await?;
            store.invalidate_matching(pattern, hold_off, &sweep, by).await
        };
        let reply = self.watch(&sweep, reply).await;
        self.why = reply.as_ref().err().cloned();
        if reply.is_ok() {
            self.journal.acknowledged([Invalidation::Pattern(pattern.to_owned())]);
        }
        self.settle([(place, reply.is_ok())])
    }

    /// Looks for the keys among all of the server, and removes those that it has.
    async fn send_overflow(&mut self, store: &Store, place: u64, keys: Digests) -> bool {
        self.journal.base.flights().forget_all();
        let (hold_off, sweep) = self.sweep(place);
        let by = Budget::new(SCAN_LIMIT).deadline();
        let base = Arc::clone(&self.journal.base);
        let among = base.everything();
        let reply = async {
            base.before_sweep(store, &among, Invalidate { hold_off }).await?;
            store.invalidate_listed(&keys, &among, hold_off, &sweep, by).await
        };
        let reply = self.watch(&sweep, reply).await;
        self.why = reply.as_ref().err().cloned();
        if reply.is_ok() && self.journal.may_replay() {
            self.journal.state().recent.add_digests(keys);
        }
        self.settle([(place, reply.is_ok())])
    }

    fn sweep(&self, place: u64) -> (Duration, Arc<Sweep>) {
        let mut state = self.journal.state();
        (state.hold_off, state.sweep(place))
    }

    /// Waits for an attempt of a sweep, and says now and then how far it has come.
    async fn watch<R>(&mut self, sweep: &Sweep, attempt: impl Future<Output = R>) -> R {
        let mut attempt = pin!(attempt);
        loop {
            tokio::select! {
                biased;
                reply = attempt.as_mut() => return reply,
                () = sleep_until(self.tell_at) => {}
            }
            self.tell_at = Instant::now() + TOLD;
            log::info(format_args!(
                "an invalidation by pattern is under way: about {} keys were looked at, and {} \
                    removed",
                sweep.looked(),
                sweep.removed()
            ));
        }
    }

    /// Removes what was acknowledged, and moves what was not to the end: in a cluster, only one
    /// node may fail to answer. Returns whether any was acknowledged.
    fn settle(&self, outcomes: impl IntoIterator<Item = (u64, bool)>) -> bool {
        let mut state = self.journal.state();
        let mut any = false;
        for (place, acknowledged) in outcomes {
            if !acknowledged {
                state.postpone(place);
                continue;
            }
            any = true;
            if let Some(age) = state.age_of(place) {
                self.journal.base.recorder().invalidated(age);
            }
            state.remove(place);
        }
        self.journal.depth.store(state.depth(), Ordering::Release);
        any
    }

    /// Invalidations delivered at the first attempt are not logged: on a server that refuses
    /// fences, that is every write.
    fn announce(&mut self) {
        let Some(error) = self.why.take().map(|error| self.journal.base.explained(error)) else {
            return;
        };
        let cause = error.cause().cloned().unwrap_or(Cause::Lost);
        // The breaker logs it if the server cannot be reached for another reason than before.
        let is_news = match &cause {
            Cause::Refused(_) => !self.announced.contains(&cause) && self.announced.len() < REASONS,
            _ => self.announced.is_empty(),
        };
        if is_news {
            log::warn(format_args!(
                "invalidations cannot be delivered for now ({cause}): their entries bypass the \
                    cache until they are"
            ));
            self.announced.push(cause);
        }
    }

    /// Ends the delivery if there is still nothing to deliver.
    fn retire(&mut self) -> bool {
        {
            let mut state = self.journal.state();
            if state.depth() > 0 {
                return false;
            }
            state.delivering = false;
            state.hold_off = Duration::ZERO;
        }
        self.retired = true;
        if !self.announced.is_empty() {
            log::info(format_args!("all invalidations have been delivered"));
        }
        self.journal.drained.notify_waiters();
        true
    }
}

impl Drop for Delivery {
    /// The runtime may end before the delivery does. The next read or write that needs it starts
    /// another one.
    fn drop(&mut self) {
        if !self.retired {
            self.journal.state().delivering = false;
        }
    }
}
