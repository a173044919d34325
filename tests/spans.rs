//! Spans of calls, as OpenTelemetry gets them through `tracing-opentelemetry`. In a program of their
//! own, and one after another: `tracing` keeps for all threads what it has found out of the
//! subscriber of one.

use std::collections::BTreeMap;

use cache_fixtures::patient;
use cache_runtime::{Cache, CallExt as _, cached, invalidates};
use cache_testing::redis::RedisServer;
use futures_util::future;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tokio::sync::{Mutex, MutexGuard};
use tracing::Level;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

#[cached(key = "half:<n>", ttl = 60, stale_if_error = 60)]
async fn half(n: u64) -> Result<u64, String> {
    if n.is_multiple_of(2) { Ok(n / 2) } else { Err(format!("{n} is odd")) }
}

#[cached(key = "quarter:<n>", ttl = 60)]
async fn quarter(n: u64) -> Result<u64, String> {
    half(half(n).await?).await
}

#[cached(batch(n in numbers), key = half_key(n), ttl = 60)]
async fn halves(numbers: &[u64]) -> Result<BTreeMap<u64, u64>, String> {
    let halves = future::try_join_all(numbers.iter().map(|n| half(*n).bypass())).await?;
    Ok(numbers.iter().copied().zip(halves).collect())
}

#[invalidates(half(n))]
async fn change(n: u64) {
    _ = n;
}

static TURN: Mutex<()> = Mutex::const_new(());

/// The fields of a batch that count ids.
const ENDINGS: [&str; 9] =
    ["ids", "hit", "stale", "coalesced", "loaded", "bypassed", "uncached", "shed", "cancelled"];

/// The spans of this thread from now on.
struct Spans {
    exporter: InMemorySpanExporter,
    provider: SdkTracerProvider,
    _subscriber: DefaultGuard,
    _turn: MutexGuard<'static, ()>,
}

impl Spans {
    /// With this level for the target of the spans, and none for anything else.
    async fn at(level: Level) -> Self {
        let turn = TURN.lock().await;
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let wanted = Targets::new().with_target("cache_runtime::call", level);
        let subscriber = set_default(registry().with(wanted).with(layer));
        Self { exporter, provider, _subscriber: subscriber, _turn: turn }
    }

    fn ended(&self) -> Vec<SpanData> {
        self.provider.force_flush().unwrap();
        let spans = self.exporter.get_finished_spans().unwrap();
        self.exporter.reset();
        spans
    }

    /// The spans as a tree: a line for each, indented by its depth, in the order in which they
    /// began.
    fn tree(&self) -> Vec<String> {
        let mut spans = self.ended();
        spans.sort_by_key(|span| span.start_time);
        let depth = |span: &SpanData| {
            let (mut depth, mut parent) = (0, span.parent_span_id);
            while let Some(found) = spans.iter().find(|it| it.span_context.span_id() == parent) {
                (depth, parent) = (depth + 1, found.parent_span_id);
            }
            depth
        };
        let line = |span: &SpanData| {
            let fields = fields(span);
            let said = ["function", "outcome", "db.operation.name", "error.type"];
            let said: Vec<_> = said.iter().filter_map(|it| fields.get(*it)).cloned().collect();
            format!("{}{} {}", "  ".repeat(depth(span)), span.name, said.join(" "))
        };
        spans.iter().map(line).collect()
    }
}

fn fields(span: &SpanData) -> BTreeMap<String, String> {
    let fields = span.attributes.iter();
    fields.map(|it| (it.key.as_str().to_owned(), it.value.as_str().into_owned())).collect()
}

#[tokio::test]
async fn a_call_has_its_load_and_its_round_trips_below_it() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let spans = Spans::at(Level::DEBUG).await;
    cache
        .scope(async {
            quarter(8).await.unwrap();
            assert_eq!(
                spans.tree(),
                [
                    "cache.call spans::quarter loaded",
                    "  cache.round_trip get",
                    "  cache.round_trip acquire",
                    "  cache.load ",
                    "    cache.call spans::half loaded",
                    "      cache.round_trip get",
                    "      cache.round_trip now",
                    "      cache.round_trip acquire",
                    "      cache.load ",
                    "      cache.round_trip fill",
                    "    cache.call spans::half loaded",
                    "      cache.round_trip get",
                    "      cache.round_trip now",
                    "      cache.round_trip acquire",
                    "      cache.load ",
                    "      cache.round_trip fill",
                    "  cache.round_trip fill",
                ]
            );
            quarter(8).await.unwrap();
            assert_eq!(spans.tree(), ["cache.call spans::quarter hit", "  cache.round_trip get"]);
            half(8).bypass().await.unwrap();
            half(7).bypass().await.unwrap_err();
            assert_eq!(
                spans.tree(),
                [
                    "cache.call spans::half bypassed",
                    "  cache.load ",
                    "cache.call spans::half bypassed",
                    "  cache.load error",
                ]
            );
        })
        .await;
}

#[tokio::test]
async fn a_batch_is_one_span_that_counts_how_its_ids_ended() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let spans = Spans::at(Level::DEBUG).await;
    // What a batch says of its ids, without what does not belong to them.
    let counts = |batch: &SpanData| {
        let mut fields = fields(batch);
        fields.retain(|name, _| ENDINGS.contains(&&**name));
        fields.into_iter().collect::<Vec<_>>()
    };
    let said = |fields: &[(&str, &str)]| {
        fields.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect::<Vec<_>>()
    };
    cache
        .scope(async {
            half(4).await.unwrap();
            spans.ended();
            halves(&[2, 4, 6]).await.unwrap();
            let ended = spans.ended();
            let batch = ended.iter().find(|span| span.name == "cache.batch").unwrap();
            assert_eq!(counts(batch), said(&[("hit", "1"), ("ids", "3"), ("loaded", "2")]));
            halves(&[6, 8]).await.unwrap();
            assert_eq!(
                spans.tree(),
                [
                    "cache.batch spans::halves",
                    "  cache.round_trip get",
                    "  cache.round_trip acquire",
                    "  cache.load ",
                    "    cache.call spans::half bypassed",
                    "      cache.load ",
                    "  cache.round_trip fill",
                ]
            );
            halves(&[2, 6, 8]).await.unwrap();
            assert_eq!(spans.tree(), ["cache.batch spans::halves", "  cache.round_trip get"]);
            halves(&[2, 7]).await.unwrap_err();
            let ended = spans.ended();
            let named = |name: &str| ended.iter().find(|span| span.name == name).unwrap();
            assert_eq!(
                counts(named("cache.batch")),
                said(&[("hit", "1"), ("ids", "2"), ("loaded", "1")])
            );
            // Dropped before it ends.
            _ = future::poll_immediate(halves(&[10])).await;
            let ended = spans.ended();
            let batch = ended.iter().find(|span| span.name == "cache.batch").unwrap();
            assert_eq!(counts(batch), said(&[("cancelled", "1"), ("ids", "1")]));
            halves(&[]).await.unwrap();
            assert_eq!(spans.tree(), [""; 0], "who asks for nothing");
        })
        .await;
}

#[tokio::test]
async fn an_invalidation_has_its_round_trips_below_it() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let client = server.client().await;
    let spans = Spans::at(Level::DEBUG).await;
    cache.invalidate(&[half_key(&2), half_key(&4)]).await.unwrap();
    let ended = spans.ended();
    let told = fields(ended.iter().find(|span| span.name == "cache.invalidation").unwrap());
    assert_eq!((&*told["by"], &*told["keys"]), ("key", "2"));
    cache.invalidate(&half_key(&2)).await.unwrap();
    let sent = |outcome: &str, below: &str| {
        vec![format!("cache.invalidation {outcome}"), format!("  cache.round_trip {below}")]
    };
    assert_eq!(spans.tree(), sent("acknowledged", "invalidate"));
    cache.invalidate_keeping_stale(&half_key(&2)).await.unwrap();
    assert_eq!(spans.tree(), sent("acknowledged", "make_stale"));
    cache.scope(change(2)).await;
    let write = [vec!["cache.round_trip begin".to_owned()], sent("acknowledged", "end")].concat();
    assert_eq!(spans.tree(), write);
    cache.invalidate_matching("half:*").await.unwrap();
    let ended = spans.ended();
    let told = fields(ended.iter().find(|span| span.name == "cache.invalidation").unwrap());
    assert_eq!((&*told["by"], &*told["outcome"]), ("pattern", "acknowledged"));

    cache.scope(half(2)).await.unwrap();
    spans.ended();
    client.run::<()>(&["ACL", "SETUSER", "default", "-eval", "-evalsha", "-unlink"]).await;
    cache.invalidate(&half_key(&2)).await.unwrap_err();
    let tree = spans.tree();
    assert_eq!(tree.first().map(String::as_str), Some("cache.invalidation journalled"));
    client.run::<()>(&["ACL", "SETUSER", "default", "+@all"]).await;
}

#[tokio::test]
async fn a_span_tells_the_age_and_no_key_unless_it_is_asked_for() {
    let key = async |cache: Cache, level: Level| {
        let spans = Spans::at(level).await;
        cache.scope(half(8)).await.unwrap();
        cache.scope(half(8)).await.unwrap();
        let hit = fields(spans.ended().last().unwrap());
        assert_eq!(hit["outcome"], "hit");
        assert!(hit["age_ms"].parse::<u64>().is_ok(), "{hit:?}");
        hit.get("key").cloned()
    };
    assert_eq!(key(Cache::in_memory(), Level::DEBUG).await, None);
    let hash = key(Cache::in_memory(), Level::TRACE).await.unwrap();
    assert!(hash.len() == 16 && hash.bytes().all(|it| it.is_ascii_hexdigit()), "{hash}");
    let shown = Cache::builder().trace_keys(true).in_memory().unwrap();
    assert_eq!(key(shown, Level::TRACE).await.as_deref(), Some("half:8"));
}

#[tokio::test]
async fn nothing_is_made_for_who_does_not_ask() {
    let spans = Spans::at(Level::INFO).await;
    Cache::in_memory().scope(quarter(8)).await.unwrap();
    assert!(spans.ended().is_empty());
}
