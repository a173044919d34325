//! Operations on many keys at once.

use crate::store::StoreError;
use crate::store::redis::tests::*;

fn claims<'a>(names: &[Name<'a>]) -> Vec<Claim<'a>> {
    names.iter().map(|name| Claim { name: *name, token: Token::random(), reject: None }).collect()
}

fn fillings<'a>(claims: &[Claim<'a>], payload: &str) -> Vec<Filling<'a>> {
    let filling = |claim: &Claim<'a>| Filling {
        name: claim.name,
        seen: None,
        fill: fill(claim.name, claim.token, payload),
    };
    claims.iter().map(filling).collect()
}

/// How often each command was executed since the last call.
async fn executed(other: &mut server::Other, command: &str) -> u64 {
    let stats: String = other.run("INFO", "commandstats").await;
    let line = format!("cmdstat_{command}:calls=");
    let calls = stats.lines().find_map(|it| it.strip_prefix(&*line)).unwrap_or("0,");
    calls.split(',').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn many_values_are_leased_filled_and_read_in_few_commands() {
    let server = Server::start().await;
    let store = store(&server);
    let mut other = server.other().await;
    let keys: Vec<_> = (0..600).map(|number| format!("user:{number}")).collect();
    let names: Vec<_> = keys.iter().map(|key| Name::new(key)).collect();
    assert_eq!(store.get_many(&names, soon()).await, vec![Ok(None); 600]);

    let claims = claims(&names);
    let acquired = store.acquire_many(&claims, LEASE, soon()).await;
    assert!(acquired.iter().all(|it| matches!(it, Ok(Acquired::Leased))), "{acquired:?}");
    assert_eq!(store.renew_many(&claims, TTL, soon()).await, vec![Ok(true); 600]);
    let left: u64 = other.run("PTTL", names[599].text).await;
    assert!(u128::from(left) > LEASE.as_millis());
    let filled = store.fill_many(fillings(&claims, "one"), soon()).await;
    assert_eq!(filled, vec![Ok(true); 600]);

    let _: () = other.run("CONFIG", "RESETSTAT").await;
    let records = store.get_many(&names, soon()).await;
    for (name, record) in names.iter().zip(records) {
        let Found::Value(value) = read(*name, record.unwrap().unwrap()) else { panic!("no value") };
        assert_eq!(value.payload(), b"one");
    }
    assert_eq!(executed(&mut other, "mget").await, 3, "a chunk is 256 keys");
    assert_eq!(executed(&mut other, "get").await, 0);
}

#[tokio::test]
async fn nothing_is_done_for_no_keys() {
    let server = Server::start().await;
    let store = store(&server);
    put(&store, Name::new("user:1"), "one").await;
    let mut other = server.other().await;
    let before = executed(&mut other, "evalsha").await;
    assert!(store.get_many(&[], soon()).await.is_empty());
    assert!(store.acquire_many(&[], LEASE, soon()).await.is_empty());
    assert!(store.fill_many(Vec::new(), soon()).await.is_empty());
    assert_eq!(executed(&mut other, "mget").await, 0);
    assert_eq!(executed(&mut other, "evalsha").await, before);
}

#[tokio::test]
async fn each_key_has_an_answer_of_its_own() {
    let server = Server::start().await;
    let store = store(&server);
    let mut other = server.other().await;
    let [value, lease, fence, tombstone] = ["value", "lease", "fence", "tombstone"].map(Name::new);
    let [text, list, copy, damaged] = ["text", "list", "copy", "damaged"].map(Name::new);
    let (useless, free) = (Name::new("useless"), Name::new("free"));
    put(&store, value, "one").await;
    assert!(matches!(acquire(&store, lease, Token::random()).await, Acquired::Leased));
    assert_eq!(store.begin(&[fence], Token::random(), LEASE, soon()).await, [Ok(true)]);
    assert_eq!(store.invalidate(&[tombstone], TTL, soon()).await, [Ok(())]);
    let _: () = other.run("SET", (text.text, "hello")).await;
    let _: () = other.run("RPUSH", (list.text, "hello")).await;
    let _: () = other.run("COPY", (value.text, copy.text)).await;
    let record = fill(damaged, Token::random(), "one").record;
    let _: () = other.run("SET", (damaged.text, &record[..40])).await;
    let reject = put(&store, useless, "two").await;

    let names = [value, lease, fence, tombstone, text, list, copy, damaged, free];
    let records = store.get_many(&names, soon()).await;
    let found = |at: usize| records[at].clone().unwrap().map(|record| read(names[at], record));
    assert!(matches!(found(0), Some(Found::Value(_))));
    assert!(matches!(found(1), Some(Found::Lease)));
    assert!(matches!(found(2), Some(Found::Fence)));
    assert!(matches!(found(3), Some(Found::Fence)));
    assert!(matches!(found(4), Some(Found::Foreign)));
    assert!(found(5).is_none(), "a list looks like nothing to `MGET`");
    assert!(matches!(found(6), Some(Found::Misplaced(_))));
    assert!(matches!(found(7), Some(Found::Damaged)));
    assert!(found(8).is_none());

    let mut claims = claims(&names);
    claims.push(Claim { name: useless, token: Token::random(), reject: Some(reject) });
    let acquired = store.acquire_many(&claims, LEASE, soon()).await;
    let acquired: Vec<_> = acquired.into_iter().map(Result::unwrap).collect();
    assert!(matches!(acquired[0], Acquired::Value(_)), "{acquired:?}");
    assert!(matches!(acquired[1], Acquired::Held(left) if left <= LEASE));
    assert!(matches!(acquired[2..4], [Acquired::Fenced, Acquired::Fenced]));
    assert!(matches!(acquired[4..6], [Acquired::Foreign, Acquired::Foreign]));
    assert!(acquired[6..].iter().all(|it| matches!(it, Acquired::Leased)), "{acquired:?}");

    let filled = store.fill_many(fillings(&claims, "three"), soon()).await;
    assert_eq!(filled, [vec![Ok(false); 6], vec![Ok(true); 4]].concat());
}

#[tokio::test]
async fn only_what_still_stands_is_filled() {
    let server = Server::start().await;
    let store = store(&server);
    let names = ["leased", "invalidated", "seen", "replaced"].map(Name::new);
    let claims = claims(&names[..2]);
    let acquired = store.acquire_many(&claims, LEASE, soon()).await;
    assert!(acquired.iter().all(|it| matches!(it, Ok(Acquired::Leased))));
    assert_eq!(store.invalidate(&names[1..2], NONE, soon()).await, [Ok(())]);
    let seen = [put(&store, names[2], "one").await, put(&store, names[3], "one").await];
    assert_eq!(store.invalidate(&names[3..], NONE, soon()).await, [Ok(())]);
    put(&store, names[3], "two").await;

    let mut fillings = fillings(&claims, "three");
    for (name, seen) in names[2..].iter().zip(seen) {
        let fill = fill(*name, Token::random(), "three");
        fillings.insert(0, Filling { name: *name, seen: Some(seen), fill });
    }
    let filled = store.fill_many(fillings, soon()).await;
    assert_eq!(filled, [Ok(false), Ok(true), Ok(true), Ok(false)]);
    let mut payloads = Vec::new();
    for name in names {
        payloads.push(payload(&store, name).await);
    }
    assert_eq!(
        payloads,
        ["three", "", "three", "two"]
            .map(|it| Some(it).filter(|it| !it.is_empty()).map(str::to_owned))
    );
}

#[tokio::test]
async fn old_servers_lease_by_script() {
    let port = fake::serve(|command| match command[0].as_str() {
        "SET" => b"-ERR syntax error\r\n".to_vec(),
        "EVALSHA" => b"*1\r\n$1\r\nA\r\n".to_vec(),
        _ => b"+OK\r\n".to_vec(),
    })
    .await;
    let store = store_at(&format!("redis://127.0.0.1:{port}"));
    let names = ["user:1", "user:2"].map(Name::new);
    for _ in 0..2 {
        let acquired = store.acquire_many(&claims(&names), LEASE, soon()).await;
        assert!(
            matches!(acquired[..], [Ok(Acquired::Leased), Ok(Acquired::Leased)]),
            "{acquired:?}"
        );
    }
}

#[tokio::test]
async fn a_reply_of_the_wrong_length_is_none() {
    let port = fake::serve(|command| match command[0].as_str() {
        "MGET" => b"*1\r\n$-1\r\n".to_vec(),
        _ => b"+OK\r\n".to_vec(),
    })
    .await;
    let store = store_at(&format!("redis://127.0.0.1:{port}"));
    let names = ["user:1", "user:2"].map(Name::new);
    assert_eq!(store.get_many(&names, soon()).await, vec![Err(StoreError::Unexpected); 2]);
}

/// Another client has told the server the script while the first calls were refused; what is sent again is not answered.
#[tokio::test]
async fn what_was_executed_stays_so_whatever_becomes_of_the_rest() {
    let port = fake::serve(|command| match (command[0].as_str(), command[1..].get(2)) {
        ("EVALSHA", Some(key)) if key == "user:1" => b"-NOSCRIPT No matching script.\r\n".to_vec(),
        ("EVALSHA", _) => b":1\r\n".to_vec(),
        ("EVAL", Some(_)) => b"nothing\r\n".to_vec(),
        _ => b"+OK\r\n".to_vec(),
    })
    .await;
    let store = store_at(&format!("redis://127.0.0.1:{port}"));
    let names = ["user:1", "user:2"].map(Name::new);
    let renewed = store.renew_many(&claims(&names), LEASE, soon()).await;
    assert_eq!(renewed, [Err(StoreError::Lost), Ok(true)]);
}

#[tokio::test]
async fn without_a_server_every_key_says_so() {
    let store = store_at("redis://127.0.0.1:1");
    let names = ["user:1", "user:2"].map(Name::new);
    let claims = claims(&names);
    assert_eq!(store.get_many(&names, soon()).await, vec![Err(StoreError::Down); 2]);
    let acquired = store.acquire_many(&claims, LEASE, soon()).await;
    assert!(matches!(acquired[..], [Err(StoreError::Down), Err(StoreError::Down)]));
    let filled = store.fill_many(fillings(&claims, "one"), soon()).await;
    assert_eq!(filled, vec![Err(StoreError::Down); 2]);
}
