//! The leaders and the waiters of a flight, and which waiters a result is for.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::engine::flight::{FlightRequest, Landing, Mark, Verdict};

/// Largest group of waiters that load at once after failures.
const WIDEST: u32 = 16;

/// The present load of a flight, and the callers that wait for it.
pub(super) struct State {
    /// How many marks were set.
    pub(super) marks: u64,
    /// Callers that load now: one, or a group after failures.
    pub(super) leaders: u32,
    /// Size of the next group.
    pub(super) width: u32,
    pub(super) waiters: VecDeque<Waiter>,
}

pub(super) struct Waiter {
    /// How many marks had been set when it joined.
    pub(super) joined: u64,
    /// What it asked for: only errors of a call that asked for the same are its own.
    pub(super) asked: FlightRequest,
    pub(super) verdict: oneshot::Sender<Verdict>,
}

impl State {
    /// One caller loads, and nobody waits.
    pub(super) fn new() -> Self {
        Self { marks: 0, leaders: 1, width: 1, waiters: VecDeque::new() }
    }

    /// Takes out the waiters that may take this landing's result, and sets the size of the next
    /// group.
    pub(super) fn served(&mut self, asked: &FlightRequest, landing: &Landing) -> Vec<Waiter> {
        let mark = match landing {
            Landing::Value(record, mark) => {
                self.width = 1;
                record.is_some().then_some(mark)
            }
            Landing::Failed(error, mark) => {
                self.widen();
                error.is_some().then_some(mark)
            }
            Landing::Stale(_, mark) => {
                self.widen();
                Some(mark)
            }
            Landing::Panicked => {
                self.widen();
                None
            }
            Landing::Alone => {
                self.width = 1;
                None
            }
        };
        let Some(&Mark(mark)) = mark else {
            return Vec::new();
        };
        let failed = matches!(landing, Landing::Failed(..) | Landing::Stale(..));
        let is_bare = matches!(landing, Landing::Value(Some(landed), _) if landed.is_bare());
        let may_take = |waiter: &Waiter| {
            // It joined before the deciding event was initiated, which is right after the mark.
            waiter.joined < mark
                && !(failed && waiter.asked != *asked)
                // One of those that stay looks into the store, where the value itself may be by
                // now.
                && !(is_bare && waiter.asked.is_by_hand())
        };
        let (served, rest) = self.waiters.drain(..).partition(may_take);
        self.waiters = rest;
        served.into()
    }

    /// After a failure: once per group, however many of its members failed.
    fn widen(&mut self) {
        if self.leaders == 0 {
            self.width = (self.width * 2).min(WIDEST);
        }
    }

    /// Takes out the waiters that lead next.
    pub(super) fn promote(&mut self) -> Vec<Waiter> {
        let mut promoted = Vec::new();
        while promoted.len() < self.width as usize
            && let Some(waiter) = self.waiters.pop_front()
        {
            if !waiter.verdict.is_closed() {
                promoted.push(waiter);
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most `width`, a u32")]
        {
            self.leaders = promoted.len() as u32;
        }
        promoted
    }
}
