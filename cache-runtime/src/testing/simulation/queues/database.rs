//! The database of the sinks: transactions that fail before or after their commit, or are committed
//! when nobody waits for them any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cache_testing::dice::Dice;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::queue::{Batch, SinkError, SinkErrorKind};
use crate::store::queue::Position;
use crate::testing::simulation::queues::history::{Applied, Time};

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) id: u64,
    pub(super) key: u64,
}

/// What goes wrong, in percent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    pub(super) before: u64,
    pub(super) after: u64,
    /// Takes longer than a lease.
    pub(super) slow: u64,
    /// One of so many items is never taken; none where it is 0.
    pub(super) poison: u64,
    /// What errors say of themselves.
    pub(super) kind: SinkErrorKind,
}

#[derive(Clone, Debug)]
pub(super) struct Database {
    dice: Dice,
    tables: Arc<Mutex<Tables>>,
}

#[derive(Debug, Default)]
pub(super) struct Tables {
    clock: Time,
    pub(super) faults: Faults,
    positions: BTreeMap<u32, Position>,
    /// Version and item of each key.
    rows: BTreeMap<u64, i64>,
    pub(super) applied: Vec<Applied>,
    pub(super) suspects: BTreeSet<u64>,
    /// Items that were dropped because of the position or the version beside them.
    pub(super) again: u64,
}

impl Database {
    pub(super) fn new(dice: Dice, faults: Faults) -> Self {
        let tables = Tables { faults, ..Tables::default() };
        Self { dice, tables: Arc::new(Mutex::new(tables)) }
    }

    /// A moment later than every one before.
    pub(super) fn now(&self) -> Time {
        let mut tables = self.tables();
        tables.clock += 1;
        tables.clock
    }

    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    /// A sink that keeps the position beside what it counts.
    pub(super) async fn count(self, batch: Batch<Item>) -> Result<(), SinkError> {
        self.transaction(batch, Tables::count).await
    }

    /// A sink that keeps the version beside each row.
    pub(super) async fn save(self, batch: Batch<Item>) -> Result<(), SinkError> {
        self.transaction(batch, Tables::save).await
    }

    async fn transaction(
        self,
        batch: Batch<Item>,
        work: fn(&mut Tables, Batch<Item>),
    ) -> Result<(), SinkError> {
        let (dice, faults) = (&self.dice, self.tables().faults);
        let alone =
            (batch.pushed() == 1).then(|| batch.items().next().map(|item| item.id)).flatten();
        let refused = |kind, error: &str| {
            self.tables().suspects.extend(alone);
            Err(SinkError::new(kind, error))
        };
        self.pause(if dice.percent(faults.slow) { 3_000 } else { 6 }).await;
        let is_poison = |item: &Item| faults.poison > 0 && item.id.is_multiple_of(faults.poison);
        if dice.percent(faults.before) || batch.items().any(is_poison) {
            return refused(faults.kind, "before the commit");
        }
        // The commit is sent: who waits for it may go away.
        let (tables, span) = (Arc::clone(&self.tables), dice.span(4));
        let late = Duration::from_millis(if dice.percent(faults.slow) { 1_500 } else { 0 });
        let commit = tokio::spawn(async move {
            sleep(span + late).await;
            work(&mut tables.lock().unwrap(), batch);
        });
        commit.await.unwrap();
        // Nobody who says that it never helps has committed.
        let kind = match faults.kind {
            SinkErrorKind::Permanent => SinkErrorKind::Unspecified,
            kind => kind,
        };
        if dice.percent(faults.after) { refused(kind, "after the commit") } else { Ok(()) }
    }

    async fn pause(&self, millis: u64) {
        sleep(self.dice.span(millis)).await;
    }
}

impl Tables {
    fn count(&mut self, batch: Batch<Item>) {
        let (partition, before) = (batch.partition(), batch.len());
        let batch = batch.after(self.positions.get(&partition).copied());
        self.again += (before - batch.len()) as u64;
        let is_direct = batch.position().is_none();
        if let Some(position) = batch.position() {
            self.positions.insert(partition, position);
        }
        for Item { id, key } in batch.into_items() {
            self.applied.push(Applied { id, key, is_direct });
        }
    }

    fn save(&mut self, batch: Batch<Item>) {
        let is_direct = batch.position().is_none();
        for versioned in batch {
            let Item { id, key } = versioned.item;
            let row = self.rows.entry(key).or_default();
            if *row < versioned.version {
                *row = versioned.version;
                self.applied.push(Applied { id, key, is_direct });
            } else {
                self.again += 1;
            }
        }
    }
}
