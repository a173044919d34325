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
    pub(super) const DEPOSED: u8 = 4;
    pub(super) const SCRIPTLESS: u8 = 8;

    /// A call was not answered in time, or not before its caller lost patience.
    pub(in crate::store) fn doubt(self) -> bool {
        self.0 & Self::DOUBT != 0
    }

    /// The server has ceased to be a primary.
    pub(in crate::store) fn deposed(self) -> bool {
        self.0 & Self::DEPOSED != 0
    }

    /// The server runs no scripts any more.
    pub(in crate::store) fn scriptless(self) -> bool {
        self.0 & Self::SCRIPTLESS != 0
    }
}

/// What is done for a term that is over has no effect.
impl Breaker {
    /// Takes office, if nobody holds it or the holder does not stir. Calls wait from here on.
    pub(in crate::store) fn claim(&self) -> Option<u64> {
        let mut term = None;
        self.status.send_if_modified(|status| {
            if status.phase == Phase::Idle || self.is_overdue() {
                self.link.store(None);
                self.promise.store(self.after(LENIENCE), Relaxed);
                status.term += 1;
                term = Some(status.term);
                // What the predecessor has said is not to be said again.
                let cause = status.cause.take();
                status.enter(Phase::Connecting, cause);
            }
            term.is_some()
        });
        term
    }

    /// Leaves office: the next call looks for somebody else.
    pub(in crate::store) fn resign(&self, term: u64) {
        self.act(term, Phase::Idle, None, None);
    }

    pub(in crate::store) fn next_epoch(&self) -> u64 {
        self.epochs.fetch_add(1, Relaxed) + 1
    }

    /// Lets calls through on a new connection. Where it begins with a quiet time, that lasts for `quiet`.
    pub(in crate::store) fn publish(&self, term: u64, link: &Arc<Link>, quiet: Duration) {
        self.strikes.store(0, Relaxed);
        // Before the first call finds the connection: what is to be stored looks for the quiet time after that.
        let is_quiet = self.succession.note(&link.server, quiet);
        if !self.act(term, Phase::Closed, Some(Arc::clone(link)), None) {
            return;
        }
        if is_quiet {
            log::info(format_args!(
                "{}: connected; nothing is stored for {quiet:?}, until all processes can have reconnected",
                self.server
            ));
        } else {
            log::info(format_args!("{}: connected", self.server));
        }
    }

    /// Lets calls through, on trial, on a connection that was withdrawn.
    pub(in crate::store) fn try_out(&self, term: u64, link: &Arc<Link>) {
        self.strikes.store(STRIKES - ON_TRIAL, Relaxed);
        self.act(term, Phase::HalfOpen, Some(Arc::clone(link)), Some(Cause::TimedOut));
    }

    /// Tries the server while calls are refused.
    pub(in crate::store) fn probe(&self, term: u64) {
        self.act(term, Phase::HalfOpen, None, Some(Cause::TimedOut));
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
    pub(in crate::store) fn refuse(&self, term: u64, cause: &Cause) {
        self.succession.miss();
        self.failures.note(cause.clone());
        let known = self.status.borrow().cause.as_ref() == Some(cause);
        if self.act(term, Phase::Open, None, Some(cause.clone())) && !known {
            self.log_refusals(cause);
        }
    }

    /// Whether the term is still running.
    fn act(&self, term: u64, phase: Phase, link: Option<Arc<Link>>, cause: Option<Cause>) -> bool {
        self.status.send_if_modified(|status| {
            if status.term == term {
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

    /// Promises to stir again within `wait`.
    pub(in crate::store) fn promise(&self, wait: Duration) {
        self.promise.store(self.after(wait + LENIENCE), Relaxed);
    }

    /// Sleeps until something is the matter.
    pub(in crate::store) async fn alarm(&self) -> Alarms {
        loop {
            self.promise.store(NEVER, Relaxed);
            match self.alarms.swap(0, AcqRel) {
                0 => self.wake.notified().await,
                alarms => return Alarms(alarms),
            }
        }
    }
}
