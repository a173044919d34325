//! The options. Time is tokio's, paused, and moved on by hand: the embedded store lives by it.

use std::time::Duration;

use cache_runtime::{Cache, cached};
use tokio::time::advance;

use crate::once::{Row, each_time, once, row, serial, stored};

/// How long `$call` is served: not a moment longer than `$ttl`.
macro_rules! lives {
    ($ttl:expr, $call:expr) => {{
        let cache = Cache::in_memory();
        let ttl: Duration = $ttl;
        let calls = async {
            let first = $call.await;
            advance(ttl - Duration::from_millis(1)).await;
            assert_eq!($call.await, first, "until its end");
            advance(Duration::from_millis(1)).await;
            assert_ne!($call.await, first, "and no longer");
        };
        cache.scope(calls).await;
    }};
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const TTL: Duration = seconds(9);

#[cached(key = "seconds:<id>", ttl = 7)]
async fn in_seconds(id: i64) -> Row {
    row(id)
}

#[cached(key = "literal:<id>", ttl = "1d 1h 30m 5s 250ms")]
async fn by_literal(id: i64) -> Row {
    row(id)
}

#[cached(key = "constant:<id>", ttl = TTL)]
async fn by_constant(id: i64) -> Row {
    row(id)
}

#[cached(key = "expression:<id>", ttl = seconds(1 + *minutes * 60), skip(minutes))]
async fn by_expression(minutes: u64, id: i64) -> Row {
    let _ = minutes;
    row(id)
}

#[cached(key = "value:<id>", ttl = |row: &Row| seconds(row.id.unsigned_abs()))]
async fn by_value(id: i64) -> Row {
    row(id)
}

#[cached(key = "inferred:<id>", ttl = |row| seconds(row.id.unsigned_abs()))]
async fn by_inferred_value(id: i64) -> Result<Row, ()> {
    Ok(row(id))
}

#[derive(Debug)]
struct Service {
    ttl: Duration,
}

impl Service {
    #[cached(key = "service:<id>", ttl = self.ttl)]
    async fn find(&self, id: i64) -> Row {
        row(id)
    }
}

#[tokio::test(start_paused = true)]
async fn every_form_of_ttl() {
    lives!(seconds(7), in_seconds(1));
    lives!(Duration::from_millis(91_805_250), by_literal(1));
    lives!(TTL, by_constant(1));
    lives!(seconds(121), by_expression(2, 1));
    lives!(seconds(5), by_value(5));
    lives!(seconds(50), by_value(50));
    lives!(seconds(5), by_inferred_value(5));
    let service = Service { ttl: seconds(3) };
    lives!(seconds(3), service.find(1));
}

#[cached(key = "negative:<id>", ttl = 100, none_ttl = 3, skip(runs))]
async fn negative(runs: &mut Vec<u64>, id: i64) -> Option<Row> {
    runs.push(serial());
    (id > 0).then(|| row(id))
}

#[tokio::test(start_paused = true)]
async fn none_has_a_ttl_of_its_own() {
    let (cache, mut runs) = (Cache::in_memory(), Vec::new());
    let calls = async {
        assert_eq!(negative(&mut runs, 0).await, None);
        advance(Duration::from_millis(2_999)).await;
        assert_eq!(negative(&mut runs, 0).await, None);
        assert_eq!(runs.len(), 1);
        advance(Duration::from_millis(1)).await;
        assert_eq!(negative(&mut runs, 0).await, None);
        assert_eq!(runs.len(), 2);
        let found = negative(&mut runs, 1).await;
        advance(seconds(99)).await;
        assert_eq!(negative(&mut runs, 1).await, found);
    };
    cache.scope(calls).await;
}

#[cached(key = "jitter:<id>", ttl = 100, jitter = 0.5)]
async fn jittered(id: i64) -> Row {
    row(id)
}

/// Jitter shortens: the time to live stays the upper bound.
#[tokio::test(start_paused = true)]
async fn jitter_spreads_the_ends_downwards() {
    let cache = Cache::in_memory();
    let calls = async {
        for id in 0..200 {
            jittered(id).await;
        }
        let mut alive = Vec::new();
        for _ in 0..=100 {
            let mut count = 0;
            for id in 0..200 {
                count += u64::from(cache.get(&jittered_key(&id)).await.unwrap().is_some());
            }
            alive.push(count);
            advance(seconds(1)).await;
        }
        assert_eq!(alive[49], 200, "none before half the time");
        assert_eq!(alive[100], 0, "none after the whole");
        // That all 200 end in the same half of what is between has a probability of 2^-199.
        assert!((1..200).contains(&alive[75]), "{alive:?}");
    };
    cache.scope(calls).await;
}

#[cached(key = "when:<id>", ttl = 60, when = !fresh, skip(fresh))]
async fn when(id: i64, fresh: bool) -> Row {
    let _ = fresh;
    row(id)
}

#[tokio::test]
async fn when_decides_whether_the_cache_is_consulted() {
    let cache = Cache::in_memory();
    let calls = async {
        let first = when(1, false).await;
        assert_ne!(when(1, true).await, first, "not read");
        assert_eq!(when(1, false).await, first, "and not stored");
    };
    cache.scope(calls).await;
    let (first, second) = each_time!("when:1", when(1, true));
    assert_ne!(first, second);
}

#[cached(key = "unless:<id>", ttl = 60, unless = |row: &Row| row.id < 0)]
async fn unless(id: i64) -> Result<Row, ()> {
    Ok(row(id))
}

#[tokio::test]
async fn unless_decides_what_is_stored() {
    crate::once::once_ok!("unless:1", unless(1));
    let (first, second) = each_time!("unless:-1", unless(-1));
    assert_ne!(first, second);
}

#[derive(Debug)]
struct Context;

#[cached(ttl = 60, skip(context, trace))]
async fn automatic(context: &Context, id: i64, name: &str, trace: u64) -> Row {
    let (_, _, _) = (context, name, trace);
    row(id)
}

#[tokio::test]
async fn an_automatic_key_holds_what_is_not_skipped() {
    once!("signatures::options::automatic:7:Ada%20L.", automatic(&Context, 7, "Ada L.", serial()));
}

#[cached(key = "entity:<id>", ttl = 60)]
async fn entity(id: i64) -> Row {
    row(id)
}

#[cached(key = entity_key(&id), ttl = 5)]
async fn shared_entity(id: i64) -> Result<Row, ()> {
    Ok(row(id))
}

#[cached(key = cache_runtime::Key::<Row>::builder().text("by-hand:").part(&id).done(), ttl = 5)]
async fn by_hand(id: i64) -> Row {
    row(id)
}

/// `key = expr`: an entry of its own policy, shared with others.
#[tokio::test(start_paused = true)]
async fn functions_share_an_entity() {
    let cache = Cache::in_memory();
    let calls = async {
        let first = entity(1).await;
        assert_eq!(shared_entity(1).await, Ok(first.clone()));
        cache.invalidate(&entity_key(&1)).await.unwrap();
        let second = shared_entity(1).await.unwrap();
        assert_ne!(second, first);
        assert_eq!(entity(1).await, second);
        // Whoever stores it says for how long.
        advance(seconds(5)).await;
        assert_ne!(entity(1).await, second);
    };
    cache.scope(calls).await;
    once!("by-hand:1", by_hand(1));
}

#[cached(key = "own:<id>", ttl = 60, cache = cache)]
async fn own_cache(cache: &Cache, id: i64) -> Row {
    let _ = cache;
    row(id)
}

#[derive(Debug)]
struct Shop {
    cache: Cache,
}

impl Shop {
    #[cached(key = "shop:<id>", ttl = 60, cache = self.cache)]
    async fn find(&self, id: i64) -> Row {
        row(id)
    }
}

#[tokio::test]
async fn a_function_names_its_cache() {
    let (here, there) = (Cache::in_memory(), Cache::in_memory());
    let first = there.scope(own_cache(&here, 1)).await;
    assert_eq!(own_cache(&here, 1).await, first);
    assert_eq!(stored(&there, "own:1").await, None);
    let shop = Shop { cache: here };
    let first = there.scope(shop.find(1)).await;
    assert_eq!(shop.find(1).await, first);
    assert_eq!(stored(&there, "shop:1").await, None);
}

mod spans {
    use std::time::Duration;

    pub const SHORT: Duration = Duration::from_secs(5);
}

#[expect(unused_qualifications, reason = "paths are written in many ways")]
mod by_path {
    use super::{Row, cached, row, spans};

    #[cached(key = "path:<id>", ttl = self::spans::SHORT)]
    pub(super) async fn free(id: i64) -> Row {
        row(id)
    }

    pub(super) struct Till;

    impl Till {
        #[cached(key = "till:<id>", ttl = self::spans::SHORT, unless = |row: &Row| row.id == self::NONE)]
        pub(super) async fn find(id: i64) -> Row {
            let _: Option<&Self> = None;
            row(id)
        }
    }

    const NONE: i64 = 0;
}

/// Names that expansions might use for themselves.
const CALLSITE: Duration = spans::SHORT;
const SITE: i64 = 7;

#[cached(key = "name:<id>", ttl = CALLSITE, when = id != SITE, unless = |row: &Row| row.id == SITE + 1)]
async fn ttl_by_name(id: i64) -> Row {
    row(id)
}

/// A parameter has the name of a module.
#[cached(key = "module:<id>", ttl = spans::SHORT, skip(spans))]
async fn ttl_beside_parameter(id: i64, spans: &str) -> Row {
    let _ = spans;
    row(id)
}

/// A path that begins with `self` is no receiver, and constants of users have any name.
#[tokio::test(start_paused = true)]
async fn constants_are_found_where_they_are() {
    let cache = Cache::in_memory();
    let calls = async {
        let again =
            async || (by_path::free(1).await, ttl_by_name(1).await, by_path::Till::find(1).await);
        let first = again().await;
        assert_eq!(again().await, first);
        advance(seconds(5)).await;
        let later = again().await;
        assert!(later.0 != first.0 && later.1 != first.1 && later.2 != first.2);
        for id in [SITE, SITE + 1] {
            assert_ne!(ttl_by_name(id).await, ttl_by_name(id).await);
        }
    };
    cache.scope(calls).await;
    assert_eq!(by_path::free_key(&1).as_str(), "path:1");
    assert_eq!(by_path::Till::find_key(&1).as_str(), "till:1");
    assert_eq!(ttl_beside_parameter_key(&1).as_str(), "module:1");
    once!("module:1", ttl_beside_parameter(1, "any"));
}
