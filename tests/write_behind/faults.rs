//! What workers do when Redis fails.

use std::time::Duration;

use cache_fixtures::patient;
use cache_runtime::__private::QueueSite;
use cache_runtime::stats::QueueLength;
use cache_runtime::{Codec, ErrorKind};
use cache_testing::barrier::eventually;
use cache_testing::redis::{Data, RedisServer};

use crate::stage::{CAREFUL, Ledger, PATIENT, Running, Stage, queue, step, worker};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_survives_whatever_becomes_of_the_queue() {
    let server = RedisServer::builder().durable().start().await;
    let client = server.client().await;
    let cache = patient().connect(&server.url()).unwrap();
    let (patient, ledger) = (queue(&PATIENT, &cache), Ledger::default());
    let running = Running::start(worker(&PATIENT, &cache, &ledger));
    let mut number = 0;
    let mut next = async |what: &str| {
        number += 1;
        let pushed = patient.push(step(0, number)).await;
        assert!(pushed.is_ok(), "{what}: {pushed:?}");
        let count = usize::try_from(number).unwrap();
        eventually!(ledger.of(0).len() == count);
        // Or what happens next would have it delivered once more.
        eventually!(patient.length().await.is_ok_and(|length| length.pending == 0));
    };
    next("nothing yet").await;
    client.run::<()>(&["XGROUP", "DESTROY", "wb:{patient:0}", "workers"]).await;
    next("the group is gone").await;
    client.script_flush().await;
    next("the scripts are gone").await;
    client.flush_all().await;
    next("everything is gone").await;
    client.run::<()>(&["DEL", "wb:{patient:0}:clock"]).await;
    next("the clock is gone").await;
    client.run::<()>(&["CLIENT", "KILL", "TYPE", "normal"]).await;
    next("the connections are gone").await;
    server.restart(Data::Kept).await;
    next("the server was killed").await;
    server.restart(Data::Lost).await;
    next("the server has lost everything").await;
    server.stop();
    let stalled = tokio::spawn({
        let patient = queue(&PATIENT, &cache);
        async move { patient.push(step(1, 0)).await }
    });
    tokio::time::sleep(Duration::from_millis(1500)).await;
    server.cont();
    stalled.await.unwrap().unwrap();
    eventually!(ledger.of(1) == [0]);
    next("the server stood still").await;
    running.stop().await;
    assert_eq!(ledger.of(0), (1..=number).collect::<Vec<_>>());
    let versions = ledger.versions();
    assert!(versions.windows(2).all(|pair| pair[0] < pair[1]), "{versions:?}");
    let positions = ledger.positions();
    assert!(positions.windows(2).all(|pair| pair[0] < pair[1]), "{positions:?}");
}

#[tokio::test]
async fn a_server_without_memory_left_refuses_and_still_delivers() {
    let stage = Stage::redis().await;
    let client = &stage.server.as_ref().unwrap().1;
    let (careful, ledger) = (queue(&CAREFUL, &stage.cache), Ledger::default());
    let gate = ledger.hold();
    let running = Running::start(worker(&CAREFUL, &stage.cache, &ledger));
    careful.push(step(0, 0)).await.unwrap();
    careful.push(step(0, 1)).await.unwrap();
    gate.entered(1).await;
    client.config_set("maxmemory", "1").await;
    assert_eq!(careful.push(step(0, 2)).await.unwrap_err().kind(), ErrorKind::Refused);
    gate.open();
    eventually!(ledger.of(0) == [0, 1]);
    eventually!(careful.length().await.unwrap().pending == 0);
    client.config_set("maxmemory", "0").await;
    careful.push(step(0, 3)).await.unwrap();
    eventually!(ledger.of(0) == [0, 1, 3]);
    running.stop().await;
}

#[tokio::test]
async fn a_worker_takes_over_from_a_server_without_memory_left() {
    let stage = Stage::redis().await;
    let client = &stage.server.as_ref().unwrap().1;
    let (careful, ledger) = (queue(&CAREFUL, &stage.cache), Ledger::default());
    let gate = ledger.hold();
    careful.push(step(0, 0)).await.unwrap();
    client.config_set("maxmemory", "1").await;
    let running = Running::start(worker(&CAREFUL, &stage.cache, &ledger));
    gate.entered(1).await;
    client.run::<()>(&["CLIENT", "KILL", "TYPE", "normal"]).await;
    gate.open();
    eventually!(careful.length().await.is_ok_and(|length| length == QueueLength::default()));
    running.stop().await;
}

static GARBLED: QueueSite = QueueSite::new("faults::garbled", "garbled")
    .partitions(1)
    .linger_ms(0)
    .max_attempts(1)
    .codec(Codec::MessagePack)
    .keep_all();

#[tokio::test]
async fn what_does_not_decode_or_makes_the_sink_panic_becomes_a_dead_letter() {
    let stage = Stage::redis().await;
    let client = &stage.server.as_ref().unwrap().1;
    let (garbled, ledger) = (queue(&GARBLED, &stage.cache), Ledger::default());
    garbled.push(step(0, 0)).await.unwrap();
    let add = ["XADD", "wb:{garbled:0}", "*", "k", "0", "v", "7-1", "d", "J{\"no\":1}"];
    client.run::<String>(&add).await;
    client.run::<String>(&["XADD", "wb:{garbled:0}", "*", "who", "knows"]).await;
    garbled.push(step(0, 1)).await.unwrap();
    garbled.push(step(0, 2)).await.unwrap();
    ledger.refuse(|step| if step.number == 1 { panic!("one") } else { false });
    let running = Running::start(worker(&GARBLED, &stage.cache, &ledger));
    eventually!(ledger.of(0) == [0, 2]);
    eventually!(garbled.length().await.unwrap().dead_letters == 3);
    running.stop().await;
    let letters = garbled.dead_letters(10).await.unwrap();
    let errors: Vec<_> =
        letters.iter().map(|letter| (letter.item.is_some(), &letter.error[..])).collect();
    let not_decoded = (false, "the item does not decode");
    assert_eq!(errors, [not_decoded, not_decoded, (true, "the sink panicked: one")]);
}

#[tokio::test]
async fn the_keys_of_a_partition_share_a_slot_and_clear_leaves_them_alone() {
    let stage = Stage::redis().await;
    let (server, client) = stage.server.as_ref().unwrap();
    let cache = patient().namespace("shop").connect(&server.url()).unwrap();
    let (careful, ledger) = (queue(&CAREFUL, &cache), Ledger::default());
    let gate = ledger.hold();
    let running = Running::start(worker(&CAREFUL, &cache, &ledger));
    careful.push(step(0, 0)).await.unwrap();
    gate.entered(1).await;
    eventually!(cache.queues().await.unwrap().len() == 1);
    let keys = client.keys().await;
    assert_eq!(keys.len(), 7, "{keys:?}");
    for key in &keys {
        let tag = match key.rsplit(':').next() {
            Some("workers" | "layout") => "@shop:wb:{careful}",
            Some("{}queues") => "@shop:wb:{}queues",
            _ => "@shop:wb:{careful:0}",
        };
        assert!(key.starts_with(tag), "{key}");
    }
    cache.clear().await.unwrap();
    assert_eq!(client.keys().await, keys);
    gate.open();
    eventually!(careful.length().await.unwrap().pending == 0);
    running.stop().await;
}
