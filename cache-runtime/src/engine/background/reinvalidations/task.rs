//! The task that works the list off.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::engine::Core;
use crate::engine::background::reinvalidations::Reinvalidations;
use crate::engine::journal::Invalidation;

/// What is to be done next.
enum Next {
    Send(Vec<(Invalidation, Duration)>),
    Wait(Instant),
    Nothing,
}

/// The task that works the list off.
pub(super) struct Task {
    cache: Core,
    /// What is being sent.
    taken: Vec<(Invalidation, Duration)>,
    retired: bool,
}

impl Task {
    pub(super) fn new(cache: Core) -> Self {
        Self { cache, taken: Vec::new(), retired: false }
    }

    pub(super) async fn run(mut self) {
        loop {
            match self.next() {
                Next::Send(taken) => {
                    self.taken = taken;
                    self.send().await;
                    let sent = std::mem::take(&mut self.taken);
                    self.reinvalidations().state().sent(sent.len());
                    self.reinvalidations().tell_if_drained();
                }
                Next::Wait(due) => {
                    let reinvalidations = Arc::clone(self.cache.background());
                    tokio::select! {
                        () = sleep_until(due) => {}
                        () = reinvalidations.reinvalidations().changed.notified() => {}
                    }
                }
                Next::Nothing => return,
            }
        }
    }

    fn next(&mut self) -> Next {
        let mut state = self.reinvalidations().state();
        let taken = state.take(Instant::now());
        if !taken.is_empty() {
            return Next::Send(taken);
        }
        if let Some((due, _)) = state.due.first_key_value() {
            return Next::Wait(*due);
        }
        state.running = false;
        drop(state);
        self.retired = true;
        Next::Nothing
    }

    /// Invalidates what was taken. What is not acknowledged goes to the journal.
    async fn send(&self) {
        let hold_off = self.taken.iter().map(|(_, hold_off)| *hold_off).max().unwrap_or_default();
        let (mut keys, mut patterns) = (Vec::new(), Vec::new());
        for (entry, _) in &self.taken {
            match entry {
                Invalidation::Key(text) => keys.push(text.clone()),
                Invalidation::Pattern(pattern) => patterns.push(pattern),
            }
        }
        if !keys.is_empty() {
            _ = self.cache.remove(&keys, hold_off).await;
        }
        for pattern in patterns {
            _ = self.cache.remove_matching(pattern, hold_off).await;
        }
    }

    fn reinvalidations(&self) -> &Reinvalidations {
        self.cache.background().reinvalidations()
    }
}

impl Drop for Task {
    /// The runtime may end before the list does. What is left waits for the next write, and what
    /// was being sent goes to the journal.
    fn drop(&mut self) {
        if self.retired {
            return;
        }
        let taken = std::mem::take(&mut self.taken);
        let mut state = self.reinvalidations().state();
        state.running = false;
        state.sent(taken.len());
        drop(state);
        for (entry, hold_off) in taken {
            self.cache.journal().add([entry], hold_off);
        }
    }
}
