//! `strict_values`: a value that would come back as another one is an error.

use std::collections::HashMap;

use cache_fixtures::patient;
use cache_fixtures::stores::on_both_stores;
use cache_runtime::{Cache, CallExt as _, Error, ErrorKind, cached};
use cache_testing::barrier::{Counter, Gate};
use cache_testing::redis::RedisServer;
use cache_testing::within_limit;

use crate::altered::{Account, Model};
use crate::stage::{Stage, begun, going_on};

/// What the service returns: whether the value was refused.
#[derive(Clone, Debug, PartialEq)]
enum Failed {
    Altered(String),
    Otherwise,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Altered => Self::Altered(error.to_string()),
            _ => Self::Otherwise,
        }
    }
}

#[cached(key = "model:<id>", ttl = 3600, skip(runs, gate), strict_values)]
async fn model(runs: &Counter, gate: &Gate, id: u64) -> Result<Model, Failed> {
    runs.count();
    gate.pass().await;
    Ok(Model { id, name: "Ada".to_owned() })
}

#[cached(batch(id in ids), key = model_key(id), ttl = 3600, skip(runs), strict_values)]
async fn models(runs: &Counter, ids: &[u64]) -> Result<HashMap<u64, Model>, Failed> {
    runs.count();
    Ok(ids.iter().map(|&id| (id, Model { id, name: "Ada".to_owned() })).collect())
}

#[cached(key = "account", ttl = 3600, skip(runs), stale_if_error = "1h", strict_values)]
async fn account(runs: &Counter) -> Result<Account, Failed> {
    let run = runs.count();
    let password = (run > 1).then(|| "secret".to_owned());
    Ok(Account { name: "Ada".to_owned(), password })
}

fn is_refused<T: std::fmt::Debug>(result: Result<T, Failed>) {
    match result {
        Err(Failed::Altered(message)) => {
            assert!(!message.contains("Ada") && !message.contains("secret"), "{message}");
        }
        other => panic!("refused: {other:?}"),
    }
}

async fn the_call_and_those_who_wait_for_it_fail(stage: Stage) {
    let gate = Gate::new();
    let call = |id| stage.cache.scope(model(&stage.runs, &gate, id));
    let mut leader = begun(call(7)).await;
    going_on!(gate.entered(1); leader);
    let waiters = (begun(call(7)).await, begun(call(7)).await, begun(call(7)).await);
    gate.open();
    is_refused(within_limit("the leader", leader).await);
    let all = async { tokio::join!(waiters.0, waiters.1, waiters.2) };
    let (first, second, third) = within_limit("those who wait", all).await;
    [first, second, third].into_iter().for_each(is_refused);
    let runs = stage.runs.get();
    assert!(
        (2..4).contains(&runs),
        "they share the error of a load that has begun after their calls"
    );
    is_refused(call(7).await);
    // What serde makes of it is what it was.
    assert_eq!(call(0).await.unwrap().id, 0);
    assert_eq!(call(0).await.unwrap().id, 0);
    assert_eq!(stage.runs.get(), runs + 2);
}

async fn a_batch_fails_and_stores_the_others(stage: Stage) {
    let gate = Gate::new();
    is_refused(stage.cache.scope(models(&stage.runs, &[0, 7])).await);
    assert_eq!(stage.cache.scope(model(&stage.runs, &gate, 0)).await.unwrap().id, 0);
    assert_eq!(stage.runs.get(), 1);
    assert_eq!(stage.cache.scope(models(&stage.runs, &[0])).await.unwrap().len(), 1);
    assert_eq!(stage.runs.get(), 1);
}

/// As with any error, what is there is kept.
async fn a_refresh_fails(stage: Stage) {
    let cache = &stage.cache;
    assert_eq!(cache.scope(account(&stage.runs)).await.unwrap().password, None);
    is_refused(cache.scope(async { account(&stage.runs).refresh().await }).await);
    assert_eq!(cache.scope(account(&stage.runs)).await.unwrap().password, None);
    assert_eq!(stage.runs.get(), 2);
}

/// Whether Redis is there makes no difference.
#[tokio::test]
async fn with_redis_down_the_call_fails() {
    let server = RedisServer::builder().down();
    let (cache, gate) = (patient().connect(&server.url()).unwrap(), Gate::new());
    gate.open();
    is_refused(cache.scope(model(&Counter::new(), &gate, 7)).await);
    assert_eq!(cache.scope(model(&Counter::new(), &gate, 0)).await.unwrap().id, 0);
    is_refused(cache.scope(models(&Counter::new(), &[0, 7])).await);
}

#[tokio::test]
async fn past_the_cache_nothing_is_refused() {
    let gate = Gate::new();
    gate.open();
    let cache = Cache::disabled();
    assert_eq!(cache.scope(model(&Counter::new(), &gate, 7)).await.unwrap().id, 7);
    let cache = Cache::in_memory();
    let call = cache.scope(async { model(&Counter::new(), &gate, 7).bypass().await });
    assert_eq!(call.await.unwrap().id, 7);
}

on_both_stores! {
    the_call_and_those_who_wait_for_it_fail
    a_batch_fails_and_stores_the_others
    a_refresh_fails
}
