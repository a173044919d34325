//! What follows from the reports of nodes.

use crate::store::redis::ConnectionSettings;
use crate::store::redis::topology::cluster::map::*;
use crate::store::redis::topology::discovery::Source;
use crate::store::redis::url::Access;

fn at(port: u16) -> Endpoint {
    Endpoint::Tcp { host: "host".to_owned(), port }
}

fn connect(endpoint: &Endpoint) -> Arc<Node> {
    let source = Source::Member(endpoint.clone());
    Arc::new(Node::new(source, Access::default(), ConnectionSettings::default()))
}

/// What a node says: of each primary its port, its slots and its epoch; of the others their port
/// and epoch.
fn report(primaries: &[(u16, u16, u16, u64)], others: &[(u16, u64)]) -> Report {
    let claim = |&(port, first, last, _): &(u16, u16, u16, u64)| Claim {
        first,
        last,
        endpoint: at(port),
        id: port.to_string(),
    };
    let epochs = primaries.iter().map(|(port, _, _, epoch)| (*port, *epoch));
    let epochs = epochs.chain(others.iter().copied());
    Report {
        claims: primaries.iter().map(claim).collect(),
        epochs: epochs.map(|(port, epoch)| (port.to_string(), epoch)).collect(),
    }
}

fn updated(map: &Map, primaries: &[(u16, u16, u16, u64)], others: &[(u16, u64)]) -> Map {
    map.updated(&report(primaries, others), connect)
}

fn owner(map: &Map, slot: u16) -> Option<Endpoint> {
    map.owner(slot).map(|owner| owner.endpoint.clone())
}

fn succeeds(map: &Map, former: &Map) -> bool {
    map.successors(former).next().is_some()
}

/// Two primaries; the second has the greater epoch.
fn pair() -> Map {
    updated(&Map::default(), &[(1, 0, 99, 1), (2, 100, 199, 2)], &[(3, 1)])
}

#[test]
fn nodes_serve_what_they_claim() {
    let map = pair();
    assert_eq!(owner(&map, 0), Some(at(1)));
    assert_eq!(owner(&map, 99), Some(at(1)));
    assert_eq!(owner(&map, 100), Some(at(2)));
    assert_eq!(owner(&map, 200), None);
    assert_eq!((map.slots(), map.members().len()), (200, 2));
}

#[test]
fn a_node_that_stays_keeps_its_connection() {
    let map = pair();
    let next = updated(&map, &[(1, 0, 149, 3), (2, 150, 199, 2)], &[]);
    for port in [1, 2] {
        let node = |map: &Map| Arc::as_ptr(&map.member(&at(port)).unwrap().node);
        assert_eq!(node(&map), node(&next));
    }
}

#[test]
fn a_promoted_replica_comes_in_its_place() {
    let map = pair();
    let next = updated(&map, &[(3, 0, 99, 3), (2, 100, 199, 2)], &[(1, 1)]);
    assert_eq!(owner(&next, 0), Some(at(3)));
    assert!(next.member(&at(1)).is_none(), "the former one has left");
    assert!(succeeds(&next, &map));
}

#[test]
fn an_older_report_changes_nothing_back() {
    let map = updated(&Map::default(), &[(3, 0, 99, 3), (2, 100, 199, 2)], &[(1, 1)]);
    let next = updated(&map, &[(1, 0, 99, 1), (2, 100, 199, 2)], &[(3, 1)]);
    assert_eq!(owner(&next, 0), Some(at(3)));
    assert!(!succeeds(&next, &map));
    // What it says about others is used nevertheless.
    let next = updated(&map, &[(1, 0, 99, 1), (4, 100, 199, 4)], &[(3, 1), (2, 2)]);
    assert_eq!(owner(&next, 0), Some(at(3)));
    assert_eq!(owner(&next, 100), Some(at(4)));
}

#[test]
fn a_cluster_that_was_built_anew_is_believed() {
    let map = updated(&Map::default(), &[(1, 0, 199, 7)], &[]);
    let next = updated(&map, &[(5, 0, 199, 1)], &[]);
    assert_eq!(owner(&next, 0), Some(at(5)));
    assert_eq!(next.members().len(), 1);
}

#[test]
fn without_epochs_the_last_report_counts() {
    let mut old = report(&[(1, 0, 99, 1)], &[]);
    old.epochs.clear();
    let next = pair().updated(&old, connect);
    assert_eq!(owner(&next, 0), Some(at(1)));
    assert_eq!(owner(&next, 100), None);
}

#[test]
fn a_slot_moves_at_once_and_alone() {
    let map = pair();
    let next = map.moved(5, &at(2));
    assert_eq!(owner(&next, 5), Some(at(2)));
    assert_eq!(owner(&next, 6), Some(at(1)));
    assert!(!succeeds(&next, &map), "keys move with their slots");
    // Somebody who does not know it yet is not heard.
    let next = updated(&next, &[(1, 0, 99, 1), (2, 100, 199, 1)], &[]);
    assert_eq!(owner(&next, 5), Some(at(2)));
}

/// The importing node raises its epoch. Calls may be told of it before the map is reported, or
/// after.
#[test]
fn a_node_that_imports_slots_is_no_successor() {
    let map = pair();
    let import: &[_] = &[(1, 0, 49, 1), (2, 50, 199, 3)];
    assert!(!succeeds(&updated(&map, import, &[]), &map));
    let told = map.moved(50, &at(2));
    assert!(!succeeds(&updated(&told, &[(1, 0, 49, 1), (2, 50, 199, 3)], &[]), &told));
    let one = map.moved(99, &at(2));
    let next = updated(&one, &[(1, 0, 98, 1), (2, 99, 199, 3)], &[]);
    assert!(!succeeds(&next, &one), "it had been told of all of it");
    // From then on its epoch is known.
    assert!(succeeds(&updated(&next, &[(1, 0, 98, 1), (2, 99, 199, 4)], &[]), &next));
    // What loses slots has no reason to raise its epoch.
    assert!(succeeds(&updated(&map, &[(1, 0, 49, 3), (2, 50, 199, 4)], &[]), &map));
}

#[test]
fn a_node_that_was_not_there_may_be_a_successor() {
    let map = pair();
    let next = map.with(&at(3), connect(&at(3))).moved(5, &at(3));
    assert_eq!(owner(&next, 5), Some(at(3)));
    assert!(succeeds(&next, &map));
    assert!(!succeeds(&map, &Map::default()), "nobody was there before");
    // And one that has been elected again, if it was away in between.
    assert!(succeeds(&updated(&map, &[(1, 0, 99, 5), (2, 100, 199, 2)], &[]), &map));
}

#[test]
fn nonsense_is_left_out() {
    let map = updated(&Map::default(), &[(1, 99, 0, 1), (2, 16_000, 20_000, 1)], &[]);
    assert_eq!(map.slots(), 0);
}
