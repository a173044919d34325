//! What workers do when Redis fails.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::__private::{self, QueueSite};
use cache_runtime::{Batch, Cache, Codec, ErrorKind, Position, QueueLength};

use crate::stage::{CAREFUL, Ledger, PATIENT, Running, Stage, Step, queue, step, worker};
use crate::support::barrier::eventually;
use crate::support::patient;
use crate::support::proxy::{Link, Proxy};
use crate::support::redis::{Data, RedisServer};

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
    let keys = client.keys().await;
    assert_eq!(keys.len(), 5, "{keys:?}");
    for key in &keys {
        let tag =
            if key.ends_with(":workers") { "shop:wb:{careful}" } else { "shop:wb:{careful:0}" };
        assert!(key.starts_with(tag), "{key}");
    }
    cache.clear().await.unwrap();
    assert_eq!(client.keys().await, keys);
    gate.open();
    eventually!(careful.length().await.unwrap().pending == 0);
    running.stop().await;
}

/// A sink as it should be: drops what it knows.
#[derive(Clone, Debug, Default)]
struct Exact(Arc<Mutex<(Option<Position>, Vec<u64>)>>);

impl Exact {
    async fn take(self, batch: Batch<Step>) -> Result<(), String> {
        std::future::ready(()).await;
        let mut stored = self.0.lock().unwrap();
        let batch = batch.after(stored.0);
        stored.0 = batch.position();
        stored.1.extend(batch.into_items().into_iter().map(|step| step.number));
        Ok(())
    }

    fn numbers(&self) -> Vec<u64> {
        self.0.lock().unwrap().1.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_grow_over_a_failover_that_loses_items() {
    let old = RedisServer::start().await;
    let link = Proxy::to(&old).await;
    let of = format!("replicaof 127.0.0.1 {}", link.port());
    let new = RedisServer::builder().setting(&of).start().await;
    let replica = new.client().await;
    let (here, exact) = (patient().connect(&old.url()).unwrap(), Exact::default());
    let careful = queue(&CAREFUL, &here);
    for number in 0..3 {
        careful.push(step(0, number)).await.unwrap();
    }
    eventually!(replica.run::<u64>(&["XLEN", "wb:{careful:0}"]).await == 3);
    link.set(Link::BlackHole).await;
    for number in 3..8 {
        careful.push(step(0, number)).await.unwrap();
    }
    let sink =
        |cache: &Cache| __private::worker(queue(&CAREFUL, cache), exact.clone(), Exact::take);
    let running = Running::start(sink(&here));
    eventually!(exact.numbers().len() == 8);
    running.stop().await;
    old.kill();

    // Of all that the replica knows as little as of the acknowledgements.
    replica.run::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    let there = patient().connect(&new.url()).unwrap();
    let careful = queue(&CAREFUL, &there);
    for number in 8..11 {
        careful.push(step(0, number)).await.unwrap();
    }
    let running = Running::start(sink(&there));
    eventually!(careful.length().await.unwrap() == QueueLength::default());
    running.stop().await;
    assert_eq!(exact.numbers(), (0..11).collect::<Vec<_>>());
}

/// The replica that takes over knows that an item was read, and not that it was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_to_the_former_primary_alone_comes_again() {
    let old = RedisServer::start().await;
    let link = Proxy::to(&old).await;
    let of = format!("replicaof 127.0.0.1 {}", link.port());
    let new = RedisServer::builder().setting(&of).start().await;
    let (replica, cache) = (new.client().await, patient().connect(&old.url()).unwrap());
    let (careful, ledger) = (queue(&CAREFUL, &cache), Ledger::default());
    let gate = ledger.hold();
    careful.push(step(0, 0)).await.unwrap();
    let running = Running::start(worker(&CAREFUL, &cache, &ledger));
    gate.entered(1).await;
    let there = queue(&CAREFUL, &patient().connect(&new.url()).unwrap());
    eventually!(there.length().await.is_ok_and(|length| length.pending == 1));
    link.set(Link::BlackHole).await;
    gate.open();
    // The worker knows that it was acknowledged.
    eventually!(cache.stats().queue("careful").is_some_and(|queue| queue.delivered == 1));

    old.kill();
    replica.run::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    replica.config_set("port", &old.port().to_string()).await;
    eventually!(careful.length().await.is_ok_and(|length| length == QueueLength::default()));
    assert!(ledger.len() > 1, "once from each");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_grow_where_a_primary_comes_back_without_its_last_items() {
    let at_once = RedisServer::builder().setting("repl-diskless-sync-delay 0");
    let old = at_once.clone().start().await;
    let link = Proxy::to(&old).await;
    let of = format!("replicaof 127.0.0.1 {}", link.port());
    let new = at_once.setting(&of).start().await;
    let (primary, replica) = (old.client().await, new.client().await);
    let (here, exact) = (patient().connect(&old.url()).unwrap(), Exact::default());
    let careful = queue(&CAREFUL, &here);
    for number in 0..3 {
        careful.push(step(0, number)).await.unwrap();
    }
    eventually!(replica.run::<u64>(&["XLEN", "wb:{careful:0}"]).await == 3);
    link.set(Link::BlackHole).await;
    for number in 3..8 {
        careful.push(step(0, number)).await.unwrap();
    }
    let sink =
        |cache: &Cache| __private::worker(queue(&CAREFUL, cache), exact.clone(), Exact::take);
    let running = Running::start(sink(&here));
    eventually!(exact.numbers().len() == 8);
    running.stop().await;

    replica.run::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    primary.run::<()>(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]).await;
    eventually!(
        primary.run::<String>(&["INFO", "replication"]).await.contains("master_link_status:up")
    );
    primary.run::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    for number in 8..11 {
        careful.push(step(0, number)).await.unwrap();
    }
    let running = Running::start(sink(&here));
    eventually!(careful.length().await.unwrap() == QueueLength::default());
    running.stop().await;
    assert_eq!(exact.numbers(), (0..11).collect::<Vec<_>>());
}
