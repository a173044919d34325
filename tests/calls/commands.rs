//! What goes over the wire, as the server counts it.
//!
//! The server counts the commands inside a script too, so a script appears as `EVALSHA` with what
//! it did.

use std::collections::BTreeMap;
use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::{Cache, CallExt as _, Key, cached, invalidates, tag, write_through};
use cache_testing::barrier::{Gate, eventually};
use cache_testing::redis::{Program, RedisServer};

#[cached(key = "square:<n>", ttl = 3600)]
async fn square(n: u64) -> u64 {
    n * n
}

#[cached(key = "square:<n>", ttl = 3600, lock, skip(gate))]
async fn locked_square(gate: &Gate, n: u64) -> u64 {
    gate.pass().await;
    n * n
}

#[cached(key = "failing:<n>", ttl = 3600, lock)]
async fn failing(n: u64) -> Result<u64, String> {
    Err(n.to_string())
}

#[cached(key = "nothing:<n>", ttl = 3600)]
async fn nothing(n: u64) -> Option<u64> {
    n.checked_mul(u64::MAX)
}

#[cached(key = "rare:<n>", ttl = 3600)]
async fn rare(n: u64) -> u64 {
    n
}

#[cached(key = "odd:<n>", ttl = 3600, when = n % 2 == 1)]
async fn odd(n: u64) -> u64 {
    n
}

#[cached(key = "tagged:<n>", ttl = 3600, tags = ["parity:<odd>", "tagged"], skip(odd))]
async fn tagged(odd: bool, n: u64) -> u64 {
    n + u64::from(odd)
}

#[invalidates(tag = "tagged")]
async fn write_tag() {}

#[invalidates(square(n))]
async fn write(n: u64) -> u64 {
    n
}

#[invalidates(square(n), square(n + 1), square(n + 2))]
async fn write_three(n: u64) -> u64 {
    n
}

#[write_through(square(n))]
async fn store(n: u64) -> u64 {
    n * n
}

#[write_through(square(n), square(n + 1) = result + 1, square(n + 2) = *result)]
async fn store_three(n: u64) -> u64 {
    n * n
}

#[invalidates(square(n), fence = "off")]
async fn write_unfenced(n: u64) -> u64 {
    n
}

#[invalidates(square(n), hold_off = "1h")]
async fn write_and_hold_off(n: u64) -> u64 {
    n
}

#[invalidates(square(result))]
async fn write_by_result(n: u64) -> u64 {
    n
}

#[invalidates(pattern = "square:*", fence = "off")]
async fn write_all() {}

/// A server that counts, and a cache that is connected and whose scripts are loaded.
#[derive(Debug)]
struct Counted {
    server: RedisServer,
    cache: Cache,
}

impl Counted {
    async fn start() -> Self {
        let server = RedisServer::start().await;
        // A call that runs out of its budget sends less and a probe after it, and one that lasts
        // renews its lease.
        let cache = patient().connect(&server.url()).unwrap();
        let warm_up = async {
            square(0).await;
            square(0).refresh().await;
            _ = failing(0).await;
            write(0).await;
            write_unfenced(0).await;
            write_by_result(0).await;
            tagged(false, 0).await;
            tagged(false, 1).await;
        };
        cache.scope(warm_up).await;
        cache.put(&square_key(&0), &0).await.unwrap();
        cache.invalidate(&square_key(&0)).await.unwrap();
        cache.invalidate_matching("*tag*").await.unwrap();
        let client = server.client().await;
        // What a failed load held is released behind its back.
        eventually!(client.keys().await.is_empty());
        Self { server, cache }
    }

    /// The commands of `work`, with the number of each.
    async fn of<F: Future>(&self, work: F) -> BTreeMap<String, u64> {
        self.server.reset_commandstats().await;
        self.cache.scope(work).await;
        self.sent().await
    }

    /// Waits until these, and no others, were sent since `of` began.
    async fn becomes(&self, expected: &BTreeMap<String, u64>) {
        eventually!(self.sent().await == *expected);
    }

    /// All commands but the `PING` that every connection sends from time to time.
    async fn sent(&self) -> BTreeMap<String, u64> {
        let mut sent = self.server.commandstats().await;
        sent.remove("ping");
        sent
    }
}

fn commands(commands: &[(&str, u64)]) -> BTreeMap<String, u64> {
    commands.iter().map(|(name, calls)| ((*name).to_owned(), *calls)).collect()
}

/// What is sent with so many leases.
fn with_leases(leases: u64, expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    Program::get().with_leases(leases, commands(expected))
}

fn miss() -> BTreeMap<String, u64> {
    with_leases(1, &MISS)
}

const MISS: [(&str, u64); 5] =
    [("evalsha", 1), ("get", 1), ("getrange", 1), ("set", 2), ("time", 1)];

/// While nothing is found the lease is asked for at once, and a value comes with its refusal.
#[tokio::test]
async fn a_function_that_finds_nothing_saves_the_get() {
    let counted = Counted::start().await;
    let misses = async {
        for n in 0..100 {
            rare(n).await;
        }
    };
    let sent = [("evalsha", 100), ("get", 64), ("getrange", 100), ("set", 200), ("time", 100)];
    assert_eq!(counted.of(misses).await, with_leases(100, &sent));
    let hits = async {
        for _ in 0..3 {
            assert_eq!(rare(7).await, 7);
        }
    };
    let by_script = !Program::get().is_redis_from(7, 0);
    let lease = if by_script {
        commands(&[("evalsha", 1), ("get", 3)])
    } else {
        commands(&[("get", 2), ("set", 1)])
    };
    assert_eq!(counted.of(hits).await, lease);
    let stats = counted.cache.stats();
    let rare = stats.function("rare").unwrap();
    assert_eq!((rare.misses(), rare.hits(), rare.loads_ok), (100, 3, 100));
}

/// However many entries are read and stored by hand, each step is one round trip for all of them.
#[tokio::test]
async fn many_entries_by_hand_go_together() {
    let counted = Counted::start().await;
    let keys: Vec<_> = (0..100).map(|n| square_key(&n)).collect();
    let values: Vec<u64> = (0..100).map(|n| n * n).collect();
    let store = async {
        counted.cache.put_many(keys.iter().zip(&values)).await.unwrap();
    };
    let stored = counted.of(store).await;
    // Two scripts for each, the fence and its end; what matters is that they are sent at once.
    assert_eq!(stored["evalsha"], 200, "{stored:?}");
    let read = async {
        let read = counted.cache.get_many(&keys).await.unwrap();
        assert_eq!(read, values.iter().copied().map(Some).collect::<Vec<_>>());
    };
    assert_eq!(counted.of(read).await, commands(&[("mget", 1)]));
}

#[tokio::test]
async fn a_hit_is_one_get() {
    let counted = Counted::start().await;
    counted.cache.scope(square(3)).await;
    let hits = async {
        for _ in 0..100 {
            assert_eq!(square(3).await, 9);
        }
    };
    assert_eq!(counted.of(hits).await, commands(&[("get", 100)]));
    let by_hand = async {
        assert_eq!(counted.cache.get(&square_key(&3)).await.unwrap(), Some(9));
    };
    assert_eq!(counted.of(by_hand).await, commands(&[("get", 1)]));
}

#[tokio::test]
async fn concurrent_hits_are_one_get_each() {
    let counted = Counted::start().await;
    counted.cache.scope(square(3)).await;
    let hits = async {
        let calls = (0..100).map(|_| tokio::spawn(counted.cache.scope(square(3))));
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), 9);
        }
    };
    assert_eq!(counted.of(hits).await, commands(&[("get", 100)]));
}

/// The stamps come in the same command.
#[tokio::test]
async fn a_hit_of_an_entry_with_tags_is_one_mget() {
    let counted = Counted::start().await;
    counted.cache.scope(tagged(true, 3)).await;
    let hits = async {
        for _ in 0..100 {
            assert_eq!(tagged(true, 3).await, 4);
        }
        assert_eq!(counted.cache.get(&tagged_key(&true, &3)).await.unwrap(), Some(4));
    };
    assert_eq!(counted.of(hits).await, commands(&[("mget", 101)]));
}

/// As well if its value tells them. A process that does not know them yet looks twice, once.
#[tokio::test]
async fn a_hit_of_an_entry_whose_value_tells_tags_is_one_mget() {
    #[cached(key = "told:<n>", ttl = 3600, tags = |n: &u64| [tag!("told:<n>"), tag!("all")])]
    async fn told(n: u64) -> u64 {
        n
    }
    let counted = Counted::start().await;
    counted.cache.scope(told(3)).await;
    let hits = async {
        for _ in 0..100 {
            assert_eq!(told(3).await, 3);
        }
        assert_eq!(counted.cache.get(&told_key(&3)).await.unwrap(), Some(3));
    };
    assert_eq!(counted.of(hits).await, commands(&[("mget", 101)]));
    let other = patient().connect(&counted.server.url()).unwrap();
    other.scope(square(1)).await;
    let looks = async || counted.of(async { assert_eq!(other.scope(told(3)).await, 3) }).await;
    assert_eq!(looks().await, commands(&[("mget", 2)]));
    assert_eq!(looks().await, commands(&[("mget", 1)]));
}

/// A script more for each tag, in the round trip of the lease: it looks for the stamp, and makes it
/// if there is none.
#[tokio::test]
async fn a_miss_of_an_entry_with_tags_is_a_script_more_for_each() {
    let counted = Counted::start().await;
    let first = [("evalsha", 3), ("get", 2), ("getrange", 1), ("mget", 1), ("set", 4), ("time", 3)];
    assert_eq!(counted.of(tagged(true, 3)).await, with_leases(1, &first));
    let others = [
        ("evalsha", 3),
        ("get", 2),
        ("getrange", 1),
        ("mget", 1),
        ("pttl", 2),
        ("set", 2),
        ("time", 1),
    ];
    assert_eq!(counted.of(tagged(true, 5)).await, with_leases(1, &others));
}

/// However many entries have it, and before it the epoch, for loads whose values tell tags.
#[tokio::test]
async fn a_tag_is_invalidated_as_one_key_after_the_epoch() {
    let counted = Counted::start().await;
    let fill = async {
        for n in 0..100 {
            tagged(false, n).await;
        }
    };
    counted.cache.scope(fill).await;
    let by_hand = async { counted.cache.invalidate_tag("tagged").await.unwrap() };
    let invalidation = commands(&[("evalsha", 2), ("get", 2), ("unlink", 2)]);
    assert_eq!(counted.of(by_hand).await, invalidation);
    let fenced = [("evalsha", 4), ("get", 4), ("set", 2), ("time", 4), ("unlink", 2)];
    assert_eq!(counted.of(write_tag()).await, commands(&fenced));
    assert_eq!(counted.cache.get(&tagged_key(&false, &99)).await.unwrap(), None);
}

/// `GET`, the lease by `SET NX GET`, and the fill: a script that looks at the lease, asks for the
/// time and sets.
#[tokio::test]
async fn a_miss_is_get_acquire_fill() {
    let counted = Counted::start().await;
    assert_eq!(counted.of(square(3)).await, miss());
    let gate = Gate::new();
    gate.open();
    assert_eq!(counted.of(locked_square(&gate, 4)).await, miss());
}

#[tokio::test]
async fn a_failed_load_releases_its_lease() {
    let counted = Counted::start().await;
    counted.of(failing(3)).await;
    counted
        .becomes(&with_leases(
            1,
            &[("evalsha", 1), ("get", 1), ("getrange", 1), ("set", 1), ("unlink", 1)],
        ))
        .await;
}

/// Nor does a value that is not to be stored leave anything.
#[tokio::test]
async fn none_releases_its_lease() {
    let counted = Counted::start().await;
    assert_eq!(nothing(0).await, Some(0));
    counted.of(nothing(2)).await;
    counted
        .becomes(&with_leases(
            1,
            &[("evalsha", 1), ("get", 1), ("getrange", 1), ("set", 1), ("unlink", 1)],
        ))
        .await;
}

#[tokio::test]
async fn a_refresh_is_get_and_replace() {
    let counted = Counted::start().await;
    counted.cache.scope(square(3)).await;
    let refresh = commands(&[("evalsha", 1), ("get", 1), ("getrange", 1), ("set", 1), ("time", 1)]);
    assert_eq!(counted.of(square(3).refresh()).await, refresh);
}

#[tokio::test]
async fn calls_past_the_cache_send_nothing() {
    let counted = Counted::start().await;
    assert_eq!(counted.of(square(3).bypass()).await, commands(&[]));
    assert_eq!(counted.of(odd(2)).await, commands(&[]));
    assert_eq!(counted.of(odd(3)).await, miss());
}

/// Two scripts: the fence goes up, and comes down with the value.
#[tokio::test]
async fn a_write_is_begin_and_end() {
    let counted = Counted::start().await;
    let of = |targets| {
        commands(&[
            ("evalsha", 2 * targets),
            ("get", 2 * targets),
            ("set", targets),
            ("time", 2 * targets),
            ("unlink", targets),
        ])
    };
    counted.cache.scope(square(3)).await;
    assert_eq!(counted.of(write(3)).await, of(1));
    assert_eq!(counted.of(write(3)).await, of(1), "whether there is a value or not");
    assert_eq!(counted.of(write_three(3)).await, of(3));
}

/// The end brings the value along, and the next read is a hit.
#[tokio::test]
async fn a_write_that_stores_is_begin_and_end_too() {
    let counted = Counted::start().await;
    let of = |entries: u64| {
        commands(&[
            ("evalsha", 2 * entries),
            ("get", 2 * entries),
            ("set", 2 * entries),
            ("time", 2 * entries),
        ])
    };
    assert_eq!(counted.of(store(3)).await, of(1));
    assert_eq!(counted.of(store_three(3)).await, of(3));
    counted.cache.scope(square(3)).await;
    let hits = async {
        assert_eq!((square(3).await, square(4).await, square(5).await), (9, 10, 9));
    };
    assert_eq!(counted.of(hits).await, commands(&[("get", 3)]));
}

#[tokio::test]
async fn a_write_without_a_fence_is_one_script() {
    let counted = Counted::start().await;
    counted.cache.scope(square(3)).await;
    let invalidation = commands(&[("evalsha", 1), ("get", 1), ("unlink", 1)]);
    assert_eq!(counted.of(write_unfenced(3)).await, invalidation);
    counted.cache.scope(square(3)).await;
    // The key is known when the write is over.
    assert_eq!(counted.of(write_by_result(3)).await, invalidation);
    counted.cache.scope(square(3)).await;
    let by_hand = async { counted.cache.invalidate(&square_key(&3)).await.unwrap() };
    assert_eq!(counted.of(by_hand).await, invalidation);
}

#[tokio::test]
async fn many_keys_are_invalidated_in_one_round_trip_each() {
    let counted = Counted::start().await;
    let keys: Vec<Key<u64>> = (0..100).map(|n| square_key(&n)).collect();
    let invalidation = async { counted.cache.invalidate(&keys).await.unwrap() };
    let expected = commands(&[("evalsha", 100), ("get", 100), ("unlink", 100)]);
    assert_eq!(counted.of(invalidation).await, expected);
}

/// A hold-off leaves a tombstone: a `SET` in place of the `UNLINK`.
#[tokio::test]
async fn a_hold_off_is_one_set_more() {
    let counted = Counted::start().await;
    let expected = commands(&[("evalsha", 2), ("get", 2), ("set", 2), ("time", 2)]);
    assert_eq!(counted.of(write_and_hold_off(3)).await, expected);
}

/// What is put goes through a fence of its own, so that it never overtakes a writer.
#[tokio::test]
async fn a_put_is_begin_and_end() {
    let counted = Counted::start().await;
    let put = async { counted.cache.put(&square_key(&3), &9).await.unwrap() };
    let expected = commands(&[("evalsha", 2), ("get", 2), ("set", 2), ("time", 2)]);
    assert_eq!(counted.of(put).await, expected);
}

/// `KEYS` would hold up the whole server.
#[tokio::test]
async fn a_pattern_is_scanned_and_unlinked() {
    let counted = Counted::start().await;
    let others = async {
        for n in [3, 30, 31] {
            square(n).await;
        }
        odd(3).await;
    };
    counted.cache.scope(others).await;
    let scan = commands(&[("evalsha", 3), ("get", 3), ("scan", 1), ("unlink", 3)]);
    assert_eq!(counted.of(write_all()).await, scan);
    assert_eq!(counted.server.client().await.keys().await, ["odd:3"]);
    counted.cache.scope(square(4)).await;
    let by_hand = async {
        assert_eq!(counted.cache.invalidate_matching("square:*").await.unwrap(), 1);
    };
    let scan = commands(&[("evalsha", 1), ("get", 1), ("scan", 1), ("unlink", 1)]);
    assert_eq!(counted.of(by_hand).await, scan);
}

/// More keys than one step of a scan looks at.
#[tokio::test]
async fn a_long_scan_goes_in_steps() {
    let counted = Counted::start().await;
    let client = counted.server.client().await;
    let fill = "for n = 1, 2000 do redis.call('SET', 'other:' .. n, '') end";
    client.run::<()>(&["EVAL", fill, "0"]).await;
    counted.cache.scope(square(3)).await;
    let sent = counted.of(write_all()).await;
    assert!((2..100).contains(&sent["scan"]), "{sent:?}");
    assert_eq!(sent.get("keys"), None);
    assert_eq!(sent["unlink"], 1, "and nothing else is touched");
}

/// Callers that find a load under way wait without a command.
#[tokio::test]
async fn a_coalesced_caller_sends_nothing() {
    let counted = Counted::start().await;
    let gate = Gate::new();
    let start = |count| {
        (0..count)
            .map(|_| {
                let gate = gate.clone();
                tokio::spawn(counted.cache.scope(async move { locked_square(&gate, 3).await }))
            })
            .collect::<Vec<_>>()
    };
    let mut calls = start(1);
    gate.entered(1).await;
    let stampede = async {
        calls.extend(start(1_000));
        // On one thread: they all run until they wait.
        tokio::task::yield_now().await;
    };
    assert_eq!(counted.of(stampede).await, commands(&[]));
    counted.server.reset_commandstats().await;
    gate.open();
    for call in calls {
        assert_eq!(call.await.unwrap(), 9);
    }
    let fill = commands(&[("evalsha", 1), ("getrange", 1), ("set", 1), ("time", 1)]);
    assert_eq!(counted.sent().await, fill);
}

/// Callers that all come before anybody knows of the miss look for themselves, and no more than
/// that.
#[tokio::test]
async fn a_cold_stampede_takes_one_lease() {
    let counted = Counted::start().await;
    let gate = Gate::new();
    gate.open();
    let stampede = async {
        let calls = (0..1_000).map(|_| {
            let gate = gate.clone();
            tokio::spawn(counted.cache.scope(async move { locked_square(&gate, 3).await }))
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), 9);
        }
    };
    let mut sent = counted.of(stampede).await;
    let gets = sent.remove("get").unwrap();
    let mut rest = with_leases(1, &[("evalsha", 1), ("getrange", 1), ("set", 2), ("time", 1)]);
    let most = 1_000 + rest.remove("get").unwrap_or_default();
    assert!(gets <= most, "{gets}");
    assert_eq!(sent, rest);
}

/// The clock is paused and moved on by hand, so time goes by for every timer of the process.
#[tokio::test]
async fn nothing_is_sent_while_idle() {
    let counted = Counted::start().await;
    counted.cache.scope(square(3)).await;
    // After ten seconds the server is asked for a sign of life, which takes longer than time that
    // is only advanced.
    let idle = async {
        tokio::time::pause();
        for _ in 0..9 {
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        tokio::time::resume();
    };
    assert_eq!(counted.of(idle).await, commands(&[]));
    // It is still connected.
    assert_eq!(counted.of(square(3)).await, commands(&[("get", 1)]));
}

/// While a load takes its time its lease is renewed, at a third of its length.
#[tokio::test]
async fn a_long_load_renews_its_lease() {
    #[cached(key = "long:<id>", ttl = 3600, lock(lease = "300ms"), skip(gate))]
    async fn long(gate: &Gate, id: u64) -> u64 {
        gate.pass().await;
        id
    }
    let (counted, mut id) = (Counted::start().await, 0);
    let client = counted.server.client().await;
    // It is lost where the machine stands still for as long as it lasts: that is no load to look
    // at.
    eventually!({
        id += 1;
        let gate = Gate::new();
        let held = gate.clone();
        let call = tokio::spawn(counted.cache.scope(async move { long(&held, id).await }));
        gate.entered(1).await;
        counted.server.reset_commandstats().await;
        let renewals = async || counted.server.commandstats().await.get("pexpire").copied();
        let lease = format!("long:{id}");
        eventually!(renewals().await >= Some(3) || client.get(&lease).await.is_none());
        gate.open();
        assert_eq!(call.await.unwrap(), id);
        renewals().await >= Some(3)
    });
}
