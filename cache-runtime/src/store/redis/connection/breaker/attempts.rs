//! Attempts to connect that writes ask for, out of turn.
//!
//! A write whose invalidation is not delivered leaves the old value to other processes until the
//! next attempt. So a write that finds the connection down has the server tried at once. The
//! supervisor still makes one attempt at a time, and of those that writes ask for none sooner than
//! [`SPACING`] after the last one, however many writes there are. A write that comes in between
//! does not wait: the attempt follows without it, and the journal is delivered then.

use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout_at};

use crate::store::redis::connection::breaker::Breaker;
use crate::support::budget::Deadline;

/// The shortest time between two attempts that writes ask for.
pub(in crate::store) const SPACING: Duration = Duration::from_millis(50);

/// The attempts so far.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// When the present one began.
    begun: Option<Instant>,
    /// How many have ended.
    count: u64,
    /// When the last one began that a write had asked for.
    hastened: Option<Instant>,
    /// Since when the next one is not to wait for its turn.
    wanted: Option<Instant>,
}

impl Attempts {
    /// The present one has ended. False: there is none.
    pub(super) fn end(&mut self) -> bool {
        let ends = self.begun.take().is_some();
        self.count += u64::from(ends);
        ends
    }

    /// When there may be one that is wanted; none if there may be at once.
    fn due(&self) -> Option<Instant> {
        self.hastened.map(|begun| begun + SPACING)
    }

    /// Asks for one, or joins the present one. None if it is of no use to wait for it, as one that
    /// succeeds does so within `patience`.
    fn want(&mut self, patience: Duration) -> Option<Wanted> {
        let now = Instant::now();
        let since = if let Some(begun) = self.begun {
            begun
        } else {
            let wanted = *self.wanted.get_or_insert(now);
            self.due().map_or(wanted, |due| wanted.max(due))
        };
        let (count, until) = (self.count + 1, since + patience);
        let wanted = Wanted { count, until, is_joined: self.begun.is_some() };
        (since <= now && now < until).then_some(wanted)
    }
}

/// An attempt that a write waits for.
struct Wanted {
    /// How many have ended with it.
    count: u64,
    until: Instant,
    /// It had begun before: perhaps too early.
    is_joined: bool,
}

impl Breaker {
    /// For a write that finds no connection: has the server tried at once, and waits for the
    /// outcome until `by`, but not when the attempt has taken longer than `patience`.
    pub(in crate::store) async fn hasten(&self, patience: Duration, by: Deadline) {
        let mut status = self.status.subscribe();
        loop {
            let mut wanted = None;
            self.status.send_if_modified(|status| {
                let before = status.attempts.wanted;
                wanted = status.refuses().then(|| status.attempts.want(patience)).flatten();
                status.attempts.wanted != before
            });
            let Some(Wanted { count, until, is_joined }) = wanted else { return };
            let ended = status.wait_for(|status| status.attempts.count >= count);
            let ended = timeout_at(by.min(until.into()), ended).await.is_ok();
            if !(ended && is_joined) {
                return;
            }
        }
    }

    /// Waits until an attempt is wanted, and may be made.
    pub(in crate::store) async fn hastened(&self) {
        // The sender is ours, so there is no error.
        let mut status = self.status.subscribe();
        let wanted = status.wait_for(|status| status.attempts.wanted.is_some()).await;
        let due = wanted.ok().and_then(|status| status.attempts.due());
        if let Some(due) = due {
            sleep_until(due.into()).await;
        }
    }

    /// An attempt begins.
    pub(in crate::store) fn attempt(&self) {
        self.status.send_if_modified(|status| {
            let now = Instant::now();
            let is_hastened = status.attempts.wanted.take().is_some();
            if is_hastened {
                status.attempts.hastened = Some(now);
            }
            status.attempts.begun = Some(now);
            false
        });
    }

    /// The attempt has ended, if that has not been noticed by its outcome.
    pub(in crate::store) fn pause(&self) {
        self.status.send_if_modified(|status| status.attempts.end());
    }
}
