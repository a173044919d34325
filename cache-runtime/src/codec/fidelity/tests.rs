use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::codec::Codec;
use crate::codec::fidelity::*;

#[derive(Debug, Serialize, Deserialize)]
struct Pair {
    a: i64,
    b: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Turned {
    b: i64,
    a: i64,
}

#[derive(Debug, Serialize)]
enum Choice {
    One(u8),
    Two { pairs: Vec<Pair> },
}

fn path<T: Serialize>(one: &T, two: &T) -> Option<String> {
    let tree = |value| Tree::of(value, Codec::Json).unwrap();
    tree(one).difference(&tree(two))
}

#[test]
fn the_first_difference_is_named() {
    let pair = |a, b| Pair { a, b };
    assert_eq!(path(&pair(1, 2), &pair(1, 2)), None);
    assert_eq!(path(&pair(1, 2), &pair(1, 3)).unwrap(), "b");
    assert_eq!(path(&(1, pair(1, 2)), &(1, pair(2, 2))).unwrap(), "[1].a");
    assert_eq!(path(&vec![1, 2, 3], &vec![3, 1, 2]), None);
    assert_eq!(path(&(1, 2), &(2, 1)).unwrap(), "[0]", "the order of a tuple counts");
    assert_eq!(path(&vec![1, 2], &vec![1]).unwrap(), "");
    let two = |pairs| Choice::Two { pairs };
    assert_eq!(path(&two(vec![pair(1, 2)]), &two(vec![pair(1, 1)])).unwrap(), "pairs[0].b");
    assert_eq!(path(&Choice::One(1), &two(vec![])).unwrap(), "");
    let map = |a| BTreeMap::from([("secret", pair(1, 2)), ("b", pair(a, 1))]);
    assert_eq!(path(&map(1), &map(2)).unwrap(), "[..].a", "keys are data");
    assert_eq!(path(&f64::NAN, &-f64::NAN), None);
    assert_eq!(path(&0.0, &-0.0).unwrap(), "");
    assert_eq!(path(&(u128::MAX, i128::MIN), &(u128::MAX - 1, i128::MIN)).unwrap(), "[0]");
}

#[derive(Debug, Serialize)]
struct Long {
    next: Option<Box<Long>>,
}

/// However deep a value is, nothing exhausts the stack.
#[test]
fn what_is_too_deep_is_not_shown() {
    let long = (0..1_000).fold(Long { next: None }, |next, _| Long { next: Some(Box::new(next)) });
    assert_eq!(Tree::of(&long, Codec::Json), None);
}

#[test]
fn a_release_build_tries_the_first_values() {
    let trials = Trials::new();
    assert_eq!((0..100).filter(|_| trials.is_due_in_release()).count(), 16);
    // Something was found that cannot be read.
    trials.again();
    assert_eq!((0..100).filter(|_| trials.is_due_in_release()).count(), 16);
    trials.fail();
    assert_eq!((0..100).filter(|_| trials.is_due_in_release()).count(), 100);
}

#[test]
#[cfg(feature = "postcard")]
fn shapes() {
    fn of<T: Serialize>(value: T) -> u64 {
        shape(&value, Codec::Postcard).unwrap()
    }
    assert_eq!(of(Pair { a: 1, b: 2 }), of(Pair { a: -1, b: i64::MAX }));
    assert_ne!(of(Pair { a: 1, b: 2 }), of(Turned { a: 1, b: 2 }));
    assert_ne!(of(1_u64), of(1_i64));
    assert_ne!(of(1_u8), of(1_u16));
    assert_ne!(of((1_u8, "a")), of(("a", 1_u8)));
    assert_ne!(of(Choice::One(1)), of(Choice::Two { pairs: Vec::new() }));
    assert_ne!(of(Some(1_u8)), of(1_u8));
    assert_ne!(of(vec![(1_u8, 2_u8)]), of(vec![1_u8, 2]));
    let [one, two] = [Some(1_u8), None];
    assert_eq!(of(vec![one, two]), of(vec![two, one]), "the order of a `HashSet` does not count");
    assert_eq!(of(vec![one; 1_000]), of(vec![one]), "nor how many there are");
    assert_ne!(of((1_u8, 2_u8)), of((1_u8,)));
    // The same in every process and every release.
    let pair = xxhash_rust::xxh3::xxh3_64(b"fk1:ak3:i64k1:bk3:i64.");
    assert_eq!(of(Pair { a: 1, b: 2 }), pair);
}
