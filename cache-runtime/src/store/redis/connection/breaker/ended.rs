//! How a breaker learns that a connection has ended, or ends it.

use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::sync::{Arc, Weak};

use crate::store::redis::connection::breaker::{Alarms, Breaker};
use crate::store::redis::connection::dial::Watch;
use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::link::Link;

/// Tells the breaker that a connection has ended.
struct Ended {
    breaker: Weak<Breaker>,
    epoch: u64,
    /// It has ended by itself, while its runtime was alive.
    is_seen: bool,
}

impl Watch for Ended {
    fn see(&mut self) {
        self.is_seen = true;
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(breaker) = self.breaker.upgrade() {
            if self.is_seen {
                breaker.lost(self.epoch);
            } else {
                breaker.left(self.epoch);
            }
        }
    }
}

impl Breaker {
    /// Who tells this breaker that connection `epoch` has ended, if it is still there.
    pub(in crate::store) fn watch(self: &Arc<Self>, epoch: u64) -> impl Watch + use<> {
        Ended { breaker: Arc::downgrade(self), epoch, is_seen: false }
    }

    /// Connection `epoch` has ended.
    fn lost(&self, epoch: u64) {
        // Before the alarm: a supervisor that it wakes asks whether the connection is gone.
        self.gone.fetch_max(epoch, AcqRel);
        self.withdraw(epoch, &Cause::Lost);
        self.raise(Alarms::LOST);
    }

    /// The task of connection `epoch` was dropped with its runtime. The server has nothing to do
    /// with that, so it is not logged.
    fn left(&self, epoch: u64) {
        self.gone.fetch_max(epoch, AcqRel);
        self.retract(epoch, &Cause::Lost);
        self.raise(Alarms::LOST);
    }

    /// Connection `epoch` must not be used any more: its replies do not belong to their requests.
    pub(in crate::store) fn kill(&self, epoch: u64) {
        if let Some(link) = self.link.load().as_ref()
            && link.epoch == epoch
        {
            self.withdraw(epoch, &Cause::Protocol("replies out of order"));
            link.close();
        }
    }

    /// Gives up a connection on which the server has not answered.
    pub(in crate::store) fn give_up(&self, link: &Link) {
        self.withdraw(link.epoch, &Cause::TimedOut);
        self.gone.fetch_max(link.epoch, AcqRel);
        // Its runtime may stand still, and its task with it.
        self.raise(Alarms::LOST);
        link.close();
    }

    pub(in crate::store) fn is_gone(&self, epoch: u64) -> bool {
        self.gone.load(Acquire) >= epoch
    }
}
