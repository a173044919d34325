//! Numbers come back bit by bit.

use std::collections::BTreeMap;

use cache_fixtures::stores::on_both_stores;
use cache_runtime::cached;
use cache_testing::barrier::Counter;

use crate::stage::Stage;

/// Prices as they are computed: of these, a parser without care gets every ninth wrong.
fn prices(from: u32) -> Vec<f64> {
    (from..from + 2_000).map(|cents| f64::from(cents) * 0.01 * 1.19).collect()
}

macro_rules! codecs {
    ($($name:ident $wide:ident $codec:ident;)*) => {
        $(
            #[cached(ttl = 3600, codec = $codec, skip(runs))]
            async fn $name(runs: &Counter, from: u32) -> Vec<f64> {
                runs.count();
                prices(from)
            }

            #[cached(ttl = 3600, codec = $codec, skip(runs))]
            async fn $wide(runs: &Counter) -> Wide {
                runs.count();
                wide()
            }
        )*

        async fn numbers_come_back_bit_by_bit(stage: Stage) {
            $({
                let runs = Counter::new();
                for from in [0, 100_000] {
                    for _ in 0..2 {
                        let found = stage.strict.scope($name(&runs, from)).await;
                        let bits = |prices: &[f64]| prices.iter().map(|it| it.to_bits()).collect();
                        let (found, expected): (Vec<_>, Vec<_>) = (bits(&found), bits(&prices(from)));
                        assert_eq!(found, expected);
                    }
                }
                assert_eq!(runs.get(), 2);
                for _ in 0..2 {
                    assert_eq!(stage.strict.scope($wide(&runs)).await, wide());
                }
                assert_eq!(runs.get(), 3);
                stage.strict.clear().await.unwrap();
            })*
        }
    };
}
codecs! {
    json json_wide Json;
    packed packed_wide MessagePack;
    posted posted_wide Postcard;
}

type Wide = BTreeMap<i128, (u128, char, Option<Option<f32>>)>;

fn wide() -> Wide {
    BTreeMap::from([
        (i128::MIN, (u128::MAX, '\u{0}', None)),
        (-1, (0, '\u{10FFFF}', Some(Some(0.1)))),
        (i128::MAX, (1 << 64, 'ß', Some(Some(f32::MIN_POSITIVE)))),
    ])
}

on_both_stores! { numbers_come_back_bit_by_bit }
