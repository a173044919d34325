//! What becomes of a push when Redis fails, or its caller goes away.

use std::task::Poll;

use cache_fixtures::patient;
use cache_runtime::__private::QueueSite;
use cache_runtime::ErrorKind;
use cache_runtime::stats::{BreakerState, QueueLength};
use cache_testing::barrier::eventually;
use cache_testing::log;
use cache_testing::proxy::{Link, Proxy};
use cache_testing::redis::RedisServer;
use cache_testing::within_limit;
use tokio::runtime::Builder;

use crate::stage::{CAREFUL, HASTY, Ledger, PATIENT, Running, STEPS, Stage, queue, step, worker};

static LATEST: QueueSite =
    QueueSite::new("faults::latest", "latest").partitions(1).linger_ms(0).push_timeout_ms(300);

#[tokio::test]
async fn with_redis_down_a_push_goes_to_the_sink_of_this_process() {
    let server = RedisServer::builder().down();
    let cache = patient().connect(&server.url()).unwrap();
    let (steps, ledger) = (queue(&STEPS, &cache), Ledger::default());
    assert_eq!(steps.push(step(0, 0)).await.unwrap_err().kind(), ErrorKind::Unavailable);

    let direct = worker(&STEPS, &cache, &ledger);
    steps.push(step(0, 1)).await.unwrap();
    assert_eq!(ledger.of(0), [1]);
    assert!(ledger.versions()[0] > 0);
    ledger.refuse(|_| true);
    let error = steps.push(step(0, 2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Sink);
    assert!(error.to_string().contains("no step 2"), "{error}");
    drop(direct);
    assert_eq!(steps.push(step(0, 3)).await.unwrap_err().kind(), ErrorKind::Unavailable);

    let careful = queue(&CAREFUL, &cache);
    let _direct = worker(&CAREFUL, &cache, &Ledger::default());
    assert_eq!(careful.push(step(0, 4)).await.unwrap_err().kind(), ErrorKind::Unavailable);
    let stats = cache.stats();
    assert_eq!(
        (stats.queue("steps").unwrap().direct, stats.queue("steps").unwrap().failed),
        (1, 3)
    );
}

#[tokio::test]
async fn a_push_whose_answer_is_lost_is_stored_once() {
    log::capture();
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let cache = patient().connect(&server.url_at(proxy.port())).unwrap();
    let there = patient().connect(&server.url()).unwrap();
    let (patient, ledger) = (queue(&PATIENT, &cache), Ledger::default());
    patient.push(step(0, 0)).await.unwrap();
    let length = || async { queue(&PATIENT, &there).length().await.unwrap().waiting };
    let mut number = 1;
    while number <= 5 {
        eventually!(cache.stats().breaker == Some(BreakerState::Closed));
        proxy.set(Link::HoldReplies).await;
        let patient = patient.clone();
        let pushing = tokio::spawn(async move { patient.push(step(0, number)).await });
        eventually!(length().await == number + 1 || pushing.is_finished());
        proxy.reset_connections();
        proxy.set(Link::Pass).await;
        match pushing.await.unwrap() {
            Ok(()) => number += 1,
            // The connection was lost before it was sent.
            Err(error) => {
                let (accepted, open) = (proxy.accepted(), proxy.open());
                let lines = log::about(proxy.port());
                let told = format!("{error}; {accepted} connections, {open} open; {lines:#?}");
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{told}");
            }
        }
        assert_eq!(length().await, number);
    }
    let running = Running::start(worker(&PATIENT, &cache, &ledger));
    eventually!(ledger.len() == 6);
    running.stop().await;
    assert_eq!(ledger.of(0), [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_push_whose_answer_does_not_come_back_says_so() {
    let server = RedisServer::start().await;
    let proxy = Proxy::to(&server).await;
    let cache = patient().connect(&server.url_at(proxy.port())).unwrap();
    let (hasty, latest) = (queue(&HASTY, &cache), queue(&LATEST, &cache));
    let ledger = Ledger::default();
    let _direct = worker(&LATEST, &cache, &ledger);
    eventually!(hasty.push(step(0, 0)).await.is_ok());
    proxy.set(Link::HoldReplies).await;
    let error = hasty.push(step(0, 1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InDoubt, "{error}");
    proxy.reset_connections();
    proxy.set(Link::Pass).await;

    // Whole values do no harm twice.
    eventually!(hasty.push(step(0, 2)).await.is_ok());
    proxy.set(Link::HoldReplies).await;
    latest.push(step(0, 2)).await.unwrap();
    assert_eq!(ledger.of(0), [2]);
}

/// What could not be sent, for want of a connection, certainly is not there.
#[tokio::test]
async fn a_push_that_was_never_sent_is_not_in_doubt() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let (hasty, latest) = (queue(&HASTY, &cache), queue(&LATEST, &cache));
    // Whoever connects is let in by the system, and not answered.
    server.stop();
    let error = hasty.push(step(0, 0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let ledger = Ledger::default();
    let _direct = worker(&LATEST, &cache, &ledger);
    latest.push(step(0, 1)).await.unwrap();
    assert_eq!(ledger.of(0), [1]);
    server.cont();
    eventually!(hasty.length().await.is_ok_and(|length| length == QueueLength::default()));
    assert_eq!(latest.length().await.unwrap(), QueueLength::default());
}

#[tokio::test]
async fn a_push_to_a_server_that_stands_still_is_stored_once_or_not_at_all() {
    let server = RedisServer::start().await;
    let cache = patient().connect(&server.url()).unwrap();
    let hasty = queue(&HASTY, &cache);
    let length = async || hasty.length().await.unwrap().waiting;
    eventually!(hasty.push(step(0, 0)).await.is_ok());
    let before = length().await;
    server.stop();
    // The server gets this one, and reads it when it goes on.
    let error = hasty.push(step(0, 1)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InDoubt), "{error:?}");
    server.cont();
    let mut pushed = 1;
    eventually!({
        pushed += 1;
        hasty.push(step(0, pushed)).await.is_ok()
    });
    let stored = length().await - before;
    assert!((1..=pushed).contains(&stored), "{stored} of {pushed}");
}

#[tokio::test]
async fn a_push_that_is_dropped_is_stored_once_or_not_at_all() {
    const PUSHES: u64 = 200;
    let stage = Stage::redis().await;
    let (careful, ledger) = (queue(&CAREFUL, &stage.cache), Ledger::default());
    careful.push(step(1, 0)).await.unwrap();
    let mut acknowledged = Vec::new();
    for number in 0..PUSHES {
        let mut polls = number % 8;
        let mut push = std::pin::pin!(careful.push(step(0, number)));
        let pushed = std::future::poll_fn(|cx| match push.as_mut().poll(cx) {
            Poll::Ready(pushed) => Poll::Ready(Some(pushed)),
            Poll::Pending if polls == 0 => Poll::Ready(None),
            Poll::Pending => {
                polls -= 1;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        });
        if let Some(pushed) = pushed.await {
            pushed.unwrap();
            acknowledged.push(number);
        }
    }
    careful.push(step(1, 1)).await.unwrap();
    let running = Running::start(worker(&CAREFUL, &stage.cache, &ledger));
    eventually!(ledger.of(1) == [0, 1]);
    running.stop().await;
    let stored = ledger.of(0);
    assert!(stored.windows(2).all(|pair| pair[0] < pair[1]), "{stored:?}");
    assert!(acknowledged.iter().all(|number| stored.contains(number)));
}

#[tokio::test]
async fn a_push_is_one_command() {
    let stage = Stage::redis().await;
    let server = &stage.server.as_ref().unwrap().0;
    let careful = queue(&CAREFUL, &stage.cache);
    careful.push(step(0, 0)).await.unwrap();
    stage.is_listed("careful").await;
    let server = server.single();
    server.reset_commandstats().await;
    for number in 1..=10 {
        careful.push(step(0, number)).await.unwrap();
    }
    let stats = server.commandstats().await;
    let within = ["zscore", "hmget", "hset", "xadd", "zadd", "zremrangebyscore", "expire", "time"];
    let sent = stats.iter().filter(|(name, _)| !within.contains(&name.as_str()));
    // Whoever asks for the statistics says hello.
    let sent: Vec<_> = sent.filter(|(name, _)| !matches!(&name[..], "hello" | "ping")).collect();
    assert_eq!(sent, [(&"evalsha".to_owned(), &10)]);
}

#[tokio::test]
async fn pushes_at_the_same_time_share_a_command() {
    let stage = Stage::redis().await;
    let server = stage.server.as_ref().unwrap().0.single();
    let (careful, ledger) = (queue(&CAREFUL, &stage.cache), Ledger::default());
    careful.push(step(0, 0)).await.unwrap();
    stage.is_listed("careful").await;
    server.reset_commandstats().await;
    let push = |number| careful.push(step(0, number));
    // One of them is given up before anything is sent.
    let given_up = async {
        let mut push = std::pin::pin!(push(9));
        _ = std::future::poll_fn(|cx| Poll::Ready(push.as_mut().poll(cx).is_ready())).await;
    };
    let (first, second, (), third) = tokio::join!(push(1), push(2), given_up, push(3));
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!(server.commandstats().await["evalsha"], 1);
    let running = Running::start(worker(&CAREFUL, &stage.cache, &ledger));
    eventually!(ledger.of(0) == [0, 1, 2, 3]);
    running.stop().await;
}

/// The runtime of whoever sends for all is driven no further, in the middle of a call.
#[test]
fn a_runtime_that_stands_still_holds_up_no_other() {
    let servers = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = servers.block_on(RedisServer::start());
    let still = Builder::new_current_thread().enable_all().build().unwrap();
    let cache = patient().connect(&server.url()).unwrap();
    let patient = queue(&PATIENT, &cache);
    still.block_on(patient.push(step(0, 0))).unwrap();
    server.stop();
    still.block_on(async {
        let mut push = std::pin::pin!(patient.push(step(0, 1)));
        for _ in 0..100 {
            assert!(
                std::future::poll_fn(|cx| Poll::Ready(push.as_mut().poll(cx))).await.is_pending()
            );
            tokio::task::yield_now().await;
        }
    });
    server.cont();
    servers.block_on(async {
        within_limit("a push", patient.push(step(0, 2))).await.unwrap();
        let ledger = Ledger::default();
        let running = Running::start(worker(&PATIENT, &cache, &ledger));
        eventually!(ledger.of(0).ends_with(&[2]));
        running.stop().await;
    });
}
