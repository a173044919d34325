//! Operations on many keys that belong to several nodes.

use cache_testing::ports::Port;

use crate::store::redis::tests::server::{eventually, is_before_7};
use crate::store::redis::tests::*;

/// Two nodes that share the slots, and the ports on which they speak to each other.
async fn pair() -> ([Server; 2], [Port; 2]) {
    let start = async || {
        let mut settings = vec!["cluster-enabled yes", "cluster-node-timeout 10000"];
        if is_before_7() {
            let node = Server::start_with(&settings).await;
            let bus = Port::at(node.port + 10_000);
            return (node, bus);
        }
        let bus = Port::reserve();
        let setting = format!("cluster-port {}", bus.number());
        settings.push(&setting);
        (Server::start_with(&settings).await, bus)
    };
    let ((one, one_bus), (two, two_bus)) = (start().await, start().await);
    let (nodes, buses) = ([one, two], [one_bus, two_bus]);
    let mut one = nodes[0].other().await;
    let mut two = nodes[1].other().await;
    let slots = |range: std::ops::Range<u16>| range.collect::<Vec<_>>();
    let _: () = one.run("CLUSTER", ("ADDSLOTS", slots(0..8192))).await;
    let _: () = two.run("CLUSTER", ("ADDSLOTS", slots(8192..16384))).await;
    let _: () = two.run("CLUSTER", ("SET-CONFIG-EPOCH", 2)).await;
    let there = ("MEET", "127.0.0.1", nodes[1].port, buses[1].number());
    let _: () = one.run("CLUSTER", there).await;
    for node in &nodes {
        eventually("the nodes agree", async || {
            let info: String = node.other().await.run("CLUSTER", "INFO").await;
            info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384")
        })
        .await;
    }
    (nodes, buses)
}

#[tokio::test]
async fn many_keys_go_to_their_nodes_and_come_back_in_order() {
    let (nodes, _buses) = pair().await;
    let store = store_at(&format!("redis+cluster://127.0.0.1:{}", nodes[0].port));
    let keys: Vec<_> = (0..100).map(|number| format!("user:{number}")).collect();
    let names: Vec<_> = keys.iter().map(|key| Name::new(key)).collect();
    let claims: Vec<_> = names
        .iter()
        .map(|name| Claim { name: *name, token: Token::random(), reject: None })
        .collect();
    let leased = store.acquire_many(&claims, LEASE, soon()).await;
    assert!(leased.iter().all(|acquired| matches!(acquired, Ok(Acquired::Leased))), "{leased:?}");
    assert_eq!(store.renew_many(&claims, LEASE, soon()).await, vec![Ok(true); 100]);
    for claim in &claims[..10] {
        assert_eq!(store.release(claim.name, claim.token, soon()).await, Ok(true));
    }

    // A slot has moved since.
    let mut two = nodes[1].other().await;
    let slot: u16 = two.run("CLUSTER", ("KEYSLOT", "user:50")).await;
    let there = usize::from(slot < 8192);
    let id: String = nodes[there].other().await.run("CLUSTER", "MYID").await;
    let other: String = nodes[1 - there].other().await.run("CLUSTER", "MYID").await;
    let mut to = nodes[there].other().await;
    let mut from = nodes[1 - there].other().await;
    let _: () = to.run("CLUSTER", ("SETSLOT", slot, "IMPORTING", &other)).await;
    let _: () = from.run("CLUSTER", ("SETSLOT", slot, "MIGRATING", &id)).await;
    let port = nodes[there].port;
    let _: String = from.run("MIGRATE", ("127.0.0.1", port, "user:50", 0, 5000)).await;
    for node in [&mut to, &mut from] {
        let _: () = node.run("CLUSTER", ("SETSLOT", slot, "NODE", &id)).await;
    }

    let filling = |claim: &Claim<'_>| fill(claim.name, claim.token, claim.name.text);
    let fillings =
        claims.iter().map(|claim| Filling { name: claim.name, seen: None, fill: filling(claim) });
    let filled = store.fill_many(fillings.collect(), soon()).await;
    let expected: Vec<_> = (0..100).map(|number| Ok(number >= 10)).collect();
    assert_eq!(filled, expected, "those whose lease was given up are not stored");

    let records = store.get_many(&names, soon()).await;
    for (number, (name, record)) in names.iter().zip(records).enumerate() {
        let payload = match record.unwrap().map(|record| read(*name, record)) {
            Some(Found::Value(value)) => Some(value.payload().to_vec()),
            _ => None,
        };
        assert_eq!(payload, (number >= 10).then(|| name.text.as_bytes().to_vec()));
    }
    assert_eq!(store.invalidate(&names, NONE, soon()).await, vec![Ok(()); 100]);
}
