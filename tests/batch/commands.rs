//! What goes over the wire, as the server counts it.

use std::collections::BTreeMap;

use cache_runtime::CallExt as _;
use cache_testing::barrier::eventually;
use cache_testing::redis::Program;

use crate::stage::{Database, Stage, row_key, rows};

/// A hundred rows, and a connection that is up and whose scripts are loaded.
async fn stage() -> Stage {
    let stage = Stage { db: Database::of(0..1_000), ..Stage::redis().await };
    stage.get([999]).await;
    stage.refresh([999]).await;
    stage.db.fail(true);
    _ = stage.cache.scope(rows(&stage.db, &[998])).await;
    stage.db.fail(false);
    eventually!(stage.is_free([998]).await);
    stage
}

fn hundred() -> Vec<u64> {
    (0..100).collect()
}

/// The commands of one batch, and how often the server read from its connection.
async fn of(stage: &Stage, ids: &[u64]) -> (BTreeMap<String, u64>, u64) {
    let (server, client) = stage.server.as_ref().unwrap();
    let reads = async || {
        let stats: String = client.run(&["INFO", "stats"]).await;
        let reads = stats.lines().find_map(|line| line.strip_prefix("total_reads_processed:"));
        reads.unwrap().trim().parse::<u64>().unwrap()
    };
    server.reset_commandstats().await;
    let before = reads().await;
    let found = stage.cache.scope(rows(&stage.db, ids)).await.unwrap();
    // The second `INFO` is one itself.
    let reads = reads().await - before - 1;
    assert_eq!(found.len(), ids.len());
    let mut commands = server.commandstats().await;
    commands.remove("info");
    (commands, reads)
}

fn commands(commands: &[(&str, u64)]) -> BTreeMap<String, u64> {
    commands.iter().map(|(name, calls)| ((*name).to_owned(), *calls)).collect()
}

#[tokio::test]
async fn a_hundred_hits_are_one_mget() {
    let stage = stage().await;
    of(&stage, &hundred()).await;
    let (sent, reads) = of(&stage, &hundred()).await;
    assert_eq!(sent, commands(&[("mget", 1)]));
    assert!(reads <= 3, "{reads}");
}

#[tokio::test]
async fn a_hundred_misses_are_mget_and_two_pipelines() {
    let stage = stage().await;
    let (sent, reads) = of(&stage, &hundred()).await;
    let expected = [("mget", 1), ("set", 200), ("evalsha", 100), ("getrange", 100), ("time", 100)];
    assert_eq!(sent, Program::get().with_leases(100, commands(&expected)));
    assert!(reads <= 30, "{reads} reads for 201 commands");
}

#[tokio::test]
async fn only_what_is_missing_is_leased_and_filled() {
    let stage = stage().await;
    of(&stage, &hundred()[..60]).await;
    let (sent, _) = of(&stage, &hundred()).await;
    let expected = [("mget", 1), ("set", 80), ("evalsha", 40), ("getrange", 40), ("time", 40)];
    assert_eq!(sent, Program::get().with_leases(40, commands(&expected)));
    assert_eq!(stage.db.loads().last().unwrap(), &hundred()[60..]);
}

#[tokio::test]
async fn a_thousand_are_four_chunks() {
    let stage = stage().await;
    let ids: Vec<u64> = (0..1_000).collect();
    of(&stage, &ids).await;
    assert_eq!(of(&stage, &ids).await.0, commands(&[("mget", 4)]));
}

#[tokio::test]
async fn a_refresh_replaces_in_one_pipeline() {
    let stage = stage().await;
    of(&stage, &hundred()).await;
    let (server, _) = stage.server.as_ref().unwrap();
    server.reset_commandstats().await;
    stage.cache.scope(rows(&stage.db, &hundred()).refresh()).await.unwrap();
    let sent = server.commandstats().await;
    assert_eq!((sent.get("mget"), sent.get("evalsha")), (Some(&1), Some(&100)), "{sent:?}");
}

#[tokio::test]
async fn a_failing_body_releases_every_lease() {
    let stage = stage().await;
    stage.db.fail(true);
    _ = stage.cache.scope(rows(&stage.db, &hundred())).await;
    let (_, client) = stage.server.as_ref().unwrap();
    eventually!(client.keys().await == ["row:999"]);
    assert_eq!(stage.cache.get(&row_key(&7)).await.unwrap(), None);
}
