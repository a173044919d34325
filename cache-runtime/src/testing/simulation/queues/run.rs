//! One run: some processes push, some deliver, and things go wrong until everything is healed.

mod programs;
mod pushes;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_testing::dice::Dice;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

use self::programs::{COPIED, COUNTS, DIRECT, NARROW, ROWS, Sites};
use crate::cache::Cache;
use crate::metrics::QueueLength;
use crate::queue::definition::queue;
use crate::queue::push::payload::decode;
use crate::queue::worker::worker;
use crate::queue::{Queue, SinkError, SinkErrorKind, Worker};
use crate::store::Store;
use crate::store::queue::Stored;
use crate::testing::faulty_store::{self, Network, Primary};
use crate::testing::simulation::over;
use crate::testing::simulation::queues::database::{Database, Faults, Item};
use crate::testing::simulation::queues::history::{Count, History, Outcome, Push, Time};

/// How long things go wrong, in milliseconds.
const TROUBLE: u64 = 4_000;

#[derive(Clone, Debug)]
struct World {
    dice: Dice,
    sites: &'static Sites,
    /// Which of them each process has.
    programs: Vec<usize>,
    programs_differ: bool,
    db: Database,
    processes: Vec<Cache>,
    networks: Vec<Arc<Network>>,
    primary: Arc<Primary>,
    pushes: Arc<Mutex<Vec<Push>>>,
    lost: Arc<Mutex<BTreeSet<u64>>>,
    failovers: Arc<Mutex<Vec<Time>>>,
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    Push,
    Deliver,
    Stall,
    Replicate,
    FailOver,
    Redrive,
    /// The replica cannot be reached for a while.
    Detach,
    /// Somebody wants as few partitions as his program.
    Shrink,
}

impl World {
    fn new(dice: &Dice, programs_differ: bool) -> Self {
        let sites = dice.pick(&[(3, &COUNTS), (2, &DIRECT), (2, &NARROW), (3, &ROWS)]);
        // By dice of its own, as the seeds that are kept were found without it.
        let is_copied = std::ptr::eq(sites, &raw const COUNTS) && dice.fork(5).percent(50);
        let sites = if is_copied { &COPIED } else { sites };
        let faults = Faults {
            before: dice.pick(&[(3, 0), (2, 10), (1, 40)]),
            after: dice.pick(&[(3, 0), (2, 10), (1, 40)]),
            slow: dice.pick(&[(3, 0), (1, 5), (1, 20)]),
            poison: dice.pick(&[(3, 0), (1, 5)]),
            kind: dice.fork(6).pick(&[
                (3, SinkErrorKind::Unspecified),
                (1, SinkErrorKind::Transient),
                (1, SinkErrorKind::Permanent),
            ]),
        };
        let (lost, slow) = (
            dice.pick(&[(3, 0), (3, 5), (2, 15), (1, 40)]),
            dice.pick(&[(2, 0), (2, 10), (1, 50)]),
        );
        let primary = Arc::new(Primary::default());
        let more = u64::from(programs_differ);
        let networks: Vec<_> = (0..=dice.below(3) + more)
            .map(|process| Network::new(dice.fork(10 + process), lost, slow))
            .collect();
        let cache = |network: &Arc<Network>| {
            let store = faulty_store::to_queues(Arc::clone(&primary), Arc::clone(network));
            over(store, Cache::builder())
        };
        let processes: Vec<_> = networks.iter().map(cache).collect();
        let deployed = dice.fork(7);
        let program = |_: &Cache| if programs_differ { deployed.index(4) } else { 0 };
        let programs = processes.iter().map(program).collect();
        let db = Database::new(dice.fork(3), faults);
        let (pushes, lost, failovers) = (Arc::default(), Arc::default(), Arc::default());
        Self {
            dice: dice.fork(4),
            sites,
            programs,
            programs_differ,
            db,
            processes,
            networks,
            primary,
            pushes,
            lost,
            failovers,
        }
    }

    fn is_of_rows(&self) -> bool {
        std::ptr::eq(self.sites, &raw const ROWS)
    }

    fn is_copied(&self) -> bool {
        std::ptr::eq(self.sites, &raw const COPIED)
    }

    fn queue(&self, process: usize) -> Queue<Item> {
        queue::<Item>(&self.sites[self.programs[process]])
            .key(|item, key| key.part(&item.key))
            .cache(&self.processes[process])
            .done()
    }

    fn worker(&self, process: usize) -> Worker {
        let sink = if self.is_of_rows() {
            |db: Database, batch| -> Sinking { Box::pin(db.save(batch)) }
        } else {
            |db: Database, batch| -> Sinking { Box::pin(db.count(batch)) }
        };
        worker(self.queue(process), self.db.clone(), sink)
    }

    async fn happen(self, what: Happening, id: u64) {
        let process = self.dice.index(self.processes.len());
        match what {
            Happening::Push => self.push(process, id).await,
            Happening::Deliver => self.deliver(process).await,
            Happening::Stall => {
                let span = self.dice.span(3_000);
                self.networks[process].stall(span);
            }
            Happening::Replicate => _ = self.primary.replicate(),
            Happening::FailOver => self.fail_over(),
            Happening::Detach => self.primary.detach(self.dice.span(3_000)),
            Happening::Shrink => _ = self.queue(process).shrink().await,
            Happening::Redrive => _ = self.queue(process).redrive().await,
        }
    }

    /// Delivers for a while; then ends, or is dropped.
    async fn deliver(&self, process: usize) {
        let (span, is_dropped) = (self.dice.span(TROUBLE), self.dice.percent(50));
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(self.worker(process).run(async { _ = stopped.await }));
        sleep(span).await;
        if is_dropped {
            running.abort();
        }
        _ = stop.send(());
        _ = running.await;
    }

    /// Lost is what the replica does not know of: items, that one is a dead letter, and that one
    /// was driven again. Delivered once more in its old place, such a one seems to be in the
    /// database as all before the stored position are.
    fn fail_over(&self) {
        let (was, is) = self.primary.fail_over();
        self.failovers.lock().unwrap().push(self.db.now());
        let mut lost = self.lost.lock().unwrap();
        let dead: BTreeSet<_> = is.dead().map(id).collect();
        let place = |stored: &Stored| (id(stored), stored.position);
        let places: BTreeSet<_> = is.items().map(place).collect();
        let moved = was.items().filter(|stored| !places.contains(&place(stored)));
        lost.extend(moved.chain(was.dead()).map(id).filter(|id| !dead.contains(id)));
    }

    /// Nothing goes wrong any more: everything is delivered, dead letters too. How often these were
    /// driven again.
    async fn settle(&self) -> u64 {
        for network in &self.networks {
            network.heal();
        }
        self.db.tables().faults = Faults::default();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(self.worker(0).run(async { _ = stopped.await }));
        let (queue, mut redrives) = (self.queue(0), 0);
        loop {
            sleep(Duration::from_millis(500)).await;
            if queue.length().await.unwrap() == QueueLength::default() {
                break;
            }
            redrives += u64::from(queue.redrive().await.unwrap() > 0);
        }
        stop.send(()).unwrap();
        running.await.unwrap();
        for cache in &self.processes {
            cache.shutdown().await.unwrap();
        }
        redrives
    }
}

type Sinking = std::pin::Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send>>;

fn id(stored: &Stored) -> u64 {
    let item: Item = decode(stored.payload.as_deref().unwrap(), 0).unwrap();
    item.id
}

/// Everything that may happen, at some times.
pub(super) async fn scenario(dice: Dice) -> (History, Count) {
    run(dice, false).await
}

/// The same, with programs that want the queue to have more partitions, or fewer.
pub(super) async fn scenario_of_deployments(dice: Dice) -> (History, Count) {
    run(dice, true).await
}

async fn run(dice: Dice, programs_differ: bool) -> (History, Count) {
    let world = World::new(&dice, programs_differ);
    let within = dice.pick(&[(1, 50), (2, 500), (2, TROUBLE)]);
    let failovers = dice.pick(&[(3, 0), (1, 1), (1, 3)]);
    let redrives = dice.pick(&[(3, 0), (1, 2)]);
    let happenings = [
        (Happening::Push, 20 + dice.below(40), within),
        (Happening::Deliver, 1 + dice.below(4), TROUBLE),
        (Happening::Stall, dice.below(3), TROUBLE),
        (Happening::Replicate, if failovers > 0 { 20 } else { 0 }, TROUBLE),
        (Happening::FailOver, failovers, TROUBLE),
        (Happening::Redrive, redrives, TROUBLE),
        (Happening::Shrink, if programs_differ { dice.below(6) } else { 0 }, TROUBLE),
        (Happening::Detach, if world.is_copied() { dice.below(4) } else { 0 }, TROUBLE),
    ];
    let (mut tasks, mut id) = (JoinSet::new(), 0);
    let many = dice.fork(6);
    for call in 0..if many.percent(50) { many.below(8) } else { 0 } {
        let (at, world) = (Duration::from_millis(many.below(within)), world.clone());
        tasks.spawn(async move {
            sleep(at).await;
            world.push_many(10_000 + 100 * call).await;
        });
    }
    for (what, count, within) in happenings {
        for _ in 0..count {
            id += 1;
            let (at, world) = (Duration::from_millis(dice.below(within)), world.clone());
            tasks.spawn(async move {
                sleep(at).await;
                world.happen(what, id).await;
            });
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let redrives = redrives + world.settle().await;
    let mut tables = world.db.tables();
    let history = History {
        pushes: std::mem::take(&mut world.pushes.lock().unwrap()),
        applied: std::mem::take(&mut tables.applied),
        is_of_rows: world.is_of_rows(),
        is_copied: world.is_copied(),
        has_deployments: world.programs_differ,
        failovers: std::mem::take(&mut world.failovers.lock().unwrap()),
        lost: std::mem::take(&mut world.lost.lock().unwrap()),
        suspects: std::mem::take(&mut tables.suspects),
        redrives,
    };
    let count = count(&world, &history, tables.again);
    (history, count)
}

fn count(world: &World, history: &History, again: u64) -> Count {
    let mut count = Count::default();
    let mut add = |what, more: u64| *count.0.entry(what).or_default() += more;
    add("again", again);
    add("lost", history.lost.len() as u64);
    for (what, outcome) in [
        ("acknowledged", Outcome::Acknowledged),
        ("unreplicated", Outcome::Unreplicated),
        ("refused", Outcome::Refused),
        ("in doubt", Outcome::InDoubt),
    ] {
        let pushes = history.pushes.iter().filter(|push| push.outcome == outcome);
        add(what, pushes.count() as u64);
    }
    for cache in &world.processes {
        for queue in cache.stats().queues {
            add("pushed", queue.pushed);
            add("direct", queue.direct);
            add("full", queue.full);
            add("failures", queue.failures);
            add("dead letters", queue.dead_letters);
            add("partitions lost", queue.partitions_lost);
        }
    }
    count
}
