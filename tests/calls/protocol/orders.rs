//! Two writers and a reader in every order of their steps: whatever it is, and however the writers
//! end, what stands in the cache is the last value of the database, or nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cache_fixtures::stores::on_both_stores;
use cache_runtime::{Cache, cached, invalidates, write_through};
use cache_testing::barrier::Gate;
use tokio::task::{JoinHandle, JoinSet};

use crate::protocol::fixture::{Fixture, Refused};

/// How many orders are tried at the same time, each with a row of its own.
const AT_ONCE: usize = 100;

/// A row of the database.
#[derive(Clone, Debug, Default)]
struct Row(Arc<AtomicU64>);

impl Row {
    fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn set(&self, value: u64) {
        self.0.store(value, Ordering::SeqCst);
    }
}

/// Where a body waits for its turns: before it reads or commits, and after that.
#[derive(Clone, Debug, Default)]
struct Turns {
    before: Gate,
    after: Gate,
}

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stores,
    Invalidates,
    /// After its commit.
    Fails,
    /// Without a commit.
    RollsBack,
    /// After its commit.
    IsDropped,
}

#[cached(key = "row:<id>:in-turns", ttl = 3600, skip(row, turns))]
async fn read(row: &Row, id: u64, turns: &Turns) -> u64 {
    turns.before.pass().await;
    let value = row.get();
    turns.after.pass().await;
    value
}

#[write_through(read(id) = value)]
async fn store(row: &Row, id: u64, value: u64, turns: &Turns, fate: Fate) -> Result<(), Refused> {
    write(row, value, turns, fate).await
}

#[invalidates(read(id))]
async fn invalidate(row: &Row, id: u64, value: u64, turns: &Turns) -> Result<(), Refused> {
    write(row, value, turns, Fate::Invalidates).await
}

async fn write(row: &Row, value: u64, turns: &Turns, fate: Fate) -> Result<(), Refused> {
    turns.before.pass().await;
    if fate != Fate::RollsBack {
        row.set(value);
    }
    turns.after.pass().await;
    if matches!(fate, Fate::Fails | Fate::RollsBack) { Err(Refused) } else { Ok(()) }
}

/// What an actor does: a writer begins, commits and ends; a reader looks and gets the lease, loads,
/// and fills.
#[derive(Clone, Copy, Debug)]
enum Part {
    Write(u64, Fate),
    Read,
}

/// One of those who take turns.
struct Actor {
    part: Part,
    turns: Turns,
    steps: usize,
    /// Of a reader what it read.
    call: Option<JoinHandle<Option<u64>>>,
}

impl Actor {
    fn new(part: Part) -> Self {
        Self { part, turns: Turns::default(), steps: 0, call: None }
    }

    /// Does the next of three steps; what was found without a load.
    async fn step(&mut self, cache: &Cache, row: &Row, id: u64) -> Option<u64> {
        self.steps += 1;
        if self.steps == 1 {
            let mut call = self.start(cache, row.clone(), id);
            tokio::select! {
                found = &mut call => return found.unwrap(),
                () = self.turns.before.entered(1) => self.call = Some(call),
            }
        } else if let Some(call) = self.call.take() {
            if self.steps == 2 {
                self.turns.before.open();
                self.turns.after.entered(1).await;
                self.call = Some(call);
            } else if let Part::Write(_, Fate::IsDropped) = self.part {
                call.abort();
                assert!(call.await.unwrap_err().is_cancelled());
            } else {
                self.turns.after.open();
                call.await.unwrap();
            }
        }
        None
    }

    fn start(&self, cache: &Cache, row: Row, id: u64) -> JoinHandle<Option<u64>> {
        let (part, turns) = (self.part, self.turns.clone());
        tokio::spawn(cache.scope(async move {
            let written = match part {
                Part::Read => return Some(read(&row, id, &turns).await),
                Part::Write(value, Fate::Invalidates) => invalidate(&row, id, value, &turns).await,
                Part::Write(value, fate) => store(&row, id, value, &turns, fate).await,
            };
            let fails = matches!(part, Part::Write(_, Fate::Fails | Fate::RollsBack));
            assert_eq!(written.is_err(), fails);
            None
        }))
    }
}

/// Every order of three steps of each of three actors: who is next.
fn orders() -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for _ in 0..9 {
        let further = |order: Vec<usize>| {
            let left = |actor: &usize| order.iter().filter(|other| *other == actor).count() < 3;
            let next: Vec<usize> = (0..3).filter(left).collect();
            next.into_iter().map(move |actor| [&order[..], &[actor]].concat())
        };
        orders = orders.into_iter().flat_map(further).collect();
    }
    orders
}

async fn in_order(cache: Cache, id: u64, order: Vec<usize>, second: Fate) {
    let (row, key) = (Row::default(), read_key(&id));
    let parts = [Part::Write(1, Fate::Stores), Part::Write(2, second), Part::Read];
    let mut actors = parts.map(Actor::new);
    // A reader that comes first is to load.
    if order[0] != 2 {
        cache.put(&key, &0).await.unwrap();
    }
    for step in 0..order.len() {
        let taken = format!("{:?} {second:?}", &order[..=step]);
        if let Some(found) = actors[order[step]].step(&cache, &row, id).await {
            assert_eq!(found, row.get(), "{taken}");
        }
        if let Some(stored) = cache.get(&key).await.unwrap() {
            assert_eq!(stored, row.get(), "{taken}");
        }
    }
}

async fn whatever_the_order(fixture: Fixture) {
    let orders = orders();
    assert_eq!(orders.len(), 1680, "9! / (3! 3! 3!)");
    let fates = [Fate::Stores, Fate::Invalidates, Fate::Fails, Fate::RollsBack, Fate::IsDropped];
    let runs = fates.iter().flat_map(|fate| orders.iter().map(|order| (order.clone(), *fate)));
    let mut tasks = JoinSet::new();
    for (id, (order, fate)) in (0..).zip(runs) {
        if tasks.len() == AT_ONCE {
            tasks.join_next().await.unwrap().unwrap();
        }
        tasks.spawn(in_order(fixture.cache.clone(), id, order, fate));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

on_both_stores! {
    whatever_the_order
}
