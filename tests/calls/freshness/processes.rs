//! One refresh in several real processes.

use std::time::Duration;

use cache_fixtures::{AGES, patient};
use cache_runtime::{Cache, cached};
use cache_testing::barrier::eventually;
use cache_testing::children::{self, Child, Children, Parent, this_test};
use cache_testing::redis::{Client, RedisServer};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::freshness::fixture::{Down, OLD, ttl};

const PROCESSES: usize = 4;
const CALLERS: usize = 100;

/// Counts its runs in Redis, takes its value from there, and can be held and fail there.
#[derive(Clone, Debug)]
struct Origin(Client);

impl Origin {
    /// A load: what the value was at its beginning.
    async fn load(&self) -> Result<u64, Down> {
        let Self(client) = self;
        let value = client.get("value").await;
        client.run::<()>(&["INCR", "runs"]).await;
        // So that it has a cost.
        tokio::time::sleep(Duration::from_millis(2)).await;
        eventually!(client.get("held").await.is_none());
        let value = value.and_then(|value| String::from_utf8(value).ok());
        value.and_then(|value| value.parse().ok()).ok_or(Down)
    }
}

#[cached(
    key = "stale",
    ttl = |value| ttl(*value),
    stale_while_revalidate = "1h",
    skip(origin)
)]
async fn stale(origin: &Origin) -> Result<u64, Down> {
    origin.load().await
}

/// Every hit draws the lot.
#[cached(key = "early", ttl = "1h", early = 1_000_000_000_000.0, skip(origin))]
async fn early(origin: &Origin) -> Result<u64, Down> {
    origin.load().await
}

/// How a child is to connect.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Setup {
    url: String,
    lease: Duration,
}

/// What a child is told, and answers with [`Told`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Order {
    /// So many call at the same time, and it tells what they got.
    Stale(usize),
    Early(usize),
    /// It shuts down, and tells what happened.
    End,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    values: Vec<u64>,
    started: u64,
    replaced: u64,
    failed: u64,
    served_stale: u64,
}

/// A child: it connects, says "ready", and does what it is told.
async fn obey(mut parent: Parent) {
    let Setup { url, lease } = parent.setup();
    let cache = patient().lease(lease).connect(&url).unwrap();
    let origin = Origin(Client::connect(&url).await);
    parent.say("ready");
    loop {
        let callers = match parent.hear().await {
            Order::Stale(callers) => {
                start(&cache, &origin, callers, |origin| async move { stale(&origin).await })
            }
            Order::Early(callers) => {
                start(&cache, &origin, callers, |origin| async move { early(&origin).await })
            }
            Order::End => break,
        };
        let values = callers.join_all().await;
        parent.say(&Told { values, ..Told::default() });
    }
    cache.shutdown().await.unwrap();
    let mut told = Told::default();
    for stats in cache.stats().functions {
        told.started += stats.refreshes_started;
        told.replaced += stats.refreshes_ok;
        told.failed += stats.refreshes_failed;
        told.served_stale += stats.outcomes.stale;
    }
    parent.say(&told);
}

/// Callers of a function, who are counted in Redis when they have their answer.
fn start<F>(cache: &Cache, origin: &Origin, callers: usize, call: fn(Origin) -> F) -> JoinSet<u64>
where
    F: Future<Output = Result<u64, Down>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (Origin(client), call) = (origin.clone(), call(origin.clone()));
        tasks.spawn(cache.scope(async move {
            let value = call.await.unwrap();
            client.run::<()>(&["INCR", "answered"]).await;
            value
        }));
    }
    tasks
}

/// Processes that are ready, their server, and a cache that only looks.
struct Fixture {
    children: Children,
    client: Client,
    cache: Cache,
    _server: RedisServer,
}

impl Fixture {
    async fn start(test: &str, lease: Duration) -> Self {
        let server = RedisServer::start().await;
        let client = server.client().await;
        client.set("value", OLD.to_string()).await;
        let setup = Setup { url: server.url(), lease };
        let mut children = Children::spawn(test, PROCESSES, &setup);
        children.expect_from_all("ready").await;
        let cache = patient().connect(&server.url()).unwrap();
        Self { children, client, cache, _server: server }
    }

    /// The same with a value that is stale, and another one, if any, at an origin that is held.
    async fn with_stale_value(test: &str, lease: Duration, new: Option<u64>) -> Self {
        let mut fixture = Self::start(test, lease).await;
        assert_eq!(fixture.first(Order::Stale(1)).await, [OLD]);
        eventually!(fixture.cache.get(&stale_key()).await.unwrap().is_none());
        fixture.origin_has(new).await;
        fixture.client.set("held", "").await;
        fixture
    }

    async fn origin_has(&self, new: Option<u64>) {
        let value = new.map_or_else(|| "none".to_owned(), |new| new.to_string());
        self.client.set("value", value).await;
    }

    /// How often the origin was asked, by all processes.
    async fn runs(&self) -> u64 {
        self.client.run(&["GET", "runs"]).await
    }

    /// Lets loads run, also those that are held.
    async fn let_run(&self) {
        assert!(self.client.del("held").await);
    }

    /// What the callers of the first process get.
    async fn first(&mut self, order: Order) -> Vec<u64> {
        let first: &mut Child = &mut self.children.0[0];
        first.say(&order).await;
        first.hear::<Told>().await.values
    }

    /// What the callers of all processes get.
    async fn all(&mut self, order: Order) -> Vec<u64> {
        self.children.say_to_all(&order).await;
        self.hear_values().await
    }

    async fn hear_values(&mut self) -> Vec<u64> {
        let told: Vec<Told> = self.children.hear_from_all().await;
        told.into_iter().flat_map(|told| told.values).collect()
    }

    /// What happened in all processes together.
    async fn end(mut self) -> Told {
        self.children.say_to_all(&Order::End).await;
        let told: Vec<Told> = self.children.hear_from_all().await;
        self.children.finish().await;
        told.into_iter().fold(Told::default(), |sum, told| Told {
            values: Vec::new(),
            started: sum.started + told.started,
            replaced: sum.replaced + told.replaced,
            failed: sum.failed + told.failed,
            served_stale: sum.served_stale + told.served_stale,
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_refreshes_and_nobody_waits() {
    if let Some(parent) = children::parent() {
        return obey(parent).await;
    }
    let mut fixture = Fixture::with_stale_value(&this_test!(), AGES, Some(1)).await;
    let served = [OLD; PROCESSES * CALLERS];
    assert_eq!(fixture.all(Order::Stale(CALLERS)).await, served, "nobody waits for what is held");
    eventually!(fixture.runs().await == 2);
    assert_eq!(fixture.all(Order::Stale(CALLERS)).await, served);
    assert_eq!(fixture.runs().await, 2);
    fixture.let_run().await;
    eventually!(fixture.cache.get(&stale_key()).await.unwrap() == Some(1));
    assert_eq!(fixture.all(Order::Stale(CALLERS)).await, [1; PROCESSES * CALLERS]);
    assert_eq!(fixture.runs().await, 2, "the first load and one refresh");

    let told = fixture.end().await;
    assert_eq!((told.started, told.replaced, told.failed), (1, 1, 0));
    assert_eq!(told.served_stale, 2 * (PROCESSES * CALLERS) as u64);
}

/// A process that is killed while it refreshes is replaced when its lease has run out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_refresh_is_taken_over() {
    const LEASE: Duration = Duration::from_millis(500);
    if let Some(parent) = children::parent() {
        return obey(parent).await;
    }
    let mut fixture = Fixture::with_stale_value(&this_test!(), LEASE, Some(1)).await;
    assert_eq!(fixture.first(Order::Stale(CALLERS)).await, [OLD; CALLERS]);
    eventually!(fixture.runs().await == 2);
    let mut first = fixture.children.0.remove(0);
    first.kill().await;
    // That is all that keeps the others from it.
    let left = fixture.client.pttl("stale!r").await;
    assert!(left.is_none_or(|left| left <= LEASE), "{left:?}");
    eventually!({
        let values = fixture.all(Order::Stale(CALLERS)).await;
        assert_eq!(values, [OLD; (PROCESSES - 1) * CALLERS]);
        fixture.runs().await > 2
    });
    fixture.let_run().await;
    eventually!(fixture.cache.get(&stale_key()).await.unwrap() == Some(1));
    assert_eq!(fixture.all(Order::Stale(1)).await, [1; PROCESSES - 1]);
    assert_eq!(fixture.end().await.replaced, 1);
}

/// After a failure no process tries again, until the entry has rested.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_processes_leave_a_failing_origin_alone() {
    if let Some(parent) = children::parent() {
        return obey(parent).await;
    }
    let mut fixture = Fixture::with_stale_value(&this_test!(), AGES, None).await;
    fixture.let_run().await;
    let client = fixture.client.clone();
    let rests = async || {
        if client.get("stale!r").await.is_none_or(|record| record[3] != b'T') {
            return false;
        }
        let left = client.pttl("stale!r").await;
        assert!(left.is_none_or(|left| left <= Duration::from_secs(1)), "{left:?}");
        // For as long as it takes, unless it is over. The other processes know of it only from
        // there.
        client.run::<bool>(&["PEXPIRE", "stale!r", "3600000"]).await
    };
    eventually!({
        assert_eq!(fixture.first(Order::Stale(1)).await, [OLD]);
        rests().await
    });
    let runs = fixture.runs().await;
    for _ in 0..3 {
        assert_eq!(fixture.all(Order::Stale(CALLERS)).await, [OLD; PROCESSES * CALLERS]);
    }
    assert_eq!(fixture.runs().await, runs);
    fixture.origin_has(Some(1)).await;
    assert!(client.del("stale!r").await);
    eventually!(fixture.all(Order::Stale(1)).await == [1; PROCESSES]);
    assert_eq!(fixture.runs().await, runs + 1);
    let told = fixture.end().await;
    assert_eq!((told.replaced, told.started), (1, told.failed + 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_refreshes_early_and_the_others_keep_hitting() {
    if let Some(parent) = children::parent() {
        return obey(parent).await;
    }
    let mut fixture = Fixture::start(&this_test!(), AGES).await;
    assert_eq!(fixture.first(Order::Early(1)).await, [OLD]);
    fixture.origin_has(Some(1)).await;
    fixture.client.set("held", "").await;
    fixture.children.say_to_all(&Order::Early(CALLERS)).await;
    // All but the one who drew it, while its load is held.
    let answered = async || fixture.client.run::<usize>(&["GET", "answered"]).await;
    eventually!(answered().await == 1 + (PROCESSES * CALLERS - 1));
    eventually!(fixture.runs().await == 2);
    fixture.let_run().await;
    let mut values = fixture.hear_values().await;
    values.sort_unstable();
    assert_eq!(values.pop(), Some(1), "what it has loaded");
    assert_eq!(values, [OLD; PROCESSES * CALLERS - 1]);
    assert_eq!(fixture.cache.get(&early_key()).await.unwrap(), Some(1));
    assert_eq!(fixture.runs().await, 2);
    let told = fixture.end().await;
    assert_eq!((told.started, told.replaced, told.served_stale), (1, 1, 0));
}
