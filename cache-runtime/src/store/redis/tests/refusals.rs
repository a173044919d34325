//! Servers that answer with errors.

use std::time::Duration;

use cache_testing::redis::Program;

use crate::error::Refusal;
use crate::store::redis::tests::*;
use crate::store::{Ended, StoreError};

fn refused(code: &str) -> StoreError {
    StoreError::Refused(Refusal::new(code, ""))
}

#[tokio::test]
async fn scripts_are_sent_again_after_a_flush() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let other = server.client().await;
    let keys: Vec<_> = (0..50).map(|number| format!("user:{number}")).collect();
    let names: Vec<_> = keys.iter().map(|key| Name::new(key)).collect();
    let writer = Token::random();
    for _ in 0..3 {
        put(&store, names[0], "one").await;
        assert_eq!(store.begin(&names, writer, LEASE, soon()).await, vec![Ok(true); 50]);
        let _: () = other.call("SCRIPT", "FLUSH").await;
        assert_eq!(
            store.end(ends(&names), writer, NONE, soon()).await,
            vec![Ok(Ended::Removed); 50]
        );
    }
    // Each batch sent one body, whatever the number of its keys. Before Redis 7 there is one more,
    // for the lease.
    let rounds = if Program::get().is_redis_from(7, 0) { 3 * 3 } else { 3 * 4 };
    let stats: String = other.call("INFO", "commandstats").await;
    let bodies = stats.lines().find_map(|line| line.strip_prefix("cmdstat_eval:calls=")).unwrap();
    let bodies: u32 = bodies.split(',').next().unwrap().parse().unwrap();
    assert!(bodies <= 1 + rounds, "{bodies}");
}

#[tokio::test]
async fn a_full_server_loses_values_but_not_invalidations() {
    let server = RedisServer::with(&["maxmemory 1", "maxmemory-policy noeviction"]).await;
    let store = store(&server);
    let other = server.client().await;
    let name = Name::new("user:1");
    let _: () = other.call("CONFIG", ("SET", "maxmemory", "100mb")).await;
    put(&store, name, "one").await;
    let _: () = other.call("CONFIG", ("SET", "maxmemory", "1")).await;

    assert_eq!(payload(&store, name).await.as_deref(), Some("one"), "reads pass");
    let empty = Name::new("user:2");
    let acquired = store.acquire(empty, Token::random(), LEASE, None, soon()).await;
    assert_eq!(acquired.err(), Some(refused("OOM")));
    let writer = Token::random();
    assert!(matches!(store.begin(&[name], writer, LEASE, soon()).await[..], [Ok(_)]));
    assert_eq!(payload(&store, name).await, None, "the value is gone");
    assert_eq!(store.end(ends(&[name]), writer, NONE, soon()).await, [Ok(Ended::Removed)]);

    let _: () = other.call("CONFIG", ("SET", "maxmemory", "100mb")).await;
    put(&store, name, "two").await;
    let _: () = other.call("CONFIG", ("SET", "maxmemory", "1")).await;
    assert_eq!(store.invalidate(&[name], TTL, soon()).await, [Ok(())]);
    assert_eq!(payload(&store, name).await, None);
}

#[tokio::test]
async fn without_permission_for_scripts_removals_still_work() {
    let server = RedisServer::start().await;
    let other = server.client().await;
    let rules = "on >secret ~* +@all -eval -evalsha -script";
    let _: () = other.call("ACL", ("SETUSER", "app", rules.split(' ').collect::<Vec<_>>())).await;
    let admin = store(&server);
    let app = store_at(&format!("redis://app:secret@127.0.0.1:{}", server.port()));
    let (mine, held, foreign) = (Name::new("user:1"), Name::new("user:2"), Name::new("user:3"));
    let _: () = other.call("SET", (foreign.text, "hello")).await;
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
    assert_eq!(
        app.invalidate_matching("user:*", Duration::ZERO, &Sweep::default(), soon()).await,
        Ok(1)
    );
    let left: String = other.call("GET", foreign.text).await;
    assert_eq!(left, "hello");

    let _: () = other.call("ACL", ("SETUSER", "app", &["+eval", "+evalsha"])).await;
    until("scripts run again", async || {
        app.acquire(mine, Token::random(), LEASE, None, soon()).await.is_ok()
    })
    .await;
}

/// A server, a store for which scripts run, and one for which they do not.
async fn two_users() -> (RedisServer, RedisStore, RedisStore) {
    let server = RedisServer::start().await;
    let rules = "on >secret ~* +@all -eval -evalsha".split(' ').collect::<Vec<_>>();
    let _: () = server.client().await.call("ACL", ("SETUSER", "app", rules)).await;
    let app = store_at(&format!("redis://app:secret@127.0.0.1:{}", server.port()));
    let admin = store(&server);
    (server, admin, app)
}

#[tokio::test]
async fn without_scripts_no_fence_of_others_is_lifted() {
    let (_server, admin, app) = two_users().await;
    let name = Name::new("user:1");
    let (one, two) = (Token::random(), Token::random());
    let begin = async |writer| admin.begin(&[name], writer, LEASE, soon()).await;
    let end = async |writer| admin.end(ends(&[name]), writer, NONE, soon()).await;
    let fenced = async || matches!(acquire(&admin, name, Token::random()).await, Acquired::Fenced);

    // Its writer may store a value that is older than this invalidation.
    assert_eq!(begin(one).await, [Ok(true)]);
    assert_eq!(app.invalidate(&[name], NONE, soon()).await, [Err(refused("NOPERM"))]);
    let ended = app.end(ends(&[name]), two, NONE, soon()).await;
    assert_eq!(ended, [Err(refused("NOPERM"))]);
    assert!(fenced().await);

    // Writers that have overlapped store nothing.
    assert_eq!(begin(two).await, [Ok(true)]);
    assert_eq!(app.invalidate(&[name], NONE, soon()).await, [Ok(())]);
    assert_eq!(app.end(ends(&[name]), two, NONE, soon()).await, [Ok(Ended::Standing)]);
    assert!(fenced().await);
    assert_eq!(end(two).await, [Ok(Ended::Standing)]);
    assert_eq!(app.invalidate(&[name], NONE, soon()).await, [Ok(())]);
    assert!(fenced().await);
    assert_eq!(end(one).await, [Ok(Ended::Removed)]);
    assert_eq!(app.invalidate(&[name], NONE, soon()).await, [Ok(())]);
    put(&admin, name, "one").await;
}

#[tokio::test]
async fn a_writer_lifts_its_fence_also_once_scripts_are_refused() {
    let (server, _, app) = two_users().await;
    let other = server.client().await;
    let _: () = other.call("ACL", ("SETUSER", "app", &["+eval", "+evalsha"])).await;
    let (name, writer) = (Name::new("user:1"), Token::random());
    assert_eq!(app.begin(&[name], writer, LEASE, soon()).await, [Ok(true)]);
    let _: () = other.call("ACL", ("SETUSER", "app", &["-eval", "-evalsha"])).await;
    assert_eq!(app.end(ends(&[name]), writer, NONE, soon()).await, [Ok(Ended::Removed)]);
    let left: Option<String> = other.call("GET", name.text).await;
    assert_eq!(left, None);
}

#[tokio::test]
async fn without_scripts_a_hold_off_holds_for_what_was_not_there() {
    let (_server, admin, app) = two_users().await;
    let (absent, leased) = (Name::new("user:1"), Name::new("user:2"));
    let token = Token::random();
    assert!(matches!(acquire(&admin, leased, token).await, Acquired::Leased));
    assert_eq!(app.invalidate(&[absent, leased], TTL, soon()).await, [Ok(()), Ok(())]);
    for name in [absent, leased] {
        assert!(matches!(acquire(&admin, name, Token::random()).await, Acquired::Fenced));
    }
    assert_eq!(admin.fill(leased, fill(leased, token, "old"), soon()).await, Ok(false));
}

#[tokio::test]
async fn an_older_server_takes_leases_by_script() {
    // Redis 6.2 and older know no `SET … NX GET`; the first refusal is remembered.
    let server = RedisServer::start().await;
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
    let _: () = server.client().await.call("COPY", (name.text, copy.text)).await;
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
    let server = RedisServer::start().await;
    let store = store(&server);
    let name = Name::new("user:1");
    put(&store, name, "one").await;
    let epoch = store.snapshot().epoch;
    let other = server.client().await;
    let _: () = other.call("REPLICAOF", ("127.0.0.1", "1")).await;
    until("the connection is replaced", async || {
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

/// Redis 6.2 wraps what a script meets.
#[tokio::test]
async fn a_demoted_primary_is_left_also_if_it_says_so_of_a_script() {
    let port = fake::serve(|command| {
        let reply = match command[0].as_str() {
            "EVAL" if command[1] == "return 1" => ":1",
            "INFO" => "$0\r\n",
            "EVALSHA" => {
                "-ERR Error running script (call to f_1f8f4cfba6f3375f8c4ec02b9de4361a5dea5c64): \
                 @user_script:12: @user_script: 12: -READONLY You can't write against a read only \
                 replica."
            }
            "SET" => "-ERR syntax error",
            _ => "+OK",
        };
        format!("{reply}\r\n").into_bytes()
    });
    let store = store_at(&format!("redis://127.0.0.1:{}", port.await));
    let name = Name::new("user:1");
    let readonly = [Err(refused("READONLY"))];
    assert_eq!(store.invalidate(&[name], NONE, soon()).await, readonly);
    let epoch = store.snapshot().epoch;
    until("the connection is replaced", async || {
        let results = store.invalidate(&[name], NONE, soon()).await;
        assert!(results == readonly || results == [Err(StoreError::Lost)], "{results:?}");
        store.snapshot().epoch > epoch
    })
    .await;
}

#[tokio::test]
async fn nothing_is_stored_for_a_while_once_a_server_was_loading() {
    let port = fake::serve(|command| {
        let reply = match command[0].as_str() {
            "EVAL" => ":1",
            "INFO" => "$0\r\n",
            "GET" => "-LOADING Redis is loading the dataset in memory",
            "SET" => "$-1",
            _ => "+OK",
        };
        format!("{reply}\r\n").into_bytes()
    });
    let store = store_at(&format!("redis://127.0.0.1:{}", port.await));
    let name = Name::new("user:1");
    assert!(matches!(acquire(&store, name, Token::random()).await, Acquired::Leased));
    assert_eq!(store.get(name, soon()).await, Err(refused("LOADING")));
    assert!(matches!(acquire(&store, name, Token::random()).await, Acquired::Quiet));
    assert_eq!(store.fill(name, fill(name, Token::random(), "one"), soon()).await, Ok(false));
}
