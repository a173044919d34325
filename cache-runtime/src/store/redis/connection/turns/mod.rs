//! Turns: how many calls are in flight at once, and the line of those that wait for one.
//!
//! A server executes commands one after the other, so more calls in flight make no call faster:
//! they only lengthen the time between a command and its reply, until no caller is answered in
//! time. So there is a bound. Calls beyond it wait [in line](line::Line), first come, first served,
//! for as long as their budget lasts. That a call's budget ends there says nothing about the
//! server, only that this process asks for more than its bound.
//!
//! Taking a turn that is free, and giving it back, is one atomic operation each. Only those who
//! wait, and those who make room for them, take the lock of the line.
//!
//! # What counts is kept in one number
//!
//! The lower half of `count` is the number of turns taken plus that of places in line. A caller
//! gets a turn at once if the number is below the bound; a turn that is given back goes to the
//! first in line if the number was above it. Places are added under the lock of the line, together
//! with their count: so whoever has seen the count finds the place.
//!
//! The upper half counts the calls that were answered. It costs nothing beyond giving back the
//! turn, and it tells whether the server has answered anybody while a call was in flight
//! ([`Turn::has_heard`]).

mod line;
#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Instant, timeout_at};

pub(in crate::store) use self::line::Others;
use self::line::{Line, News};
use crate::store::redis::connection::wire::RespValue;
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::support::log;

/// One more call that was answered.
const ANSWER: u64 = 1 << 32;

/// The turns of the calls on one server.
#[derive(Debug)]
pub(in crate::store) struct Turns {
    count: AtomicU64,
    limit: u64,
    /// What takes turns, and where, for the log.
    whose: String,
    line: Mutex<Line>,
}

/// The right to have one call in flight. It passes on when it is dropped.
#[derive(Debug)]
pub(in crate::store) struct Turn<'a> {
    turns: &'a Arc<Turns>,
    /// Calls that had been answered when it was taken.
    since: u64,
    is_answered: bool,
}

/// A turn on its way to somebody who waits for it. It passes on if nobody receives it.
#[derive(Debug)]
struct Granted(Option<Arc<Turns>>);

/// What comes of waiting to send a command that changes nothing.
#[derive(Debug)]
pub(in crate::store) enum Reading<T> {
    /// It is the caller's turn to send it, for the others as well.
    Turn(T, Others),
    /// The reply to another caller, who sent the command after this one had come.
    Told(StoreResult<RespValue>),
    /// The other caller has gone, and nothing is known of its reply.
    Nothing,
}

impl Turns {
    /// As many turns as `limit`, of which there is at least one.
    pub(in crate::store) fn new(limit: usize, whose: String) -> Arc<Self> {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).clamp(1, ANSWER / 2);
        Arc::new(Self { count: AtomicU64::new(0), limit, whose, line: Mutex::default() })
    }

    /// A turn, if one is free: then nobody waits for one either.
    pub(in crate::store) fn take(self: &Arc<Self>) -> Option<Turn<'_>> {
        let mut count = self.count.load(Relaxed);
        while taken(count) < self.limit {
            match self.count.compare_exchange_weak(count, count + 1, Relaxed, Relaxed) {
                Ok(_) => return Some(self.turn(count)),
                Err(other) => count = other,
            }
        }
        None
    }

    /// A turn, in line if none is free. [`StoreError::Saturated`] if it has not come by then.
    pub(in crate::store) async fn wait(self: &Arc<Self>, by: Deadline) -> StoreResult<Turn<'_>> {
        let (round, place) = {
            let mut line = self.line();
            match self.enter() {
                Some(turn) => return Ok(turn),
                None => (line.round(), line.queue()),
            }
        };
        match timeout_at(by, place).await {
            Ok(Ok(granted)) => self.receive(granted, by, round),
            _ => Err(self.turn_away(round)),
        }
    }

    /// A turn to send a command that changes nothing, of these words, on connection `epoch`; or the
    /// reply to another caller, whose turn had not come when this one came. That one had sent
    /// nothing by then, so it is as if both of them had sent it.
    pub(in crate::store) async fn wait_to_read(
        self: &Arc<Self>,
        epoch: u64,
        words: &[u8],
        by: Deadline,
    ) -> StoreResult<Reading<Turn<'_>>> {
        let (round, news) = {
            let mut line = self.line();
            let news = match line.join(epoch, words) {
                Some(news) => news,
                None => match self.enter() {
                    Some(turn) => return Ok(Reading::Turn(turn, Others::default())),
                    None => line.queue_to_read(epoch, words),
                },
            };
            (line.round(), news)
        };
        match timeout_at(by, news).await {
            Ok(Ok(News::Go(granted, others))) => {
                self.receive(granted, by, round).map(|turn| Reading::Turn(turn, others))
            }
            Ok(Ok(News::Told(reply))) => Ok(Reading::Told(reply)),
            Ok(Err(_)) => Ok(Reading::Nothing),
            Err(_) => Err(self.turn_away(round)),
        }
    }

    /// A turn, if one is free. If not, a place in line has been counted, which the caller adds
    /// before it gives up the lock of the line.
    fn enter(self: &Arc<Self>) -> Option<Turn<'_>> {
        let count = self.count.fetch_add(1, Relaxed);
        (taken(count) < self.limit).then(|| self.turn(count))
    }

    /// Takes a turn that was waited for, unless it comes too late: what is sent then would only be
    /// in others' way.
    fn receive(
        self: &Arc<Self>,
        mut granted: Granted,
        by: Deadline,
        round: u64,
    ) -> StoreResult<Turn<'_>> {
        granted.0 = None;
        let turn = self.turn(self.count.load(Relaxed));
        if Instant::now() < by { Ok(turn) } else { Err(self.turn_away(round)) }
    }

    fn turn(self: &Arc<Self>, count: u64) -> Turn<'_> {
        Turn { turns: self, since: answered(count), is_answered: false }
    }

    /// Ends a turn, with an answer or without. It goes to the first in line who is still there.
    fn pass_on(self: &Arc<Self>, answers: u64) {
        let mut change = answers.wrapping_sub(1);
        while taken(self.count.fetch_add(change, Relaxed)) > self.limit {
            let (first, is_over) = self.line().first();
            if is_over {
                self.log_end();
            }
            let Some(first) = first else { return };
            match first.call(Granted(Some(Arc::clone(self)))) {
                Ok(()) => return,
                // Whose place it was has gone, and so ends the turn.
                Err(mut unclaimed) => unclaimed.0 = None,
            }
            change = 0_u64.wrapping_sub(1);
        }
    }

    /// Notes that the turn of somebody has not come in time.
    fn turn_away(&self, round: u64) -> StoreError {
        let (is_news, is_over) = self.line().turn_away(round);
        if is_news {
            log::warn(format_args!(
                "{}: no turn in time while {} are in flight; going without it",
                self.whose, self.limit
            ));
            if is_over {
                self.log_end();
            }
        }
        StoreError::Saturated
    }

    fn log_end(&self) {
        log::info(format_args!("{}: all have their turn again", self.whose));
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// The call was answered.
    pub(in crate::store) fn answered(mut self) {
        self.is_answered = true;
    }

    /// Whether the server has answered anybody since the turn began.
    pub(in crate::store) fn has_heard(&self) -> bool {
        answered(self.turns.count.load(Relaxed)) != self.since
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.pass_on(if self.is_answered { ANSWER } else { 0 });
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.pass_on(0);
        }
    }
}

/// The lower half of the count.
const fn taken(count: u64) -> u64 {
    count % ANSWER
}

/// The upper half of the count, which begins again where it ends.
const fn answered(count: u64) -> u64 {
    count / ANSWER
}
