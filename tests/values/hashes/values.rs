//! Values that have a hash.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::rc::Rc;
use std::sync::Arc;

use cache_fixtures::patient;
use cache_runtime::{Cache, Key, cached};
use cache_testing::redis::RedisServer;
use proptest::prelude::*;
use serde::Serialize;

fn hash(value: &(impl Serialize + ?Sized)) -> String {
    Key::<()>::builder().hash(value).done().as_str().to_owned()
}

/// A set whose elements come in another order each time that one is made.
fn set(elements: &[u32]) -> HashSet<u32> {
    elements.iter().copied().collect()
}

#[derive(Clone, Serialize)]
struct Filter {
    tags: HashSet<u32>,
    ranges: Vec<(u32, Option<HashSet<u32>>)>,
    by_org: HashMap<(u32, char), Option<Arc<HashSet<u32>>>>,
    wrapped: Wrapped,
    either: Either,
}

#[derive(Clone, Serialize)]
struct Wrapped(Arc<HashSet<u32>>);

#[derive(Clone, Serialize)]
enum Either {
    These(HashSet<u32>),
    Those { ids: Rc<HashSet<u32>>, or: [HashSet<u32>; 2] },
}

fn filter(ids: &[u32]) -> Filter {
    Filter {
        tags: set(ids),
        ranges: vec![(1, Some(set(ids))), (2, None)],
        by_org: ids.iter().map(|id| ((*id, 'x'), Some(Arc::new(set(ids))))).collect(),
        wrapped: Wrapped(Arc::new(set(ids))),
        either: Either::Those { ids: Rc::new(set(ids)), or: [set(ids), set(&ids[1..])] },
    }
}

#[test]
fn the_order_of_sets_and_maps_does_not_matter_at_any_depth() {
    let ids: Vec<u32> = (0..12).collect();
    let sets = || ids.iter().map(|id| BTreeSet::from([*id, id + 1])).collect::<HashSet<_>>();
    let heap = |ids: &mut dyn Iterator<Item = u32>| ids.collect::<BinaryHeap<_>>();
    for _ in 0..50 {
        assert_eq!(hash(&set(&ids)), hash(&&mut set(&ids)));
        assert_eq!(hash(&(7, Cow::Owned::<HashSet<u32>>(set(&ids)))), hash(&(7, set(&ids))));
        assert_eq!(hash(&sets()), hash(&sets()));
        assert_eq!(hash(&filter(&ids)), hash(&filter(&ids)));
        assert_eq!(hash(&Either::These(set(&ids))), hash(&Either::These(set(&ids))));
        assert_ne!(hash(&filter(&ids)), hash(&filter(&ids[..11])));
    }
    assert_eq!(hash(&heap(&mut (0..9))), hash(&heap(&mut (0..9).rev())));
    let seeded: HashSet<u32, BuildHasherDefault<DefaultHasher>> = ids.iter().copied().collect();
    assert_eq!(hash(&seeded), hash(&set(&ids)));
    assert_eq!(hash(&ids.iter().collect::<BTreeSet<_>>()), hash(&set(&ids)));
    // Where the order counts, it does.
    assert_ne!(hash(&[1, 2]), hash(&[2, 1]));
    assert_ne!(hash(&vec![1, 2]), hash(&vec![2, 1]));
    assert_ne!(hash(&VecDeque::from([1, 2])), hash(&VecDeque::from([2, 1])));
    assert_ne!(hash(&LinkedList::from([1, 2])), hash(&LinkedList::from([2, 1])));
    assert_ne!(hash(&(vec![set(&[1]), set(&[2])])), hash(&vec![set(&[2]), set(&[1])]));
}

#[derive(Serialize)]
#[serde(untagged)]
enum Untagged {
    Author(Author),
    Book(Book),
    Signed(i64),
    Unsigned(u64),
    Nothing,
    Maybe(Option<u8>),
}

#[derive(Serialize)]
struct Author {
    id: u64,
}

#[derive(Serialize)]
struct Book {
    id: u64,
}

#[derive(Serialize)]
struct Unit;

#[test]
fn what_json_takes_for_the_same_is_told_apart() {
    let different = [
        hash(&None::<Option<()>>),
        hash(&Some(None::<()>)),
        hash(&Some(Some(()))),
        hash(&()),
        hash(&Unit),
        hash(&f64::INFINITY),
        hash(&f64::NEG_INFINITY),
        hash(&f64::NAN),
        hash(&0.0),
        hash(&-0.0),
        hash(&f32::INFINITY),
        hash(&(1, 2)),
        hash(&[1, 2]),
        hash(&[0_u8; 0][..]),
        hash(&BTreeMap::<u8, u8>::new()),
        hash(&HashSet::<u8>::new()),
        hash(""),
        hash(&'a'),
        hash("a"),
        hash("97"),
        hash(&97_u8),
        hash(&97_i64),
        hash(&97_u64),
        hash(&u128::MAX),
        hash(&(u128::MAX - 1)),
        hash(&i128::MIN),
        hash(&i128::MAX),
        hash(&BTreeMap::from([((1, 2), 3)])),
        hash(&BTreeMap::from([((1, 3), 2)])),
        hash(&BTreeMap::from([(1_u8, 2)])),
        hash(&BTreeMap::from([("1", 2)])),
        hash(&Untagged::Author(Author { id: 1 })),
        hash(&Untagged::Book(Book { id: 1 })),
        hash(&Untagged::Signed(1)),
        hash(&Untagged::Unsigned(1)),
        hash(&["a", "b"]),
        hash(&["ab", ""]),
        hash(&("a", ["b"])),
    ];
    let distinct: HashSet<_> = different.iter().collect();
    assert_eq!(distinct.len(), different.len());
    assert_eq!(hash(&f64::NAN), hash(&-f64::NAN), "there is one NaN");
    assert_ne!(hash(&Untagged::Nothing), hash(&Untagged::Maybe(None)));
    for text in ["a", "b:c", "*"] {
        // How it is held makes no difference.
        assert_eq!(hash(text), hash(&text.to_owned()));
        assert_eq!(hash(&Arc::new(Cow::Borrowed(text))), hash(text));
        assert_eq!(hash(&[text; 2]), hash(&vec![text; 2]));
        assert_eq!(
            hash(&Some(&[text; 2])),
            hash(&Some([text.to_owned(), text.to_owned()].as_slice()))
        );
    }
}

/// Pinned: another process, or a later version, must come to the same.
#[test]
fn a_hash_stays() {
    assert_eq!(hash(&("a", 7, Some(1.5), vec![()])), "e1629f80b4b27408845366d23a8a8bda");
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
enum Rich {
    Unit,
    Number(i128),
    Text(String),
    Maybe(Option<Box<Option<Rich>>>),
    List(Vec<Rich>),
    Set(BTreeSet<Rich>),
    Fields { first: Box<Rich>, second: BTreeMap<Rich, u8> },
}

/// The same values in collections whose order is another one each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename = "Rich")]
enum Shuffled {
    Unit,
    Number(i128),
    Text(String),
    Maybe(Option<Box<Option<Shuffled>>>),
    List(Vec<Shuffled>),
    Set(HashSet<Rich>),
    Fields { first: Box<Shuffled>, second: HashMap<Rich, u8> },
}

fn shuffled(rich: &Rich) -> Shuffled {
    match rich {
        Rich::Unit => Shuffled::Unit,
        Rich::Number(number) => Shuffled::Number(*number),
        Rich::Text(text) => Shuffled::Text(text.clone()),
        Rich::Maybe(it) => {
            let inner = |it: &Option<Rich>| Box::new(it.as_ref().map(shuffled));
            Shuffled::Maybe(it.as_deref().map(inner))
        }
        Rich::List(items) => Shuffled::List(items.iter().map(shuffled).collect()),
        Rich::Set(items) => Shuffled::Set(items.iter().rev().cloned().collect()),
        Rich::Fields { first, second } => Shuffled::Fields {
            first: Box::new(shuffled(first)),
            second: second.iter().rev().map(|(key, value)| (key.clone(), *value)).collect(),
        },
    }
}

fn rich() -> impl Strategy<Value = Rich> {
    let leaf = prop_oneof![
        Just(Rich::Unit),
        prop_oneof![-1..2_i128, any::<i128>()].prop_map(Rich::Number),
        "[a:]{0,2}".prop_map(Rich::Text),
        Just(Rich::Maybe(None)),
        Just(Rich::Maybe(Some(Box::new(None)))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|it| Rich::Maybe(Some(Box::new(Some(it))))),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Rich::List),
            prop::collection::btree_set(inner.clone(), 0..4).prop_map(Rich::Set),
            (inner.clone(), prop::collection::btree_map(inner, 0..2_u8, 0..4))
                .prop_map(|(first, second)| Rich::Fields { first: Box::new(first), second }),
        ]
    })
}

proptest! {
    #[test]
    fn equal_values_have_one_hash_and_different_ones_have_different_ones(
        values in prop::collection::vec(rich(), 2..8),
    ) {
        for (at, one) in values.iter().enumerate() {
            prop_assert_eq!(hash(&shuffled(one)), hash(&shuffled(one)));
            for other in &values[at..] {
                prop_assert_eq!(hash(one) == hash(other), one == other);
                let (one, other) = (shuffled(one), shuffled(other));
                prop_assert_eq!(hash(&one) == hash(&other), one == other);
            }
        }
    }
}

#[cached(key = "sets:<ids:hash>", ttl = 60)]
async fn of_set(ids: HashSet<u32>) -> usize {
    ids.len()
}

#[cached(key = "pairs:<map:hash>:<large:hash>", ttl = 60)]
async fn of_map(map: &HashMap<(u32, u32), f64>, large: u128) -> usize {
    map.len()
}

async fn are_found(cache: &Cache) {
    let work = async {
        for _ in 0..50 {
            assert_eq!(of_set((0..20).collect()).await, 20);
            let map = (0..20).map(|n| ((n, n), f64::INFINITY)).collect();
            assert_eq!(of_map(&map, u128::MAX).await, 20);
        }
    };
    cache.scope(work).await;
    for function in ["of_set", "of_map"] {
        let stats = cache.stats().function(function).unwrap().clone();
        assert_eq!((stats.hits(), stats.loads_ok, stats.misuses), (49, 1, 0), "{function}");
    }
}

#[tokio::test]
async fn are_found_embedded() {
    are_found(&Cache::in_memory()).await;
}

#[tokio::test]
async fn are_found_redis() {
    let server = RedisServer::start().await;
    are_found(&patient().connect(&server.url()).unwrap()).await;
    assert_eq!(server.client().await.keys().await.len(), 2, "one entry each");
}
