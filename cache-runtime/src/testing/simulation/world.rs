//! Some processes, the store they share, and their database.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cache_testing::dice::Dice;
use cache_testing::history::{History, Loss, Time};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::cache::Cache;
use crate::record::KeyHash;
use crate::store::memory::MemoryStore;
use crate::store::{Name, Store};
use crate::testing::faulty_store::{self, Network, Server};
use crate::testing::simulation::aliases::{alias_key, find};
use crate::testing::simulation::functions::{is_tagged, member, row};
use crate::testing::simulation::over;

/// Few, so that operations meet.
pub(super) const ROWS: u64 = 3;
/// Also how long after a write in doubt its entry is invalidated once more.
pub(super) const FENCE: Duration = Duration::from_secs(10);

/// A body's own error, which says what its call asked for. All who wait for the same may have a
/// copy.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Failed {
    pub(super) rows: Vec<u64>,
    pub(super) is_batch: bool,
}

/// The same, which nobody can copy.
#[derive(Debug)]
pub(super) struct Unshared(pub(super) Failed);

impl From<crate::Error> for Failed {
    fn from(_: crate::Error) -> Self {
        Self::default()
    }
}

impl From<Failed> for Unshared {
    fn from(failed: Failed) -> Self {
        Self(failed)
    }
}

impl From<Unshared> for Failed {
    fn from(Unshared(failed): Unshared) -> Self {
        failed
    }
}

/// The versions of the rows, and a clock that gives every event a moment of its own.
#[derive(Clone, Debug)]
pub(super) struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    #[expect(clippy::cast_possible_truncation, reason = "a handful")]
    versions: [AtomicU64; ROWS as usize],
    clock: AtomicU64,
    dice: Dice,
    pace: Pace,
    settled: AtomicBool,
}

/// How long things take, in milliseconds, and how often they go wrong, in percent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) lease: u64,
    pub(super) load: u64,
    pub(super) write: u64,
    /// Writes that take long, even if nobody waits for them.
    pub(super) long_writes: u64,
    pub(super) failing_loads: u64,
    pub(super) lost_commands: u64,
    pub(super) slow_commands: u64,
}

impl Database {
    /// A moment later than every one before.
    pub(super) fn now(&self) -> Time {
        self.0.clock.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn version(&self, row: u64) -> u64 {
        self.row(row).load(Ordering::Relaxed)
    }

    /// Commits a new version.
    pub(super) fn bump(&self, row: u64) -> u64 {
        1 + self.row(row).fetch_add(1, Ordering::Relaxed)
    }

    /// A load: what the row was at its beginning. Some take longer than a lease.
    pub(super) async fn load(&self, row: u64) -> Result<u64, Failed> {
        let (version, dice, pace) = (self.version(row), &self.0.dice, self.pace());
        let span = if dice.percent(5) { 350 } else { pace.load };
        let fails = dice.percent(pace.failing_loads) && !self.0.settled.load(Ordering::Relaxed);
        self.pause(span).await;
        if fails { Err(Failed { rows: vec![row], is_batch: false }) } else { Ok(version) }
    }

    /// A load of many rows.
    pub(super) async fn load_all(&self, rows: &[u64]) -> Result<HashMap<u64, u64>, Failed> {
        let versions = rows.iter().map(|row| (*row, self.version(*row))).collect();
        // As fast, and as often in vain.
        let loaded = self.load(0).await.map(|_| versions);
        loaded.map_err(|_| Failed { rows: rows.to_vec(), is_batch: true })
    }

    pub(super) fn pace(&self) -> Pace {
        self.0.pace
    }

    pub(super) async fn pause(&self, millis: u64) {
        sleep(Duration::from_millis(self.0.dice.below(millis))).await;
    }

    fn row(&self, row: u64) -> &AtomicU64 {
        &self.0.versions[usize::try_from(row).unwrap()]
    }
}

/// What the body of a write tells the recorder, also when its future is dropped.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    cache: Cache,
    since: Instant,
    told: Arc<Mutex<Told>>,
    /// Statements that the database has received and not yet committed.
    running: Arc<watch::Sender<usize>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Whether the journal was empty when the body began: no fence was refused. None if it did not
    /// begin.
    pub(super) nothing_journalled: Option<bool>,
    /// When which row was committed, and the version that this made.
    pub(super) committed: BTreeMap<u64, (Time, u64)>,
    /// From the beginning of the write to its last commit.
    pub(super) took: Duration,
}

impl Trace {
    pub(super) fn of(cache: &Cache) -> Self {
        let (told, running) = (Arc::default(), Arc::default());
        Self { cache: cache.clone(), since: Instant::now(), told, running }
    }

    pub(super) fn told(&self) -> Told {
        self.told.lock().unwrap().clone()
    }

    /// Counts once, for a body that writes several rows.
    pub(super) fn begins(&self) {
        let is_empty = || self.cache.stats().journal_depth == 0;
        self.told.lock().unwrap().nothing_journalled.get_or_insert_with(is_empty);
    }

    /// Waits until the database has committed what it has received.
    pub(super) async fn ended(&self) {
        self.running.subscribe().wait_for(|running| *running == 0).await.unwrap();
    }

    fn commits(&self, db: &Database, row: u64, version: u64) {
        let mut told = self.told.lock().unwrap();
        told.committed.insert(row, (db.now(), version));
        told.took = self.since.elapsed();
    }
}

/// Sends a statement to the database, which goes on with it whether or not somebody waits for the
/// version that it makes. Sometimes it takes long.
pub(super) fn statement(db: &Database, id: u64, trace: &Trace) -> JoinHandle<u64> {
    let (db, trace) = (db.clone(), trace.clone());
    trace.running.send_modify(|running| *running += 1);
    tokio::spawn(async move {
        let long = db.0.dice.percent(db.pace().long_writes);
        db.pause(if long { 100 } else { db.pace().write }).await;
        let version = db.bump(id);
        trace.commits(&db, id, version);
        trace.running.send_modify(|running| *running -= 1);
        version
    })
}

/// The body of a write; what it made.
pub(super) async fn update(db: &Database, id: u64, trace: &Trace) -> u64 {
    trace.begins();
    let version = statement(db, id, trace).await.unwrap();
    db.pause(db.pace().write).await;
    version
}

/// Everything there is.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) db: Database,
    pub(super) processes: Vec<Cache>,
    pub(super) history: Arc<Mutex<History>>,
    /// Writes that wait for their acknowledgement.
    pub(super) pending: Arc<Mutex<JoinSet<()>>>,
    pub(super) memory: Arc<MemoryStore>,
    /// The rows of which a write has left a stale value, one bit each.
    keep_stale: Arc<AtomicU64>,
    /// Whether rows are also read by aliases.
    pub(super) has_aliases: bool,
    networks: Vec<Arc<Network>>,
    server: Arc<Server>,
}

impl World {
    pub(super) fn new(dice: &Dice, processes: u64, pace: Pace) -> Self {
        let memory = Arc::new(MemoryStore::new(1 << 20));
        let server = Arc::<Server>::default();
        let network = |process| {
            let (server, dice) = (Arc::clone(&server), dice.fork(10 + process));
            Network::to(server, dice, pace.lost_commands, pace.slow_commands)
        };
        let networks: Vec<_> = (0..processes).map(network).collect();
        let cache = |network: &Arc<Network>| {
            let store = faulty_store::to_memory(Arc::clone(&memory), Arc::clone(network));
            let builder = Cache::builder().lease(Duration::from_millis(pace.lease)).fence(FENCE);
            over(store, builder)
        };
        let processes = networks.iter().map(cache).collect();
        let db = Database(Arc::new(Inner {
            versions: Default::default(),
            clock: AtomicU64::new(0),
            dice: dice.fork(3),
            pace,
            settled: AtomicBool::new(false),
        }));
        let (history, pending) = (Arc::default(), Arc::default());
        let (keep_stale, has_aliases) = (Arc::default(), false);
        Self { db, processes, history, pending, memory, keep_stale, has_aliases, networks, server }
    }

    /// The same, where rows are also read by aliases.
    pub(super) fn with_aliases(self) -> Self {
        Self { has_aliases: true, ..self }
    }

    /// A write may leave a stale value of a row from now on.
    pub(super) fn will_keep_stale(&self, row: u64) {
        self.keep_stale.fetch_or(1 << row, Ordering::SeqCst);
    }

    /// Whether a write may have done so.
    pub(super) fn keeps_stale(&self, row: u64) -> bool {
        self.keep_stale.load(Ordering::SeqCst) & (1 << row) != 0
    }

    /// Kills the server, which comes back empty after a while.
    pub(super) async fn restart(&self, down: Duration) {
        let start = self.db.now();
        self.server.restart(down, &self.memory, &self.networks).await;
        let loss = Loss { row: None, start, end: self.db.now() };
        self.history.lock().unwrap().losses.push(loss);
    }

    /// Refuses everything but reads to a process, for so many milliseconds.
    pub(super) fn refuse_writes(&self, process: usize, millis: u64) {
        self.networks[process].refuse_writes(Duration::from_millis(millis));
    }

    /// Makes a process forget which tags the value of a row has told, and whose its alias is, as
    /// after a restart.
    pub(super) fn forget_tags(&self, process: usize, row: u64) {
        let guesses = self.processes[process].core().guesses();
        for key in [entry(row), alias_key(row).as_str().to_owned()] {
            guesses.learn(KeyHash::of(&key), &[]);
        }
    }

    /// What the store holds of a row.
    pub(super) fn kind(&self, row: u64) -> Option<char> {
        self.kind_of(&entry(row))
    }

    /// What it holds beside the row: the lease of a refresh, or that the row rests.
    pub(super) fn kind_beside(&self, row: u64) -> Option<char> {
        self.kind_of(&format!("{}!r", entry(row)))
    }

    fn kind_of(&self, key: &str) -> Option<char> {
        self.memory.kind(Name::new(key))
    }

    /// Waits until all is delivered and every fence has run out. Then nothing may be left behind,
    /// and every process reads what is in the database.
    pub(super) async fn settle(&self) -> History {
        for network in &self.networks {
            network.heal();
        }
        self.db.0.settled.store(true, Ordering::Relaxed);
        for _ in 0..2 {
            for cache in &self.processes {
                cache.flush(Duration::from_secs(100)).await.unwrap();
            }
            sleep(2 * FENCE).await;
        }
        for cache in &self.processes {
            cache.shutdown().await.unwrap();
        }
        let mut pending = std::mem::take(&mut *self.pending.lock().unwrap());
        while let Some(ended) = pending.join_next().await {
            ended.unwrap();
        }
        for cache in &self.processes {
            assert!(cache.core().flights().is_empty(), "a flight is left behind");
        }
        for id in 0..ROWS {
            for key in keys(id).into_iter().chain(told_keys(id)) {
                let kind = self.kind_of(&key);
                assert!(matches!(kind, None | Some('V')), "{kind:?} is left behind in {key}");
            }
            assert_eq!(self.kind_beside(id), None, "a refresh has left something behind");
            for cache in &self.processes {
                let version = cache.scope(read(&self.db, id)).await.unwrap();
                assert_eq!(version, self.db.version(id), "stale for good");
                assert_eq!(self.kind(id), Some('V'), "it is cached again");
            }
            let alias = alias_key(id).as_str().to_owned();
            let kind = self.kind_of(&alias);
            assert!(matches!(kind, None | Some('V')), "{kind:?} is left behind in {alias}");
            for cache in self.processes.iter().filter(|_| self.has_aliases) {
                let version = cache.scope(find(&self.db, id)).await.unwrap();
                assert_eq!(version, self.db.version(id), "the alias leads to a stale value");
            }
        }
        std::mem::take(&mut *self.history.lock().unwrap())
    }
}

/// The key of a row's entry.
fn entry(row: u64) -> String {
    format!("{}:{row}", if is_tagged(row) { "member" } else { "row" })
}

/// The keys of what only the value tells, which must be there as well, and of the epoch. Whoever
/// changes a row and removes one of those, past the library, has not invalidated the entry for
/// loads that are under way.
pub(super) fn told_keys(row: u64) -> Vec<String> {
    let told = ["~tag:told:1", "~tag:other:0", "~tag:other:1", "~tags"];
    let told = told.into_iter().filter(|_| is_tagged(row));
    told.map(str::to_owned).collect()
}

/// The keys that all must be there for the entry to be found.
pub(super) fn keys(row: u64) -> Vec<String> {
    let mut keys = vec![entry(row)];
    if is_tagged(row) {
        keys.extend([format!("~tag:group:{row}"), "~tag:members".to_owned()]);
    }
    keys
}

/// Reads a row.
pub(super) async fn read(db: &Database, id: u64) -> Result<u64, Failed> {
    if is_tagged(id) { member(db, id).await } else { row(db, id).await }
}
