//! Payloads that nest without end, and values that nest too deep to be read back.

use cache_fixtures::stats;
use cache_runtime::{Cache, ErrorKind, cached};
use cache_testing::barrier::Counter;
use serde::{Deserialize, Serialize};

use crate::codecs::fixture::{Fixture, HEADER};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Node {
    next: Option<Box<Node>>,
}

/// A list of `nodes` after the first.
fn list(nodes: usize) -> Node {
    (0..nodes).fold(Node::default(), |node, _| Node { next: Some(Box::new(node)) })
}

/// Runs `test` where there is as much stack as on a thread of Tokio's.
fn on_small_stack<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test());
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

macro_rules! bombs {
    ($($name:ident $key:ident $codec:ident $bomb:expr;)*) => {
        $(
            #[cached(key = "list:<nodes>", ttl = 3600, codec = $codec, skip(runs))]
            async fn $name(runs: &Counter, nodes: usize) -> Node {
                runs.count();
                list(nodes)
            }
        )*

        #[test]
        fn a_bomb_is_a_counted_miss() {
            on_small_stack(|| async {
                $({
                    let fixture = Fixture::start().await;
                    let call = || fixture.cache.scope($name(&fixture.runs, 1));
                    assert_eq!(call().await, list(1));
                    let mut record = fixture.stored("list:1").await;
                    record.truncate(HEADER);
                    record.extend_from_slice(&$bomb.repeat(1 << 18));
                    fixture.client.set("list:1", &record).await;
                    for _ in 0..2 {
                        assert_eq!(call().await, list(1));
                    }
                    assert_eq!(fixture.runs.get(), 2, "it is healed");
                    let stats = fixture.stats(stringify!($name));
                    assert_eq!((stats.misses.undecodable, stats.misses(), stats.hits()), (1, 2, 1));
                })*
            });
        }

        #[test]
        fn a_value_too_deep_to_be_read_is_not_stored() {
            on_small_stack(|| async {
                $({
                    let (cache, runs) = (Cache::in_memory(), Counter::new());
                    for (nodes, loads) in [(62, 1), (63, 2), (10_000, 2)] {
                        let before = runs.get();
                        for _ in 0..2 {
                            assert!(cache.scope($name(&runs, nodes)).await.next.is_some());
                        }
                        assert_eq!(runs.get(), before + loads, "{nodes}");
                    }
                    let stats = stats(&cache, stringify!($name));
                    assert_eq!((stats.fills_unencodable, stats.misses.undecodable, stats.hits()), (4, 0, 1));
                    let refused = cache.put(&$key(&63), &list(63)).await.unwrap_err();
                    assert_eq!(refused.kind(), ErrorKind::Codec);
                })*
            });
        }
    };
}
bombs! {
    json json_key Json b"{\"next\":";
    message_pack message_pack_key MessagePack b"\x81\xa4next";
    postcard postcard_key Postcard b"\x01";
}
