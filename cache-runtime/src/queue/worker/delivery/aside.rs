//! Items that the sink refuses by themselves: they wait aside for their next attempt, and the
//! others go on.
//!
//! Of their keys, nothing goes on: later items wait behind them.

use std::collections::HashMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep_until};

use crate::queue::sink::error::{SinkError, SinkErrorKind};
use crate::queue::sink::merge::Merge;
use crate::queue::worker::backoff::Backoff;
use crate::queue::worker::delivery::Delivery;
use crate::queue::worker::delivery::attempts::Refusal;
use crate::queue::worker::delivery::tally::{Meanwhile, Tally};
use crate::queue::worker::partition::Lost;
use crate::store::queue::{Position, Stored};

/// Most items that wait aside. If there are more, the partition waits for them.
const MOST: usize = 1_000;

/// What waits aside in a partition.
#[derive(Debug, Default)]
pub(super) struct Aside {
    waiting: Vec<Waiting>,
    /// Attempts with items that are read once more, and will fail once more.
    tallies: HashMap<Position, Tally>,
}

#[derive(Debug)]
struct Waiting {
    /// The first is tried; the others have its key, or were merged into it.
    items: Vec<Stored>,
    tally: Tally,
    /// What the worker's sink had taken by its last attempt.
    taken: u64,
    due: Instant,
    backoff: Backoff,
}

impl Aside {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.iter().map(|waiting| waiting.items.len()).sum::<usize>() >= MOST
    }

    /// All have failed for some ten seconds.
    pub(super) fn is_hopeless(&self) -> bool {
        self.waiting.iter().all(|waiting| waiting.backoff.is_long())
    }

    /// When the next attempt is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.due).min()
    }

    /// Keeps the items whose keys wait.
    pub(super) fn hold_back(&mut self, items: &mut Vec<Stored>) {
        if self.waiting.is_empty() {
            return;
        }
        let mut go_on = Vec::with_capacity(items.len());
        for item in items.drain(..) {
            let is_of_key =
                |waiting: &&mut Waiting| waiting.items.iter().any(|other| other.key == item.key);
            match self.waiting.iter_mut().find(is_of_key) {
                Some(waiting) => waiting.items.push(item),
                None => go_on.push(item),
            }
        }
        *items = go_on;
    }

    /// Everything is read once more.
    pub(super) fn forget(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let tally = |waiting: Waiting| Some((waiting.items.first()?.position, waiting.tally));
        self.tallies = self.waiting.drain(..).filter_map(tally).collect();
    }

    fn next(&mut self, now: Instant) -> Option<Waiting> {
        let place = self.waiting.iter().position(|waiting| waiting.due <= now)?;
        Some(self.waiting.swap_remove(place))
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Delivery<T> {
    /// Lets items wait that the sink has refused, which had taken so much before.
    pub(super) async fn set_aside(
        &mut self,
        items: Vec<Stored>,
        error: &SinkError,
        taken: u64,
    ) -> Result<(), Lost> {
        let max_attempts = self.task.definition.site.options.max_attempts;
        let position = items.first().map(|item| item.position).unwrap_or_default();
        let mut waiting = Waiting {
            items,
            tally: self.aside.tallies.remove(&position).unwrap_or_default(),
            taken,
            due: Instant::now(),
            backoff: Backoff::default(),
        };
        self.refused_aside(&mut waiting, error);
        if waiting.tally.is_full(max_attempts) {
            for item in &waiting.items {
                self.give_up(item, error, waiting.tally.attempts()).await?;
            }
        } else {
            self.aside.waiting.push(waiting);
        }
        Ok(())
    }

    /// Tries what is due; the items that waited behind one that is settled.
    pub(super) async fn try_aside(&mut self) -> Result<Vec<Vec<Stored>>, Lost> {
        let mut released = Vec::new();
        while let Some(mut waiting) = self.aside.next(Instant::now()) {
            if self.try_waiting(&mut waiting).await? {
                released.push(waiting.items);
            } else {
                self.aside.waiting.push(waiting);
            }
            if self.stop.is_sent() && !self.owner.log.is_in_memory() {
                break;
            }
        }
        released.retain(|items| !items.is_empty());
        Ok(released)
    }

    /// Whether the first item of these has been settled, which then is not among them any more.
    async fn try_waiting(&mut self, waiting: &mut Waiting) -> Result<bool, Lost> {
        let max_attempts = self.task.definition.site.options.max_attempts;
        // The newest may be right where the first is not.
        let are_merged = !matches!(self.task.definition.merge(), Merge::All);
        if are_merged
            && waiting.items.len() > 1
            && self.attempt(&mut waiting.items).await?.is_none()
        {
            waiting.items.clear();
            return Ok(true);
        }
        let Some(first) = waiting.items.first().cloned() else { return Ok(true) };
        let error = match self.attempt(&mut vec![first.clone()]).await? {
            Some(Refusal::All(error)) => error,
            Some(Refusal::Items(_)) | None => {
                waiting.items.remove(0);
                return Ok(true);
            }
        };
        self.refused_aside(waiting, &error);
        if error.kind() != SinkErrorKind::Permanent && !waiting.tally.is_full(max_attempts) {
            return Ok(false);
        }
        self.give_up(&first, &error, waiting.tally.attempts()).await?;
        waiting.items.remove(0);
        Ok(true)
    }

    /// Counts an attempt, unless it says nothing, and says when the next one is due.
    fn refused_aside(&self, waiting: &mut Waiting, error: &SinkError) {
        let taken = self.task.calls.taken();
        if error.kind() != SinkErrorKind::Transient {
            let is_number_given = self.task.definition.site.options.is_number_given;
            waiting.tally.count(if taken > waiting.taken {
                Meanwhile::Took
            } else if self.aside.is_empty() && !self.backoff.is_failing() {
                Meanwhile::Alone { is_number_given }
            } else {
                Meanwhile::Refused
            });
        }
        waiting.taken = taken;
        waiting.due = Instant::now() + waiting.backoff.pause();
    }

    /// Waits until the next attempt is due, or it is to end.
    pub(super) async fn rest(&mut self) -> Result<(), Lost> {
        let drains = self.owner.log.is_in_memory();
        let due = self.aside.due().unwrap_or_else(Instant::now);
        let stop = &mut self.stop;
        let wait = async {
            tokio::select! {
                biased;
                () = stop.sent(), if !drains => {}
                () = sleep_until(due) => {}
            }
        };
        self.owner.hold(wait).await
    }
}
