//! Write-behind beside the commands that it is made of: one stream, `XADD`, `XREADGROUP`, `XACK`,
//! `XDEL`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Queue, write_behind};
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands as _, RedisResult};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::measure::{Contender, Sample, cpu_time};
use super::scenarios::Bench;
use super::subject::User;

/// What is only pushed to, and what is worked off.
const STREAMS: [&str; 2] = ["hand:pushed", "hand:worked-off"];
const GROUP: &str = "sink";
/// Items of one batch.
const BATCH: usize = 500;
/// Items that a sink works off in one turn.
const BACKLOG: u64 = 20_000;
const CALLERS: u64 = 64;

pub(crate) const PUSH: &str = "push";
pub(crate) const WORKER: &str = "worker";

/// A sink that only counts.
#[derive(Debug, Default)]
pub(crate) struct Count {
    items: AtomicU64,
    changed: Notify,
}

impl Count {
    fn add(&self, items: usize) {
        self.items.fetch_add(items as u64, Ordering::Relaxed);
        self.changed.notify_one();
    }

    async fn reaches(&self, items: u64) {
        while self.items.load(Ordering::Relaxed) < items {
            self.changed.notified().await;
        }
    }
}

#[expect(clippy::unused_async, reason = "what costs nothing waits for nothing")]
#[write_behind(queue = "pushed", key = "<user.id>", merge = none)]
async fn never_save(users: Vec<User>) {
    drop(users);
}

#[expect(clippy::unused_async, reason = "what costs nothing waits for nothing")]
#[write_behind(queue = "worked-off", key = "<user.id>", merge = none, batch = 500)]
async fn save(count: &Arc<Count>, users: Vec<User>) {
    count.add(users.len());
}

async fn push_by_hand(mut connection: MultiplexedConnection, stream: &str, id: u64) {
    let json = serde_json::to_vec(&User::new(id)).expect("a value that encodes");
    let added: RedisResult<String> = connection.xadd(stream, "*", &[("item", json)]).await;
    added.expect("an answer to XADD");
}

async fn push(queue: &Queue<User>, id: u64) {
    queue.push(User::new(id)).await.expect("an acknowledged item");
}

async fn work_off_by_hand(mut connection: MultiplexedConnection) {
    let [_, stream] = STREAMS;
    let options = StreamReadOptions::default().group(GROUP, "one").count(BATCH);
    let mut left = BACKLOG;
    while left > 0 {
        let read = connection.xread_options(&[stream], &[">"], &options).await;
        let read: StreamReadReply = read.expect("an answer to XREADGROUP");
        for read in read.keys {
            let ids: Vec<_> = read.ids.iter().map(|entry| entry.id.as_str()).collect();
            for entry in &read.ids {
                let json: Vec<u8> = entry.get("item").expect("an item");
                serde_json::from_slice::<User>(&json).expect("a user");
            }
            left -= ids.len() as u64;
            let mut done = redis::pipe();
            done.xack(stream, GROUP, &ids).xdel(stream, &ids);
            let () = done.query_async(&mut connection).await.expect("an answer to XACK");
        }
    }
}

impl Bench {
    pub(crate) fn queues(&self) {
        self.compare(
            &format!("pushed, 300 B each, callers: {CALLERS}"),
            self.pushes_to_queue(CALLERS),
        );
        self.compare(
            &format!("worked off, 300 B each, in batches of {BATCH}"),
            self.drains_of_queue(),
        );
    }

    pub(crate) fn pushes_to_queue(&self, callers: u64) -> Vec<Contender<'_>> {
        vec![
            Contender::new("XADD by hand", move || {
                self.by_hand(callers, |connection, id| push_by_hand(connection, STREAMS[0], id))
            }),
            Contender::new(PUSH, move || {
                self.cached(callers, |id| async move { push(&never_save_queue(), id).await })
            }),
        ]
    }

    pub(crate) fn drains_of_queue(&self) -> Vec<Contender<'_>> {
        self.runtime.block_on(async {
            let mut connection = self.connection.clone();
            let created: RedisResult<()> =
                connection.xgroup_create_mkstream(STREAMS[1], GROUP, "0").await;
            created.expect("an answer to XGROUP");
        });
        vec![
            Contender::new("XREADGROUP by hand", || {
                self.runtime.block_on(async {
                    let connection = self.connection.clone();
                    fill(move |id| push_by_hand(connection.clone(), STREAMS[1], id)).await;
                    let began = (Instant::now(), cpu_time());
                    work_off_by_hand(self.connection.clone()).await;
                    worked_off(began)
                })
            }),
            Contender::new(WORKER, || {
                self.runtime.block_on(async {
                    fill(|id| async move { push(&save_queue(), id).await }).await;
                    let (count, began) = (Arc::default(), (Instant::now(), cpu_time()));
                    save_worker(&count).run(count.reaches(BACKLOG)).await;
                    worked_off(began)
                })
            }),
        ]
    }
}

async fn fill<B: Future<Output = ()> + Send + 'static>(push: impl Fn(u64) -> B) {
    let mut pushes = JoinSet::new();
    for id in 0..BACKLOG {
        pushes.spawn(push(id));
        if pushes.len() >= 256 {
            pushes.join_next().await;
        }
    }
    pushes.join_all().await;
}

/// A backlog that was worked off since then.
fn worked_off((began, cpu): (Instant, Duration)) -> Sample {
    let (elapsed, cpu) = (began.elapsed(), cpu_time().saturating_sub(cpu));
    let per_item = |span: Duration| span.as_secs_f64() * 1e6 / BACKLOG as f64;
    let latency = per_item(elapsed);
    Sample { per_second: 1e6 / latency, cpu: per_item(cpu), p50: latency, p99: latency }
}
