//! Values that writes store: `#[write_through]`, `Cache::put`, and the items of queues with what
//! they put.

use std::time::Duration;

use cache_fixtures::stores::on_both_stores;
use cache_runtime::{ErrorKind, Key, cached, write_behind, write_through};
use cache_testing::barrier::Counter;
use serde::{Deserialize, Serialize};

use crate::altered::{Account, Model};
use crate::fixture::Fixture;

#[cached(key = "model", ttl = 3600, skip(runs))]
async fn model(runs: &Counter) -> Model {
    runs.count();
    Model { id: 0, name: "stored".to_owned() }
}

#[cached(key = "account", ttl = 3600, skip(runs))]
async fn account(runs: &Counter) -> Account {
    runs.count();
    Account { name: "stored".to_owned(), password: None }
}

#[write_through(model(), account() = Account {
    name: result.name.clone(),
    password: Some("secret".to_owned()),
})]
async fn write(id: u64) -> Model {
    Model { id, name: "written".to_owned() }
}

async fn what_a_write_would_alter_is_invalidated(fixture: Fixture) {
    let cache = &fixture.cache;
    cache.scope(model(&fixture.runs)).await;
    cache.scope(account(&fixture.runs)).await;
    assert_eq!(cache.scope(write(7)).await.id, 7, "the write has its result");
    assert_eq!((fixture.stats("model").misuses, fixture.stats("account").misuses), (1, 1));
    assert_eq!(cache.get(&model_key()).await.unwrap(), None);
    assert_eq!(cache.get(&account_key()).await.unwrap(), None);
    // The fence is gone: loads are stored again.
    cache.scope(model(&fixture.runs)).await;
    cache.scope(model(&fixture.runs)).await;
    assert_eq!(fixture.runs.get(), 3);
    cache.scope(write(0)).await;
    assert_eq!(cache.get(&model_key()).await.unwrap().unwrap().name, "written");

    let call = tokio::spawn(fixture.strict.scope(write(7)));
    assert!(call.await.unwrap_err().is_panic());
    // The write was over by then.
    fixture.strict.scope(model(&fixture.runs)).await;
    assert!(fixture.strict.get(&model_key()).await.unwrap().is_some());
}

async fn a_put_by_hand_is_refused(fixture: Fixture) {
    let cache = &fixture.cache;
    let refused = cache.put(&model_key(), &Model { id: 7, name: "Ada".to_owned() }).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Altered);
    assert!(error.to_string().contains("`id`") && !error.to_string().contains("Ada"), "{error}");
    assert_eq!(cache.get(&model_key()).await.unwrap(), None);
    assert_eq!(fixture.stats("model").misuses, 1);

    let own: Key<Option<f64>> = Key::<Option<f64>>::builder().text("own").done();
    let own = own.ttl(Duration::from_secs(3600));
    let error = cache.put(&own, &Some(f64::NAN)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Altered);
    assert_eq!(fixture.stats("by hand").misuses, 1);
    cache.put(&own, &Some(0.1)).await.unwrap();
    assert_eq!(cache.get(&own).await.unwrap(), Some(Some(0.1)));
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    counter: u64,
    #[serde(skip_serializing, default)]
    token: Option<String>,
    #[serde(skip_deserializing)]
    total: u64,
}

fn item(token: Option<&str>, total: u64) -> Item {
    Item { counter: 1, token: token.map(str::to_owned), total }
}

#[cached(key = "item:<counter>", ttl = 3600)]
async fn get_item(counter: u64) -> Item {
    Item { counter, ..item(None, 0) }
}

#[write_behind(
    queue = "items",
    key = "<item.counter>",
    put(get_item(item.counter) = Item { total: 7, ..item.clone() })
)]
async fn save_items(items: Vec<Item>) -> Result<(), String> {
    drop(items);
    std::future::ready(Ok(())).await
}

/// The database would get something else.
async fn an_item_that_is_altered_is_refused(fixture: Fixture) {
    let push = async |item| fixture.cache.scope(save_items_queue().push(item)).await;
    for altered in [item(Some("secret"), 0), item(None, 7)] {
        let error = push(altered).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Altered, "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert_eq!(fixture.stats("save_items").misuses, 2);
    assert_eq!(fixture.cache.stats().queue("items").unwrap().pushed, 0);
    // The item itself comes back; what it puts does not.
    push(item(None, 0)).await.unwrap();
    assert_eq!(fixture.cache.stats().queue("items").unwrap().pushed, 1);
    assert_eq!(fixture.stats("get_item").misuses, 1);
    assert_eq!(fixture.cache.get(&get_item_key(&1)).await.unwrap(), None);
    let push = async { save_items_queue().push(item(None, 7)).await };
    let call = tokio::spawn(fixture.strict.scope(push));
    assert!(call.await.unwrap_err().is_panic());
}

#[write_behind(queue = "lossy", key = "<item.counter>", lossy_values)]
async fn save_lossy(items: Vec<Item>) -> Result<(), String> {
    drop(items);
    std::future::ready(Ok(())).await
}

/// The user's word that the sink can do without.
async fn lossy_items_are_pushed(fixture: Fixture) {
    let push = async { save_lossy_queue().push(item(Some("secret"), 7)).await };
    fixture.strict.scope(push).await.unwrap();
    assert_eq!(fixture.strict.stats().queue("lossy").unwrap().pushed, 1);
}

on_both_stores! {
    lossy_items_are_pushed
    what_a_write_would_alter_is_invalidated
    a_put_by_hand_is_refused
    an_item_that_is_altered_is_refused
}
