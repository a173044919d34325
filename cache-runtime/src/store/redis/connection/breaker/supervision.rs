//! What the supervisor of a breaker does with it.

use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::time::Duration;

use crate::store::redis::connection::breaker::{
    Breaker, LENIENCE, NEVER, ON_TRIAL, Phase, STRIKES,
};
use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::link::Link;
use crate::support::log;

/// What a supervisor is woken for.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Alarms(u8);

impl Alarms {
    pub(super) const LOST: u8 = 1;
    pub(super) const DOUBT: u8 = 2;
    pub(super) const DEMOTED: u8 = 4;
    pub(super) const SCRIPTLESS: u8 = 8;

    /// A call was not answered in time, or not before its caller lost patience.
    pub(in crate::store) fn doubt(self) -> bool {
        self.0 & Self::DOUBT != 0
    }

    /// The server has ceased to be a primary.
    pub(in crate::store) fn demoted(self) -> bool {
        self.0 & Self::DEMOTED != 0
    }

    /// The server runs no scripts any more.
    pub(in crate::store) fn scriptless(self) -> bool {
        self.0 & Self::SCRIPTLESS != 0
    }
}

impl Breaker {
    /// Makes the caller the supervisor if there is none, or if the present one has missed its
    /// heartbeat: its generation. From here until the first attempt has ended, calls wait.
    pub(in crate::store) fn acquire(&self) -> Option<u64> {
        let mut generation = None;
        // Looked at and changed under one lock: of two callers that find the breaker without a
        // supervisor, one becomes it.
        self.modify(|status| {
            if status.phase == Phase::Idle || self.is_overdue() {
                self.link.store(None);
                self.heartbeat_due.store(self.after(LENIENCE), Relaxed);
                status.generation += 1;
                generation = Some(status.generation);
                // The cause that was logged last stays, so that it is not logged a second time.
                let cause = status.cause.take();
                status.enter(Phase::Connecting, cause);
            }
            generation.is_some()
        });
        generation
    }

    /// Ends the supervision: the next call starts another supervisor.
    pub(in crate::store) fn release(&self, generation: u64) {
        self.apply(generation, Phase::Idle, None, None);
    }

    pub(in crate::store) fn next_epoch(&self) -> u64 {
        self.epochs.fetch_add(1, Relaxed) + 1
    }

    /// Lets calls through on a new connection. Where it begins with a quiet time, that lasts for
    /// `quiet`.
    pub(in crate::store) fn publish(&self, generation: u64, link: &Arc<Link>, quiet: Duration) {
        self.strikes.store(0, Relaxed);
        // Before the first call finds the connection. In the other order a load that ends between
        // the two would store a value of which another process could not say that it is outdated:
        //
        //     publish, call finds the connection and no quiet time, call fills, quiet time begins
        let is_quiet = self.failovers.connected(&link.server, quiet);
        if !self.apply(generation, Phase::Closed, Some(Arc::clone(link)), None) {
            return;
        }
        if is_quiet {
            log::info(format_args!(
                "{}: connected; nothing is stored for {quiet:?}, until all processes can have \
                    reconnected",
                self.server
            ));
        } else {
            log::info(format_args!("{}: connected", self.server));
        }
    }

    /// Lets calls through, on trial, on a connection that was withdrawn.
    pub(in crate::store) fn try_out(&self, generation: u64, link: &Arc<Link>) {
        self.strikes.store(STRIKES - ON_TRIAL, Relaxed);
        self.apply(generation, Phase::HalfOpen, Some(Arc::clone(link)), Some(Cause::TimedOut));
    }

    /// Tries the server while calls are refused.
    pub(in crate::store) fn probe(&self, generation: u64) {
        self.apply(generation, Phase::HalfOpen, None, Some(Cause::TimedOut));
    }

    /// Begins to look for calls that are answered.
    pub(in crate::store) fn suspect(&self) {
        self.strikes.fetch_max(1, Relaxed);
    }

    /// Whether no call has been answered since then.
    pub(in crate::store) fn is_suspect(&self) -> bool {
        self.strikes.load(Relaxed) != 0
    }

    /// Refuses calls. A cause that has not changed is not logged again.
    pub(in crate::store) fn refuse(&self, generation: u64, cause: &Cause) {
        self.failovers.attempt_failed();
        self.failures.note(cause.clone());
        let known = self.status.borrow().cause.as_ref() == Some(cause);
        if self.apply(generation, Phase::Open, None, Some(cause.clone())) && !known {
            self.log_refusals(cause);
        }
    }

    /// Changes the phase and the connection, unless there is a later generation: whether it did.
    fn apply(
        &self,
        generation: u64,
        phase: Phase,
        link: Option<Arc<Link>>,
        cause: Option<Cause>,
    ) -> bool {
        self.modify(|status| {
            // The generation is compared under the lock under which the next one begins. This
            // excludes that a supervisor whose runtime stood still, and which has been replaced,
            // publishes its old connection over the new one when its runtime goes on:
            //
            //     1 connects, 1's runtime stands still, 2 acquires and publishes, 1 publishes
            if status.generation == generation {
                if let Some(link) = &link {
                    status.epoch = link.epoch;
                }
                self.link.store(link);
                status.enter(phase, cause);
                return true;
            }
            false
        })
    }

    /// Moves the heartbeat deadline to `wait` from now, and some more: runtimes can be busy.
    pub(in crate::store) fn heartbeat(&self, wait: Duration) {
        self.heartbeat_due.store(self.after(wait + LENIENCE), Relaxed);
    }

    /// Waits for the next alarms: a connection lost, a call not answered, a server demoted.
    pub(in crate::store) async fn alarm(&self) -> Alarms {
        loop {
            // Before the alarms are looked at: one that is raised after that sets a deadline again.
            self.heartbeat_due.store(NEVER, Relaxed);
            match self.alarms.swap(0, AcqRel) {
                0 => self.wake.notified().await,
                alarms => return Alarms(alarms),
            }
        }
    }
}
