//! Servers that answer with errors.

use std::time::Duration;

use super::*;
use crate::store::{Ended, StoreError};

fn refused(code: &str) -> StoreError {
    StoreError::Refused(code.to_owned())
}

#[tokio::test]
async fn scripts_are_sent_again_after_a_flush() {
    let server = Server::start().await;
    let store = store(&server);
    let mut other = server.other().await;
    let keys: Vec<_> = (0..50).map(|number| format!("user:{number}")).collect();
    let names: Vec<_> = keys.iter().map(|key| Name::new(key)).collect();
    let writer = Token::random();
    for _ in 0..3 {
        put(&store, names[0], "one").await;
        assert_eq!(store.begin(&names, writer, LEASE, soon()).await, vec![Ok(true); 50]);
        let _: () = other.run("SCRIPT", "FLUSH").await;
        assert_eq!(
            store.end(ends(&names), writer, NONE, soon()).await,
            vec![Ok(Ended::Removed); 50]
        );
    }
    // Each batch sent one body, whatever the number of its keys.
    let stats: String = other.run("INFO", "commandstats").await;
    let bodies = stats.lines().find_map(|line| line.strip_prefix("cmdstat_eval:calls=")).unwrap();
    let bodies: u32 = bodies.split(',').next().unwrap().parse().unwrap();
    assert!(bodies <= 1 + 3 * 3, "{bodies}");
}

#[tokio::test]
async fn a_full_server_loses_values_but_not_invalidations() {
    let server = Server::start_with(&["maxmemory 1mb", "maxmemory-policy noeviction"]).await;
    let store = store(&server);
    let mut other = server.other().await;
    let name = Name::new("user:1");
    let _: () = other.run("CONFIG", ("SET", "maxmemory", "100mb")).await;
    put(&store, name, "one").await;
    let _: () = other.run("CONFIG", ("SET", "maxmemory", "1mb")).await;

    assert_eq!(payload(&store, name).await.as_deref(), Some("one"), "reads pass");
    let empty = Name::new("user:2");
    let acquired = store.acquire(empty, Token::random(), LEASE, None, soon()).await;
    assert_eq!(acquired.err(), Some(refused("OOM")));
    let writer = Token::random();
    assert!(matches!(store.begin(&[name], writer, LEASE, soon()).await[..], [Ok(_)]));
    assert_eq!(payload(&store, name).await, None, "the value is gone");
    assert_eq!(store.end(ends(&[name]), writer, NONE, soon()).await, [Ok(Ended::Removed)]);

    let _: () = other.run("CONFIG", ("SET", "maxmemory", "100mb")).await;
    put(&store, name, "two").await;
    let _: () = other.run("CONFIG", ("SET", "maxmemory", "1mb")).await;
    assert_eq!(store.invalidate(&[name], TTL, soon()).await, [Ok(())]);
    assert_eq!(payload(&store, name).await, None);
}

#[tokio::test]
async fn without_permission_for_scripts_removals_still_work() {
    let server = Server::start().await;
    let mut other = server.other().await;
    let rules = "on >secret ~* +@all -eval -evalsha -script";
    let _: () = other.run("ACL", ("SETUSER", "app", rules.split(' ').collect::<Vec<_>>())).await;
    let admin = store(&server);
    let app = store_at(&format!("redis://app:secret@127.0.0.1:{}", server.port));
    let (mine, held, foreign) = (Name::new("user:1"), Name::new("user:2"), Name::new("user:3"));
    let _: () = other.run("SET", (foreign.text, "hello")).await;
    put(&admin, mine, "one").await;

    assert_eq!(payload(&app, mine).await.as_deref(), Some("one"), "reads pass");
    let acquired = app.acquire(held, Token::random(), LEASE, None, soon()).await;
    assert_eq!(acquired.err(), Some(refused("NOPERM")));
    assert_eq!(app.get(held, soon()).await, Ok(None), "no lease that nobody could fill");
    assert_eq!(app.begin(&[held], Token::random(), LEASE, soon()).await, [Err(refused("NOPERM"))]);

    assert_eq!(
        app.invalidate(&[mine, held, foreign], NONE, soon()).await,
        [Ok(()), Ok(()), Ok(())]
    );
    assert_eq!(payload(&app, mine).await, None);
    put(&admin, mine, "two").await;
    assert_eq!(app.end(ends(&[mine]), Token::random(), TTL, soon()).await, [Ok(Ended::Removed)]);
    assert!(
        matches!(acquire(&admin, mine, Token::random()).await, Acquired::Fenced),
        "a tombstone"
    );
    assert_eq!(app.invalidate_matching("user:*", Duration::ZERO, soon()).await, Ok(1));
    let left: String = other.run("GET", foreign.text).await;
    assert_eq!(left, "hello");

    let _: () = other.run("ACL", ("SETUSER", "app", &["+eval", "+evalsha"])).await;
    put(&app, mine, "three").await;
}

#[tokio::test]
async fn an_older_server_takes_leases_by_script() {
    // Redis 6.2 and older know no `SET … NX GET`; the first refusal is remembered.
    let server = Server::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    let mut route = store.router.route(name);
    let mut session = route.session(soon()).await.unwrap();
    session.takes_no_leases_by_set();
    assert!(matches!(acquire(&store, name, Token::random()).await, Acquired::Value(_)));
    assert_eq!(store.invalidate(&[name], NONE, soon()).await, [Ok(())]);
    put(&store, name, "two").await;
    let copy = Name::new("user:2");
    let _: () = server.other().await.run("COPY", (name.text, copy.text)).await;
    assert!(matches!(acquire(&store, copy, Token::random()).await, Acquired::Leased));
    let held = Token::random();
    assert_eq!(store.invalidate(&[name], NONE, soon()).await, [Ok(())]);
    assert!(matches!(acquire(&store, name, held).await, Acquired::Leased));
    assert!(
        matches!(acquire(&store, name, Token::random()).await, Acquired::Held(left) if left <= LEASE)
    );
}

#[tokio::test]
async fn a_demoted_primary_is_left_for_its_successor() {
    let server = Server::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    let epoch = store.snapshot().epoch;
    let mut other = server.other().await;
    let _: () = other.run("REPLICAOF", ("127.0.0.1", "1")).await;
    server::eventually("the connection is replaced", async || {
        let acquired =
            store.acquire(Name::new("user:2"), Token::random(), LEASE, None, soon()).await;
        assert!(
            matches!(acquired, Err(StoreError::Refused(ref code)) if code == "READONLY")
                || matches!(acquired, Err(StoreError::Lost))
        );
        store.snapshot().epoch > epoch
    })
    .await;
    assert_eq!(payload(&store, name).await.as_deref(), Some("one"), "reads pass");
}
