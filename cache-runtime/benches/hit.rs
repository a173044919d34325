//! What a hit in memory costs beside `moka`, which clones what it holds and knows neither processes
//! nor codecs, and how much of it is decoding; and what a call costs while there is no server. By
//! turns in one run.
//!
//! ```text
//! cargo bench -p cache-runtime --features full --bench hit
//! cargo bench -p cache-runtime --features full --bench hit -- instructions   # by valgrind
//! ```

#![expect(clippy::expect_used, clippy::panic, reason = "a bench ends where it cannot go on")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

#[expect(dead_code, reason = "not all is measured here")]
#[path = "comparison/subject.rs"]
mod subject;

use std::env;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cached};
use moka::future::Cache as Moka;
use tokio::runtime::{Builder, Runtime};

use self::subject::User;

/// Short ones, of which some are not interrupted on a machine that has other work too.
const ROUNDS: usize = 1_001;
const CALLS: u32 = 500;
const ENTRIES: u64 = 64;
/// Calls of which the instructions are counted.
const COUNTED: u32 = 2_000;

#[cached(key = "user:<id>", ttl = 3600)]
async fn user(id: u64) -> User {
    User::new(id)
}

#[cached(key = "postcard:<id>", ttl = 3600, codec = Postcard)]
async fn by_postcard(id: u64) -> User {
    User::new(id)
}

/// What is measured, by name.
const SUBJECTS: [&str; 7] = [
    "moka, get_with",
    "serde_json alone",
    "hit, JSON",
    "postcard alone",
    "hit, Postcard",
    "the body alone",
    "without a server",
];

struct Bench {
    runtime: Runtime,
    moka: Moka<u64, User>,
    json: Vec<u8>,
    postcard: Vec<u8>,
    /// Nobody listens there, which its breaker knows.
    unreachable: Cache,
}

fn main() {
    let bench = Bench::new();
    let arguments: Vec<_> = env::args().skip(1).filter(|it| it != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["instructions"] => count(),
        ["only", name, calls] => {
            bench.run(name, calls.parse().expect("a number"));
        }
        _ => bench.measure(),
    }
}

impl Bench {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let moka = Moka::builder().max_capacity(2 * ENTRIES);
        let bench = Self {
            runtime,
            moka: moka.time_to_live(Duration::from_secs(3600)).build(),
            json: serde_json::to_vec(&User::new(7)).expect("a value that encodes"),
            postcard: postcard::to_stdvec(&User::new(7)).expect("a value that encodes"),
            unreachable: Cache::connect("redis://127.0.0.1:1").expect("a Redis URL"),
        };
        Cache::in_memory().install();
        for name in SUBJECTS {
            bench.run(name, 4 * u32::try_from(ENTRIES).expect("a small number"));
        }
        bench
    }

    /// The lower quartile of each.
    fn measure(&self) {
        let mut rounds = SUBJECTS.map(|_| Vec::with_capacity(ROUNDS));
        for round in 0..ROUNDS {
            // None always comes after the same other one.
            for turn in 0..SUBJECTS.len() {
                let at = (round + turn) % SUBJECTS.len();
                let took = self.run(SUBJECTS[at], CALLS);
                rounds[at].push(took.as_nanos() as f64 / f64::from(CALLS));
            }
        }
        let quartile = |mut rounds: Vec<f64>| {
            rounds.sort_by(f64::total_cmp);
            rounds[ROUNDS / 4]
        };
        let took = rounds.map(quartile);
        for (name, took) in SUBJECTS.iter().zip(took) {
            println!("{name:<18} {took:>6.0} ns");
        }
        let [moka, _, json, _, postcard, body, without] = took;
        let (json, postcard) = (json / moka, postcard / moka);
        println!("a hit takes {json:.2} times as long as moka's, with Postcard {postcard:.2}");
        println!("without a server a call takes {:.0} ns more than its body", without - body);
    }

    fn run(&self, name: &str, calls: u32) -> Duration {
        let ids = (0..calls).map(|call| u64::from(call) % ENTRIES);
        self.runtime.block_on(async {
            let began = Instant::now();
            match name {
                "moka, get_with" => {
                    for id in ids {
                        black_box(self.moka.get_with(id, async move { User::new(id) }).await);
                    }
                }
                "serde_json alone" => {
                    for _ in ids {
                        black_box(serde_json::from_slice::<User>(&self.json).expect("a user"));
                    }
                }
                "hit, JSON" => {
                    for id in ids {
                        black_box(user(id).await);
                    }
                }
                "postcard alone" => {
                    for _ in ids {
                        black_box(postcard::from_bytes::<User>(&self.postcard).expect("a user"));
                    }
                }
                "hit, Postcard" => {
                    for id in ids {
                        black_box(by_postcard(id).await);
                    }
                }
                "the body alone" => {
                    for id in ids {
                        black_box(User::new(id));
                    }
                }
                "without a server" => {
                    let calls = async {
                        for id in ids {
                            black_box(user(id).await);
                        }
                    };
                    self.unreachable.scope(calls).await;
                }
                _ => panic!("no subject is called `{name}`"),
            }
            began.elapsed()
        })
    }
}

/// Instructions per call, by two runs of this program of different lengths.
fn count() {
    let instructions = |name: &str, calls: u32| {
        let program = env::current_exe().expect("the path of this program");
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
        let ended = valgrind.args(["only", name, &calls.to_string()]).output().expect("valgrind");
        let words = String::from_utf8_lossy(&ended.stderr);
        let (_, collected) = words.split_once("Collected : ").expect("what callgrind says");
        let collected = collected.split_whitespace().next().expect("a number");
        collected.parse::<u64>().expect("a number")
    };
    for name in SUBJECTS {
        let without = instructions(name, 0);
        let with = instructions(name, COUNTED);
        let each = with.saturating_sub(without) as f64 / f64::from(COUNTED);
        println!("{name:<18} {each:>6.0} instructions");
    }
}
