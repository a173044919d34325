//! Readers and writers that go on while a test breaks things, and check every value they get.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::time::{Duration, Instant};

use cache_runtime::stats::FunctionStats;
use cache_runtime::{Cache, CacheBuilder};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::database::{
    CommittedAllTheSame, Database, NoSuchRow, ROWS, Record, locked_row, row, row_key, write,
    write_all, write_and_fail, write_unfenced,
};
use crate::log;
use crate::report::{BUDGET, Log, Report};
use crate::stalls;
use crate::support::barrier::eventually;
use crate::support::{AGES, LIMIT, within_limit};

const READERS: u64 = 8;
const WRITERS: u64 = 2;

/// Readers and writers over one cache. Every value is checked when it comes; [`end`](Self::end) fails the test for what
/// was wrong.
#[derive(Debug)]
pub struct Driver {
    pub cache: Cache,
    pub db: Database,
    /// That of the cache.
    budget: Duration,
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    reads: AtomicU64,
    writes: AtomicU64,
    log: Log,
}

/// The default settings, but that an entry whose writer was cut off from Redis is uncached for 2 s instead of 10.
pub fn settings() -> CacheBuilder {
    Cache::builder().fence(Duration::from_secs(2))
}

impl Driver {
    /// Starts readers and writers on a cache at `url`.
    pub fn at(url: &str) -> Self {
        Self::start(settings().connect(url).expect("a URL"))
    }

    /// As [`at`](Self::at), with a cache that takes no busy machine for a server that does not answer: where every line of
    /// the log counts.
    pub fn patient_at(url: &str) -> Self {
        let cache = settings().budget(AGES).connect(url).expect("a URL");
        Self { budget: AGES, ..Self::start(cache) }
    }

    /// Starts readers and writers.
    pub fn start(cache: Cache) -> Self {
        let mut driver = Self::idle(cache);
        driver.resume();
        driver
    }

    /// Nobody reads or writes yet.
    pub fn idle(cache: Cache) -> Self {
        log::capture();
        stalls::watch();
        Self {
            cache,
            db: Database::default(),
            budget: BUDGET,
            shared: Arc::default(),
            tasks: JoinSet::new(),
        }
    }

    /// Starts readers and writers on the present runtime.
    pub fn resume(&mut self) {
        self.shared.stop.store(false, SeqCst);
        for number in 0..READERS + WRITERS {
            let (db, shared) = (self.db.clone(), Arc::clone(&self.shared));
            let dice = Dice(number + 1);
            let work = async move {
                if number < READERS {
                    read_on(&db, &shared, dice).await;
                } else {
                    write_on(&db, &shared, dice).await;
                }
            };
            self.tasks.spawn(self.cache.scope(work));
        }
    }

    /// Stops readers and writers after the calls that they are in.
    pub async fn pause(&mut self) {
        self.shared.stop.store(true, SeqCst);
        while let Some(ended) = within_limit("the last calls return", self.tasks.join_next()).await
        {
            // Cancelled with its runtime is no panic.
            if let Err(panic) = ended
                && panic.is_panic()
            {
                self.shared.log.wrong(format!("a task panicked: {panic}"));
            }
        }
    }

    /// Waits until hits come in: before the fault, and again after it.
    pub async fn hits(&self) {
        let before = self.hits_so_far();
        eventually!(self.hits_so_far() >= before + 200);
    }

    fn hits_so_far(&self) -> u64 {
        self.counted(|function| function.hits)
    }

    /// One of the counters, over all functions.
    pub fn counted(&self, counter: fn(&FunctionStats) -> u64) -> u64 {
        self.cache.stats().functions.iter().map(counter).sum()
    }

    /// Waits until so many reads, and a fair number of writes, have returned from now on.
    pub async fn calls(&self, reads: u64) {
        let done = || (self.shared.reads.load(SeqCst), self.shared.writes.load(SeqCst));
        let before = done();
        eventually!(done().0 >= before.0 + reads && done().1 > before.1 + reads / 100);
    }

    /// The fault begins: its calls are reported apart from the others.
    pub fn fault(&self) {
        self.shared.log.fault();
    }

    /// The fault is over: hits resume without a restart.
    pub async fn healed(&self) {
        self.shared.log.healed();
        self.hits().await;
    }

    /// Stops, and checks what remains.
    pub async fn end(self, fault: &str) -> Report {
        let report = self.verdict(fault).await;
        report.assert();
        report
    }

    /// As [`end`](Self::end), and leaves it to the caller what to make of it.
    pub async fn verdict(mut self, fault: &str) -> Report {
        self.pause().await;
        let log = &self.shared.log;
        if let Err(left) = self.cache.flush(LIMIT).await {
            log.wrong(format!("not delivered in the end: {left}"));
        }
        if self.cache.stats().journal_depth != 0 {
            log.wrong("the journal is not empty in the end".to_owned());
        }
        for id in 0..ROWS {
            check_row(log, id, self.db.floor(id), self.read(id).await, self.db.ceiling(id));
            match self.cache.get(&row_key(&id)).await {
                Ok(Some(stored)) if stored.version != self.db.ceiling(id) => {
                    log.wrong(format!("{stored:?} is left in Redis, and outdated"));
                }
                _ => {}
            }
        }
        log.report(fault, self.budget, &self.cache.stats())
    }

    /// Whether something was wrong so far that is described like this.
    pub fn has_seen(&self, wrong: &str) -> bool {
        self.shared.log.has_seen(wrong)
    }

    pub fn log(&self) -> &Log {
        &self.shared.log
    }

    /// One read.
    pub async fn read(&self, id: u64) -> Result<Record, NoSuchRow> {
        within_limit("a read returns", self.cache.scope(row(&self.db, id))).await
    }

    /// One write of all rows, invalidated by a pattern.
    pub async fn write_all(&self) {
        let write = self.cache.scope(write_all(&self.db));
        for (id, version) in (0..).zip(within_limit("a write returns", write).await) {
            self.db.returned(id, version);
        }
    }

    /// One write.
    pub async fn write(&self, id: u64) {
        let version = within_limit("a write returns", self.cache.scope(write(&self.db, id))).await;
        self.db.returned(id, version.expect("this write does not fail"));
    }
}

async fn read_on(db: &Database, shared: &Shared, mut dice: Dice) {
    while !shared.stop.load(Relaxed) {
        // One row more than there is.
        let id = dice.roll(ROWS + 1);
        let floor = db.floor(id);
        let begun = Instant::now();
        let locked = dice.roll(4) == 0;
        let read = async { if locked { locked_row(db, id).await } else { row(db, id).await } };
        // Some callers lose patience: at once, or after a moment.
        let patience = match dice.roll(32) {
            0 => Duration::ZERO,
            1 => Duration::from_millis(1),
            _ => LIMIT,
        };
        let mut read = pin!(read);
        match timeout(patience, &mut read).await {
            Ok(result) => {
                shared.log.read(begun);
                check_row(&shared.log, id, floor, result, db.ceiling(id));
            }
            Err(_) if patience == LIMIT => shared.log.wrong(format!("a read of {id} hangs")),
            Err(_) => {}
        }
        shared.reads.fetch_add(1, SeqCst);
        sleep(Duration::from_millis(1)).await;
    }
}

async fn write_on(db: &Database, shared: &Shared, mut dice: Dice) {
    while !shared.stop.load(Relaxed) {
        let id = dice.roll(ROWS);
        let begun = Instant::now();
        let write = async {
            match dice.roll(4) {
                0 => write_unfenced(db, id).await,
                1 => match write_and_fail(db, id).await {
                    Err(CommittedAllTheSame(version)) | Ok(version) => Ok(version),
                },
                _ => write(db, id).await,
            }
        };
        match timeout(LIMIT, write).await {
            Ok(Ok(version)) => {
                shared.log.written(begun);
                db.returned(id, version);
            }
            Ok(Err(error)) => shared.log.wrong(format!("a write of {id} failed: {error:?}")),
            Err(_) => shared.log.wrong(format!("a write of {id} hangs")),
        }
        shared.writes.fetch_add(1, SeqCst);
        sleep(Duration::from_millis(8)).await;
    }
}

/// What a read may return: the body's value, not older than a write that had returned when it began.
fn check_row(log: &Log, id: u64, floor: u64, got: Result<Record, NoSuchRow>, ceiling: u64) {
    match got {
        Err(NoSuchRow) if id == ROWS => {}
        Ok(record) if record != Record::new(id, record.version) || id == ROWS => {
            log.wrong(format!("a read of {id} got {record:?}, which no body has returned"));
        }
        Ok(record) if record.version < floor => {
            log.wrong(format!("stale: a read of {id} got {record:?}, older than {floor}"));
        }
        Ok(record) if record.version > ceiling => {
            log.wrong(format!("a read of {id} got {record:?}, newer than {ceiling}"));
        }
        Ok(_) => {}
        Err(NoSuchRow) => log.wrong(format!("a read of {id} failed")),
    }
}

/// Random numbers that depend on the seed alone (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}
