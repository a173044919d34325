//! The scripts on a real server and the queue in memory agree: random sequences of operations of two workers, one of which may
//! have lost the partition, with every answer compared.
//!
//! `CACHE_TEST_SEED=7` repeats the run that said so.

use std::time::Duration;

use tokio::time::Instant;

use super::log::{Line, Log};
use super::{Position, QueueSite};
use crate::cache::Cache;
use crate::simulation::dice::Dice;
use crate::store::agreement::server::Server;
use crate::store::queue::{Addition, Claim, From, Read, Stamp};

static SITE: QueueSite = QueueSite::new("agreement", "agreement").partitions(1).lease_ms(3_600_000);

const STEPS: usize = 5_000;

#[derive(Clone, Debug)]
enum Step {
    Push { number: u64, oldest: u64, us: u64, longest: Option<u64> },
    Take(usize),
    GiveBack(usize),
    Renew(usize),
    Read(usize, usize, From),
    Ack(usize, Vec<u64>),
    Bury(usize, u64),
    Redrive(usize),
    Dead,
    Lengths,
}

/// One of the two, driven by numbers: generations are each one's own.
struct Side {
    log: Log,
    line: Line,
    claims: [Claim; 2],
    generation: u64,
}

impl Side {
    async fn new(cache: Cache) -> Self {
        let log = Log { shared: cache.queue(&SITE), cache };
        let line = log.line(0, soon()).await.unwrap();
        let claim = |name: &str| Claim {
            token: name.to_owned(),
            worker: name.to_owned(),
            lease: SITE.options.lease,
        };
        Self { log, line, claims: ["a", "b"].map(claim), generation: 0 }
    }

    fn at(&self, number: u64) -> Position {
        Position { generation: self.generation, number }
    }

    async fn execute(&mut self, step: &Step) -> String {
        let by = soon();
        match step {
            Step::Push { number, oldest, us, longest } => {
                let lot = self.log.shared.lot(0).unwrap();
                let addition = Addition {
                    producer: &lot.producer_key,
                    number: *number,
                    oldest: *oldest,
                    longest: *longest,
                    stamp: Stamp { us: *us, node: 7 },
                    key: "key",
                    payload: &number.to_be_bytes(),
                };
                format!("{:?}", self.log.push(0, &lot.lane, addition, by).await.unwrap())
            }
            Step::Take(who) => {
                format!("{:?}", self.log.take(0, &self.claims[*who], by).await.unwrap())
            }
            Step::GiveBack(who) => {
                self.log.give_back(0, &self.claims[*who], by).await.unwrap();
                String::new()
            }
            Step::Renew(who) => {
                format!("{:?}", self.line.renew(&self.claims[*who], by).await.unwrap())
            }
            Step::Read(who, count, from) => {
                let from = match from {
                    From::Pending(position) => From::Pending(self.at(position.number)),
                    From::New => From::New,
                };
                match self.line.read(&self.claims[*who], *count, from, by).await.unwrap() {
                    Read::Lost => "lost".to_owned(),
                    Read::Items(items, last) => {
                        self.generation = last.generation;
                        let items = items.into_iter().map(|item| {
                            (item.position.number, item.stamp.us, item.key, item.payload)
                        });
                        format!("{:?} {}", items.collect::<Vec<_>>(), last.number)
                    }
                }
            }
            Step::Ack(who, numbers) => {
                let done: Vec<_> = numbers.iter().map(|number| self.at(*number)).collect();
                format!("{:?}", self.line.ack(&self.claims[*who], &done, by).await.unwrap())
            }
            Step::Bury(who, number) => {
                let (claim, at) = (self.claims[*who].clone(), self.at(*number));
                format!("{:?}", self.line.bury(&claim, at, "no", 3, by).await.unwrap())
            }
            Step::Redrive(limit) => {
                format!("{:?}", self.log.redrive(0, *limit, by).await.unwrap())
            }
            Step::Dead => {
                let dead = self.log.dead(0, 100, by).await.unwrap().into_iter().map(|dead| {
                    (dead.stored.position.number, dead.stored.stamp, dead.error, dead.attempts)
                });
                format!("{:?}", dead.collect::<Vec<_>>())
            }
            Step::Lengths => {
                let lengths = self.log.lengths(0, by).await.unwrap();
                format!("{} {} {}", lengths.waiting, lengths.pending, lengths.dead)
            }
        }
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// How often something was pushed, and the last position that came of it.
#[derive(Debug, Default)]
struct Course {
    pushes: u64,
    last: u64,
}

impl Course {
    fn follow(&mut self, step: &Step, answer: &str) {
        self.last += match step {
            Step::Push { .. } => u64::from(answer.starts_with("New")),
            Step::Redrive(_) => answer.parse().unwrap(),
            _ => 0,
        };
    }
}

/// Something that may be done next.
fn step(dice: &Dice, course: &mut Course) -> Step {
    let (who, last) = (dice.index(2), course.last);
    let somewhere = || last.saturating_sub(10) + dice.below(12).min(last);
    match dice.below(100) {
        0..35 => {
            course.pushes += 1;
            let (number, longest) = (course.pushes, dice.percent(30).then_some(5));
            Step::Push { number, oldest: number, us: 1000 + dice.below(5000), longest }
        }
        35..42 => Step::Take(who),
        42..46 => Step::GiveBack(who),
        46..50 => Step::Renew(who),
        50..62 => Step::Read(who, 1 + dice.index(5), From::New),
        62..70 => {
            let number = if dice.percent(50) { 0 } else { somewhere() };
            let from = From::Pending(Position { generation: 0, number });
            Step::Read(who, 1 + dice.index(5), from)
        }
        70..82 => {
            let first = somewhere().max(1);
            Step::Ack(who, (first..=first + dice.below(4)).collect())
        }
        82..86 => Step::Bury(who, somewhere().max(1)),
        86..90 => Step::Redrive(dice.index(3) + 1),
        90..94 => Step::Dead,
        _ => Step::Lengths,
    }
}

#[tokio::test]
async fn the_queue_in_memory_has_the_rules_of_the_one_in_redis() {
    let seed = match std::env::var("CACHE_TEST_SEED") {
        Ok(seed) => seed.parse().expect("CACHE_TEST_SEED is a number"),
        Err(_) => crate::token::random_u64(),
    };
    let (server, _connection) = Server::start();
    let mut redis = Side::new(Cache::connect(&server.url()).unwrap()).await;
    let mut memory = Side::new(Cache::in_memory()).await;
    let (dice, mut course) = (Dice::new(seed), Course::default());
    let mut history = Vec::new();
    for number in 0..STEPS {
        let step = step(&dice, &mut course);
        let (theirs, ours) = (redis.execute(&step).await, memory.execute(&step).await);
        course.follow(&step, &theirs);
        history.push(format!("{step:?} -> {theirs}"));
        let recent = history.len().saturating_sub(12);
        assert_eq!(theirs, ours, "seed {seed}, step {number}: {:#?}", &history[recent..]);
    }
    let count = |what: &str, not: &str| {
        let did = history.iter().filter(|step| step.starts_with(what) && !step.ends_with(not));
        did.count()
    };
    assert!(count("Read(", "lost") > STEPS / 100, "seed {seed}: hardly anything was read");
    assert!(count("Redrive(", "-> 0") > 5, "seed {seed}: hardly anything was dead");
}

#[tokio::test]
async fn a_push_is_stored_once_and_not_after_it_was_given_up() {
    let (server, _connection) = Server::start();
    let mut side = Side::new(Cache::connect(&server.url()).unwrap()).await;
    let mut push = async |number, oldest| {
        side.execute(&Step::Push { number, oldest, us: 1, longest: None }).await
    };
    assert_eq!(push(1, 1).await, "New(1)");
    assert_eq!(push(1, 1).await, "Known");
    // Two are under way, and overtake one another.
    assert_eq!(push(3, 2).await, "New(2)");
    assert_eq!(push(2, 2).await, "New(3)");
    assert_eq!(push(3, 2).await, "Known");
    assert_eq!(push(2, 2).await, "Known");
    // 4 was given up when 5 was pushed.
    assert_eq!(push(5, 5).await, "New(4)");
    assert_eq!(push(4, 4).await, "Late");
    assert_eq!(push(3, 2).await, "Late", "nor is what was answered stored again");
    assert_eq!(push(5, 5).await, "Known");
    assert_eq!(side.execute(&Step::Lengths).await, "4 0 0");
}
