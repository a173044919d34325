//! Rules of writing.

use std::time::Duration;

use crate::store::Ended;
use crate::store::redis::tests::*;

const FENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_fence_keeps_loads_out_until_its_writer_is_done() {
    let server = Server::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let (loader, writer) = (Token::random(), Token::random());
    assert!(matches!(acquire(&store, name, loader).await, Acquired::Leased));
    assert_eq!(store.begin(&[name], writer, FENCE, soon()).await, [Ok(true)]);

    let record = store.get(name, soon()).await.unwrap().unwrap();
    assert!(matches!(read(name, record), Found::Fence));
    assert!(!store.fill(name, fill(name, loader, "stale"), soon()).await.unwrap());
    assert!(matches!(acquire(&store, name, loader).await, Acquired::Fenced));
    let reject = Some(Token::random());
    let acquired = store.acquire(name, loader, LEASE, reject, soon()).await;
    assert!(matches!(acquired, Ok(Acquired::Fenced)));

    assert_eq!(store.end(ends(&[name]), writer, NONE, soon()).await, [Ok(Ended::Removed)]);
    assert_eq!(store.get(name, soon()).await, Ok(None));
}

#[tokio::test]
async fn one_writer_does_not_lift_the_fence_of_another() {
    let server = Server::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let (first, second) = (Token::random(), Token::random());
    assert_eq!(store.begin(&[name], first, FENCE, soon()).await, [Ok(true)]);
    assert_eq!(store.begin(&[name], second, FENCE, soon()).await, [Ok(true)]);
    assert_eq!(store.end(ends(&[name]), second, NONE, soon()).await, [Ok(Ended::Standing)]);
    assert_eq!(store.invalidate(&[name], NONE, soon()).await, [Ok(())]);
    assert!(matches!(acquire(&store, name, Token::random()).await, Acquired::Fenced));
    assert_eq!(
        store.invalidate_matching("user:*", Duration::ZERO, &Sweep::default(), soon()).await,
        Ok(1)
    );
    assert!(matches!(acquire(&store, name, Token::random()).await, Acquired::Fenced));
    assert_eq!(store.end(ends(&[name]), first, NONE, soon()).await, [Ok(Ended::Removed)]);
    assert!(matches!(acquire(&store, name, Token::random()).await, Acquired::Leased));
}

#[tokio::test]
async fn a_fence_runs_out() {
    let server = Server::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let writer = Token::random();
    assert_eq!(store.begin(&[name], writer, Duration::from_millis(1), soon()).await, [Ok(true)]);
    server::eventually("the fence ends", async || store.get(name, soon()).await == Ok(None)).await;
    put(&store, name, "slipped in").await;
    assert_eq!(store.end(ends(&[name]), writer, NONE, soon()).await, [Ok(Ended::Removed)]);
    assert_eq!(store.get(name, soon()).await, Ok(None), "the fence was lost, the value is suspect");
}

#[tokio::test]
async fn a_value_is_written_through_a_fence_that_nobody_else_touched() {
    let server = Server::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let (first, second) = (Token::random(), Token::random());
    let end_with = async |writer, payload| {
        let value = Some(fill(name, Token::random(), payload));
        let replies = store.end(vec![End { name, value }], writer, NONE, soon()).await;
        replies.into_iter().next().unwrap()
    };
    store.begin(&[name], first, FENCE, soon()).await;
    assert_eq!(end_with(first, "one").await, Ok(Ended::Stored));
    assert_eq!(payload(&store, name).await.as_deref(), Some("one"));

    // Two writers, one after the other: the second was never alone.
    store.begin(&[name], first, FENCE, soon()).await;
    store.begin(&[name], second, FENCE, soon()).await;
    assert_eq!(end_with(first, "two").await, Ok(Ended::Standing));
    assert_eq!(end_with(second, "three").await, Ok(Ended::Removed));
    assert_eq!(store.get(name, soon()).await, Ok(None));

    assert_eq!(end_with(first, "without a fence").await, Ok(Ended::Removed));
    assert_eq!(store.get(name, soon()).await, Ok(None));
}

#[tokio::test]
async fn a_writer_of_many_keys_stores_each_value_by_itself() {
    let server = Server::start().await;
    let store = store(&server);
    let (first, second) = (Token::random(), Token::random());
    let [alone, met, without] = ["user:1", "user:2", "user:3"].map(Name::new);
    store.begin(&[alone, met, without], first, FENCE, soon()).await;
    store.begin(&[met], second, FENCE, soon()).await;
    let end = |name, payload: Option<&str>| End {
        name,
        value: payload.map(|payload| fill(name, first, payload)),
    };
    let ends = vec![end(met, Some("met")), end(alone, Some("alone")), end(without, None)];
    let replies = store.end(ends, first, TTL, soon()).await;
    assert_eq!(replies, [Ok(Ended::Standing), Ok(Ended::Stored), Ok(Ended::Removed)]);
    assert_eq!(payload(&store, alone).await.as_deref(), Some("alone"));
    let acquired = acquire(&store, without, first).await;
    assert!(matches!(acquired, Acquired::Fenced), "the hold-off is for what was not stored");
}

#[tokio::test]
async fn a_hold_off_leaves_a_tombstone() {
    let server = Server::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    let writer = Token::random();
    put(&store, name, "one").await;
    assert_eq!(store.invalidate(&[name], TTL, soon()).await, [Ok(())]);
    assert!(matches!(acquire(&store, name, Token::random()).await, Acquired::Fenced));
    assert_eq!(store.begin(&[name], writer, FENCE, soon()).await, [Ok(true)]);
    assert_eq!(store.end(ends(&[name]), writer, TTL, soon()).await, [Ok(Ended::Removed)]);
    assert!(matches!(acquire(&store, name, Token::random()).await, Acquired::Fenced));
    assert_eq!(store.invalidate(&[name], NONE, soon()).await, [Ok(())]);
    assert!(matches!(acquire(&store, name, Token::random()).await, Acquired::Leased));
}

#[tokio::test]
async fn many_keys_take_few_round_trips() {
    let server = Server::start().await;
    let store = store(&server);
    let keys: Vec<_> = (0..600).map(|number| format!("user:{number}")).collect();
    let names: Vec<_> = keys.iter().map(|key| Name::new(key)).collect();
    let writer = Token::random();
    put(&store, names[599], "last").await;
    assert_eq!(store.begin(&names, writer, FENCE, soon()).await, vec![Ok(true); 600]);
    assert_eq!(store.end(ends(&names), writer, NONE, soon()).await, vec![Ok(Ended::Removed); 600]);
    put(&store, names[599], "last").await;
    assert_eq!(store.invalidate(&names, NONE, soon()).await, vec![Ok(()); 600]);
    assert_eq!(store.get(names[599], soon()).await, Ok(None));
    assert_eq!(store.invalidate(&[], NONE, soon()).await, []);
}
