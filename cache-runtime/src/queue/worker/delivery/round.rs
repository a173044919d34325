//! A batch on its way to the sink, taken apart until what is at fault is found.
//!
//! | the sink says | a batch | an item by itself |
//! |---|---|---|
//! | `Permanent` | is halved at once | is a dead letter |
//! | `Transient` | waits | waits |
//! | nothing | is tried three times, then halved | waits aside, and the others go on |
//!
//! Nothing is learnt about an item while the sink takes nothing at all. So when the first item
//! fails by itself and nothing has been taken since the batch failed, another one is tried: if that
//! fails too, the batch is put together again, and waits.
//!
//! Where the sink keeps positions, or may, no item can go before an earlier one: what comes later
//! seems to be delivered with it. Then an item at fault holds up its partition.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::queue::sink::error::{SinkError, SinkErrorKind};
use crate::queue::worker::delivery::Delivery;
use crate::queue::worker::delivery::attempts::{Refusal, cut};
use crate::queue::worker::delivery::tally::{Meanwhile, Tally};
use crate::queue::worker::partition::Lost;
use crate::store::queue::Stored;
use crate::support::random::random_u64;

/// Attempts with a whole batch before it is taken apart.
const WHOLE: u32 = 3;

/// A batch that is delivered, in parts if need be.
struct Round {
    parts: VecDeque<Vec<Stored>>,
    /// Attempts that are left to it as a whole.
    whole: u32,
    /// What the worker's sink had taken before.
    taken: u64,
}

impl Round {
    fn split(&mut self, mut part: Vec<Stored>) {
        let second = part.split_off(part.len() / 2);
        self.whole = 0;
        self.parts.push_front(second);
        self.parts.push_front(part);
    }

    /// Takes out an item that may be delivered before all others, and is not of this key; none if
    /// there is none.
    fn draw(&mut self, key: &str, is_keyed: bool) -> Option<Stored> {
        let mut seen = HashSet::from([key]);
        let mut first = Vec::new();
        for (part, items) in self.parts.iter().enumerate() {
            for (place, item) in items.iter().enumerate() {
                if !is_keyed || seen.insert(&item.key) {
                    first.push((part, place));
                }
            }
        }
        let chance = random_u64() % u64::try_from(first.len()).ok().filter(|count| *count > 0)?;
        let (part, place) = first.get(usize::try_from(chance).ok()?).copied()?;
        Some(self.parts.get_mut(part)?.remove(place))
    }

    /// Puts everything together again.
    fn restore(&mut self, items: [Stored; 2], taken: u64) {
        let mut all: Vec<_> = self.parts.drain(..).flatten().chain(items).collect();
        all.sort_unstable_by_key(|stored| stored.position);
        (self.whole, self.taken) = (1, taken);
        self.parts.push_back(all);
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Delivery<T> {
    /// Delivers items in their order, each at least once or as a dead letter; some may wait aside.
    /// False: it was stopped before the end, and the rest stays for the next owner.
    pub(super) async fn deliver(&mut self, items: Vec<Stored>) -> Result<bool, Lost> {
        let max_attempts = self.task.definition.site.options.max_attempts;
        let mut round = Round {
            parts: VecDeque::from([items]),
            whole: max_attempts.min(WHOLE),
            taken: self.task.calls.taken(),
        };
        while let Some(mut part) = round.parts.pop_front() {
            if self.is_keyed() {
                self.aside.hold_back(&mut part);
            }
            if part.is_empty() {
                continue;
            }
            let goes_on = match self.attempt(&mut part).await? {
                None => {
                    self.backoff.succeeded();
                    true
                }
                Some(Refusal::All(error)) => self.refused(part, error, &mut round).await?,
                Some(Refusal::Items(items)) => self.refused_items(items, &mut round).await?,
            };
            if !goes_on {
                return Ok(false);
            }
        }
        self.tell_of_success();
        Ok(true)
    }

    pub(super) fn is_keyed(&self) -> bool {
        self.task.definition.key.is_some()
    }

    /// Whether later items may go before one that waits.
    pub(super) fn may_overtake(&self) -> bool {
        self.task.calls.ignores_positions() && !self.aside.is_full()
    }

    /// A part was refused as a whole. False: it was stopped.
    async fn refused(
        &mut self,
        part: Vec<Stored>,
        error: SinkError,
        round: &mut Round,
    ) -> Result<bool, Lost> {
        let kind = error.kind();
        if round.whole > 0 || kind == SinkErrorKind::Transient {
            self.tell_of_failure(&error);
        }
        match (&part[..], kind) {
            ([item], SinkErrorKind::Permanent) => self.give_up(item, &error, 1).await?,
            ([item], SinkErrorKind::Unspecified) => {
                return self.refused_one(item.clone(), error, round).await;
            }
            (_, SinkErrorKind::Permanent) => round.split(part),
            (_, SinkErrorKind::Unspecified) if round.whole <= 1 => round.split(part),
            (_, SinkErrorKind::Unspecified | SinkErrorKind::Transient) => {
                round.whole = round.whole.saturating_sub(1);
                round.parts.push_front(part);
                return self.pause().await;
            }
        }
        Ok(true)
    }

    /// Some items of a part were refused, each for a reason of its own.
    async fn refused_items(
        &mut self,
        items: Vec<(Vec<Stored>, SinkError)>,
        round: &mut Round,
    ) -> Result<bool, Lost> {
        let mut again = VecDeque::new();
        for (made_of, error) in items {
            if error.kind() == SinkErrorKind::Permanent {
                for item in &made_of {
                    self.give_up(item, &error, 1).await?;
                }
            } else if self.may_overtake() {
                self.set_aside(made_of, &error, round.taken).await?;
            } else {
                again.push_back(made_of);
            }
        }
        if again.is_empty() {
            return Ok(true);
        }
        round.whole = 0;
        again.append(&mut round.parts);
        round.parts = again;
        self.pause().await
    }

    /// An item was refused by itself.
    async fn refused_one(
        &mut self,
        item: Stored,
        error: SinkError,
        round: &mut Round,
    ) -> Result<bool, Lost> {
        if !self.may_overtake() {
            let is_alone = round.parts.iter().all(Vec::is_empty);
            return self.insist(item, error, (round.taken, is_alone)).await;
        }
        if self.task.calls.taken() > round.taken {
            self.set_aside(vec![item], &error, round.taken).await?;
            return Ok(true);
        }
        if self.is_keyed() {
            round.parts.iter_mut().for_each(|part| self.aside.hold_back(part));
        }
        let Some(other) = round.draw(&item.key, self.is_keyed()) else {
            self.set_aside(vec![item], &error, round.taken).await?;
            return Ok(true);
        };
        let mut probe = vec![other];
        let refusal = self.attempt(&mut probe).await?;
        match (refusal, probe.pop()) {
            (Some(Refusal::All(error)), Some(other))
                if error.kind() == SinkErrorKind::Permanent =>
            {
                self.give_up(&other, &error, 1).await?;
            }
            (Some(_), Some(other)) => {
                round.restore([item, other], self.task.calls.taken());
                return self.pause().await;
            }
            (None, _) | (_, None) => {}
        }
        self.set_aside(vec![item], &error, round.taken).await?;
        Ok(true)
    }

    /// Tries an item until the sink takes it, or it is given up: nothing may go before it.
    async fn insist(
        &mut self,
        item: Stored,
        mut error: SinkError,
        (taken, is_alone): (u64, bool),
    ) -> Result<bool, Lost> {
        let options = &self.task.definition.site.options;
        let (max_attempts, task) = (options.max_attempts, Arc::clone(&self.task));
        // What comes later cannot be asked for: then little is known, and not nothing.
        let unseen = Meanwhile::Alone { is_number_given: is_alone && options.is_number_given };
        let meanwhile = || if task.calls.taken() > taken { Meanwhile::Took } else { unseen };
        let mut tally = Tally::default();
        tally.count(meanwhile());
        while !tally.is_full(max_attempts) {
            if !self.pause().await? {
                return Ok(false);
            }
            match self.attempt(&mut vec![item.clone()]).await? {
                None => {
                    self.backoff.succeeded();
                    return Ok(true);
                }
                Some(Refusal::All(other)) => error = other,
                Some(Refusal::Items(_)) => continue,
            }
            match error.kind() {
                SinkErrorKind::Permanent => break,
                SinkErrorKind::Transient => {}
                SinkErrorKind::Unspecified => tally.count(meanwhile()),
            }
        }
        self.give_up(&item, &error, tally.attempts()).await?;
        Ok(true)
    }

    fn tell_of_failure(&mut self, error: &SinkError) {
        let shared = &self.owner.log.shared;
        shared.report.refused(shared.queue, self.owner.partition, cut(error.text()));
    }

    fn tell_of_success(&mut self) {
        let shared = &self.owner.log.shared;
        shared.report.over(shared.queue, self.owner.partition);
    }
}
