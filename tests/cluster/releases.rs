//! Two releases side by side, whose values of one entry are on different nodes.

use cache_fixtures::patient;
use cache_runtime::cached;
use cache_testing::barrier::Counter;
use cache_testing::redis::RedisCluster;

const ENTRIES: u64 = 30;

#[cached(key = "entry:<id>", ttl = 3600, skip(runs))]
async fn older(runs: &Counter, id: u64) -> u64 {
    runs.count();
    id
}

#[cached(key = "entry:<id>", ttl = 3600, skip(runs), version = 2)]
async fn newer(runs: &Counter, id: u64) -> u64 {
    runs.count();
    id + 1000
}

#[tokio::test]
async fn both_have_hits_and_every_invalidation_reaches_both() {
    let cluster = RedisCluster::start().await;
    let [old, new] = [(); 2].map(|()| patient().connect(&cluster.url()).unwrap());
    let runs = Counter::new();
    let mut apart = 0;
    for round in 1..=3 {
        for id in 0..ENTRIES {
            for _ in 0..3 {
                assert_eq!(old.scope(older(&runs, id)).await, id);
                assert_eq!(new.scope(newer(&runs, id)).await, id + 1000);
            }
            let home = cluster.home(&format!("entry:{id}")).await;
            let beside = cluster.home(&format!("entry:{id}!J2!s")).await;
            apart += u64::from(home != beside);
        }
        let loaded = usize::try_from(round * 2 * ENTRIES).unwrap();
        assert_eq!(runs.get(), loaded, "each has loaded each once, in each round");
        let keys: Vec<_> = (0..ENTRIES).map(|id| older_key(&id)).collect();
        new.invalidate(keys.as_slice()).await.unwrap();
    }
    assert!(apart > 0, "some are on two nodes");
}
