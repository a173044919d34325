//! One process: tasks that read and write, and record what they did.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::{Cache, CallExt as _, Stats};
use cache_testing::LIMIT;
use cache_testing::barrier::Patience;
use cache_testing::children::Parent;
use cache_testing::dice::Dice;
use cache_testing::history::{History, Read, Time, Write};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::database::{self, ALL, Database, Failed, ROWS, Row, Trace};
use crate::functions::{
    early, forgiven, hurried, is_tagged, locked_row, locked_rows, revalidated, row, rows,
    store_strictly, write, write_and_fail, write_and_store, write_by_hand, write_in_doubt,
    write_several, write_several_strictly, write_several_unfenced, write_strictly, write_unfenced,
};
use crate::manners::Manner;
use crate::now;

const TASKS: u64 = 8;
/// Also how long after a dropped write its entry is invalidated once more.
const FENCE: Duration = Duration::from_secs(4);
/// Clocks of Redis and of ours, compared over one fence, differ by less.
const MARGIN: Duration = Duration::from_millis(500);

/// What a process is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Orders {
    pub url: String,
    pub database: PathBuf,
    pub seed: u64,
    pub operations: usize,
}

/// What a process tells.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    pub history: History,
    /// Counters of the cache, all functions together.
    pub events: BTreeMap<String, u64>,
}

/// Runs a child's part. On a `single` thread nothing happens between a fence's refusal and the
/// beginning of the body.
pub async fn act(mut parent: Parent, single: bool) {
    let Orders { url, database, seed, operations } = parent.setup();
    let dice = Dice::new(seed).fork(1 + parent.index() as u64);
    let cache = Cache::builder()
        .namespace("test")
        .lease(Duration::from_millis(400))
        .wait(Duration::from_secs(1))
        .fence(FENCE)
        .connect(&url)
        .unwrap();
    cache.install();
    let database = Database::open(&database, dice.fork(0)).await;
    let actor = Actor {
        process: parent.index(),
        single,
        cache,
        database,
        dice,
        history: Arc::default(),
        pending: Arc::default(),
        left: Arc::new(AtomicUsize::new(operations)),
    };
    parent.say("ready");
    parent.expect("go").await;

    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(actor.fork(task).work());
    }
    loop {
        match timeout(Duration::from_secs(1), tasks.join_next()).await {
            Ok(Some(ended)) => ended.unwrap(),
            Ok(None) => break,
            // The parent wants a sign of life.
            Err(_) => parent.say("at work"),
        }
    }
    parent.say("done");
    parent.expect("settle").await;
    parent.say(&actor.settle().await);
}

/// One task of one process.
#[derive(Clone, Debug)]
struct Actor {
    process: usize,
    single: bool,
    cache: Cache,
    database: Database,
    dice: Dice,
    history: Arc<Mutex<History>>,
    /// Writes that wait for their acknowledgement.
    pending: Arc<Mutex<JoinSet<()>>>,
    /// Operations still to do.
    left: Arc<AtomicUsize>,
}

impl Actor {
    fn fork(&self, task: u64) -> Self {
        Self { dice: self.dice.fork(100 + task), ..self.clone() }
    }

    async fn work(self) {
        let one = |left: usize| left.checked_sub(1);
        while self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one).is_ok() {
            let passing = self.dice.percent(15);
            let id = if passing { database::passing() } else { self.dice.below(ROWS) };
            let manner = Manner::draw(&self.dice, id);
            let dropped = match manner {
                // Dropped between its commit and its invalidation, it would not have invalidated
                // anything.
                Manner::ByHand => false,
                manner if manner.reads() => self.dice.percent(10),
                _ => passing && self.dice.percent(40),
            };
            let patience = if dropped { self.dice.span(8) } else { LIMIT };
            if manner.reads() {
                self.read(id, manner, patience).await;
            } else {
                self.write(id, manner, patience).await;
                if dropped {
                    // Its caller looks what has become of the row, while the database may still be
                    // at it.
                    self.read(id, Manner::Read, LIMIT).await;
                }
            }
            sleep(self.dice.span(60)).await;
        }
    }

    async fn read(&self, id: u64, manner: Manner, patience: Duration) {
        let (db, ids) = (&self.database, &manner.rows(id)[..]);
        let start = now();
        let result = match manner {
            Manner::Batch => timeout(patience, rows(db, ids)).await,
            Manner::LockedBatch => timeout(patience, locked_rows(db, ids)).await,
            Manner::RefreshBatch => timeout(patience, rows(db, ids).refresh()).await,
            Manner::Locked => timeout(patience, locked_row(db, id)).await.map(one),
            Manner::Refresh => timeout(patience, row(db, id).refresh()).await.map(one),
            Manner::Revalidated => timeout(patience, revalidated(db, id)).await.map(one),
            Manner::Forgiven => timeout(patience, forgiven(db, id)).await.map(one),
            Manner::Hurried => timeout(patience, hurried(db, id)).await.map(one),
            Manner::Early => timeout(patience, early(db, id)).await.map(one),
            _ => timeout(patience, row(db, id)).await.map(one),
        };
        let end = now();
        let Ok(found) = result else {
            assert_ne!(patience, LIMIT, "{manner:?} hung");
            return;
        };
        let Ok(found) = found else { return };
        let read = |id: &u64| {
            let Row { id: found, version } = found[id];
            assert_eq!(found, *id, "a value of another row");
            let (process, row, manner) = (self.process, *id, format!("{manner:?}"));
            Read { process, row, manner, start, end, version }
        };
        self.history.lock().unwrap().reads.extend(ids.iter().map(read));
    }

    async fn write(&self, id: u64, manner: Manner, patience: Duration) {
        let (db, trace) = (&self.database, &Trace::of(&self.cache));
        let ids = &manner.rows(id)[..];
        let start = now();
        let returned = match manner {
            Manner::Strict => timeout(patience, write_strictly(db, id, trace)).await.is_ok(),
            Manner::Storing => timeout(patience, write_and_store(db, id, trace)).await.is_ok(),
            Manner::StoringStrictly => {
                timeout(patience, store_strictly(db, id, trace)).await.is_ok()
            }
            Manner::Unfenced => timeout(patience, write_unfenced(db, id, trace)).await.is_ok(),
            Manner::Failing => timeout(patience, write_and_fail(db, id, trace)).await.is_ok(),
            Manner::InDoubt => timeout(patience, write_in_doubt(db, id, trace)).await.is_ok(),
            Manner::ByHand => timeout(patience, write_by_hand(db, id, trace)).await.is_ok(),
            Manner::Several => timeout(patience, write_several(db, ids, trace)).await.is_ok(),
            Manner::SeveralUnfenced => {
                timeout(patience, write_several_unfenced(db, ids, trace)).await.is_ok()
            }
            Manner::SeveralStrictly => {
                timeout(patience, write_several_strictly(db, ids, trace)).await.is_ok()
            }
            _ => timeout(patience, write(db, id, trace)).await.is_ok(),
        };
        let end = now();
        assert!(returned || patience != LIMIT, "{manner:?} hung");

        // Its caller does not know when it is committed.
        let known = returned && manner != Manner::InDoubt;
        let record = self.clone().recorder(id, manner, start, trace.clone());
        if !known {
            let trace = trace.clone();
            self.pending.lock().unwrap().spawn(async move {
                trace.ended().await;
                record(None, None);
            });
        } else if self.cache.stats().journal_depth > 0 {
            let cache = self.cache.clone();
            self.pending.lock().unwrap().spawn(async move {
                let flushed = cache.flush(LIMIT).await.is_ok();
                record(Some(end), flushed.then(now));
            });
        } else {
            record(Some(end), Some(now()));
        }
    }

    /// Adds to the history what a write has committed: when it returned, and when it was
    /// acknowledged.
    fn recorder(
        self,
        id: u64,
        manner: Manner,
        start: Time,
        trace: Trace,
    ) -> impl FnOnce(Option<Time>, Option<Time>) {
        move |returned, acknowledged| {
            let told = trace.told();
            let fenced = match manner {
                // Stamps are captured meanwhile: an invalidation in the place of a fence may have
                // been delivered by then.
                Manner::Storing if is_tagged(id) => false,
                Manner::Write
                | Manner::Storing
                | Manner::Failing
                | Manner::InDoubt
                | Manner::Several => self.single && told.nothing_journalled == Some(true),
                _ => manner.is_strict(),
            };
            let stood = |committed| Duration::from_nanos(committed - start) + MARGIN < FENCE;
            let write = |(row, committed): (&u64, &(Time, u64))| Write {
                process: self.process,
                row: *row,
                manner: format!("{manner:?}"),
                start,
                committed: Some(*committed),
                returned,
                acknowledged,
                fenced: fenced && stood(committed.0),
            };
            let mut history = self.history.lock().unwrap();
            history.writes.extend(told.committed.iter().map(write));
        }
    }

    /// Waits until everything has been delivered and every row is read as it is in the database.
    async fn settle(&self) -> Report {
        self.cache.flush(LIMIT).await.unwrap();
        self.cache.shutdown().await.unwrap();
        let mut pending = std::mem::take(&mut *self.pending.lock().unwrap());
        while let Some(ended) = pending.join_next().await {
            ended.unwrap();
        }
        for id in 0..ALL {
            let patience = Patience::new();
            while let Some(difference) = self.difference(id).await {
                patience.pause(&difference).await;
            }
        }
        let history = std::mem::take(&mut *self.history.lock().unwrap());
        Report { history, events: events(&self.cache.stats()) }
    }

    /// What differs between a row as it is read and as it is in the database.
    async fn difference(&self, id: u64) -> Option<String> {
        let Ok(read) = row(&self.database, id).await else {
            return Some(format!("row {id} cannot be read"));
        };
        let current = self.database.version(id).await;
        (read.version != current)
            .then(|| format!("row {id} is stale for good: {} of {current}", read.version))
    }
}

fn one(read: Result<Row, Failed>) -> Result<HashMap<u64, Row>, Failed> {
    read.map(|row| HashMap::from([(row.id, row)]))
}

fn events(stats: &Stats) -> BTreeMap<String, u64> {
    let mut events = BTreeMap::new();
    for function in &stats.functions {
        let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(function) else {
            continue;
        };
        let outcomes = fields.get("outcomes").and_then(|outcomes| outcomes.as_object());
        for (event, count) in fields.iter().chain(outcomes.into_iter().flatten()) {
            if let Some(count @ 1..) = count.as_u64() {
                *events.entry(event.clone()).or_default() += count;
            }
        }
    }
    events
}
