//! Whatever serde's data model tells apart has another form, and nothing else has.

mod node;

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use serde::{Serialize, Serializer};

use self::node::node;
use crate::key::canonical::*;

fn form(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    let mut form = Vec::new();
    encode(value, &mut form).unwrap();
    form
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn different_values_have_different_forms(nodes in prop::collection::vec(node(), 2..6)) {
        for (at, one) in nodes.iter().enumerate() {
            for other in &nodes[at + 1..] {
                let equal = one.clone().sorted() == other.clone().sorted();
                prop_assert_eq!(form(one) == form(other), equal, "{:?} {:?}", one, other);
            }
        }
    }

    /// So lists of values differ wherever one of them does: what is read from the front is read in
    /// one way only.
    #[test]
    fn no_form_begins_another(one in node(), other in node()) {
        let (one, other) = (form(&one), form(&other));
        prop_assert!(one == other || !(one.starts_with(&other) || other.starts_with(&one)));
    }

    #[test]
    fn the_order_of_maps_does_not_matter(node in node()) {
        prop_assert_eq!(form(&node.clone().reversed()), form(&node));
    }
}

#[derive(Serialize)]
struct Shown {
    id: u64,
    name: &'static str,
}

#[derive(Serialize)]
struct Hidden {
    id: u64,
    #[serde(skip)]
    tenant: u64,
}

#[derive(Serialize)]
struct Written {
    id: u64,
    #[serde(skip_serializing)]
    admin: bool,
}

#[derive(Serialize)]
struct Pair(
    u64,
    #[serde(skip)]
    #[expect(dead_code, reason = "it takes room")]
    Cell<u8>,
);

#[derive(Serialize)]
struct Nothing {
    #[serde(skip)]
    id: u16,
}

fn refusal(value: &(impl Serialize + ?Sized)) -> Refusal {
    encode(value, &mut Vec::new()).unwrap_err()
}

fn names(refusal: Refusal, name: &str) -> bool {
    matches!(refusal, Refusal::Skipped(ty) if ty.ends_with(name))
}

#[test]
fn a_field_that_serde_skips_is_noticed() {
    let hidden = || Hidden { id: 1, tenant: 2 };
    assert!(names(refusal(&hidden()), "::Hidden"));
    assert!(names(refusal(&[hidden()]), "::Hidden"));
    assert!(names(refusal(&Some(hidden())), "::Hidden"));
    assert!(names(refusal(&(1, hidden())), "::Hidden"));
    assert!(names(refusal(&Written { id: 1, admin: true }), "::Written"));
    assert!(names(refusal(&Pair(1, Cell::new(2))), "::Pair"));
    assert!(names(refusal(&Nothing { id: 1 }), "::Nothing"));
    _ = (hidden().tenant, Written { id: 1, admin: true }.admin, Nothing { id: 1 }.id);
}

mod complete {
    use std::marker::PhantomData;

    use super::*;

    #[derive(Serialize)]
    pub(super) struct Padded {
        pub(super) a: u8,
        pub(super) b: u64,
        pub(super) c: u8,
        pub(super) d: PhantomData<u64>,
        pub(super) e: (),
    }

    #[derive(Serialize)]
    #[repr(C)]
    pub(super) struct InOrder {
        pub(super) a: u8,
        pub(super) b: u64,
        pub(super) c: u8,
        pub(super) d: u128,
    }

    #[derive(Serialize)]
    #[repr(align(64))]
    pub(super) struct Aligned(pub(super) u8, pub(super) u8);

    #[derive(Serialize)]
    pub(super) struct Optional {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) a: Option<u64>,
        pub(super) b: u64,
    }

    #[derive(Serialize)]
    pub(super) struct Converted {
        #[serde(serialize_with = "as_text")]
        pub(super) a: [u64; 2],
        pub(super) b: u64,
    }

    fn as_text<S: Serializer>(value: &[u64; 2], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&value[0])
    }

    #[derive(Serialize)]
    pub(super) struct Flattened {
        pub(super) a: u64,
        #[serde(flatten)]
        pub(super) more: Shown,
    }

    #[derive(Serialize)]
    pub(super) enum Either {
        Small { a: u8 },
        Large([u64; 8]),
    }

    #[derive(Serialize)]
    pub(super) struct Generic<T> {
        pub(super) held: T,
        pub(super) boxed: Box<T>,
        pub(super) either: Either,
    }
}

/// No type that shows all of its fields is taken for one that does not.
#[test]
fn a_complete_value_is_not_refused() {
    use complete::*;
    let padded = || Padded { a: 1, b: 2, c: 3, d: std::marker::PhantomData, e: () };
    form(&padded());
    form(&InOrder { a: 1, b: 2, c: 3, d: 4 });
    form(&Aligned(1, 2));
    form(&Optional { a: None, b: 1 });
    form(&Optional { a: Some(1), b: 1 });
    form(&Converted { a: [1, 1], b: 2 });
    form(&Flattened { a: 1, more: Shown { id: 1, name: "" } });
    form(&[Either::Small { a: 1 }, Either::Large([0; 8])]);
    form(&Generic { held: padded(), boxed: Box::new(padded()), either: Either::Small { a: 1 } });
    form(&(1..=5, 1..5, Duration::from_millis(1), std::time::SystemTime::UNIX_EPOCH));
    assert_ne!(form(&Optional { a: None, b: 1 }), form(&Optional { a: Some(1), b: 1 }));
}

#[test]
fn what_cannot_be_serialized_or_is_nested_too_deep() {
    #[derive(Serialize)]
    struct Chain(Option<Box<Chain>>);

    let chain = |length| (0..length).fold(Chain(None), |chain, _| Chain(Some(Box::new(chain))));
    form(&chain(62));
    assert_eq!(refusal(&chain(63)), Refusal::TooDeep);
    #[cfg(unix)]
    {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        let path = std::path::Path::new(OsStr::from_bytes(b"/\xff"));
        assert_eq!(refusal(path), Refusal::Unserializable);
    }
}

/// Another process, or a later version, must come to the same.
#[test]
fn the_form_stays() {
    #[derive(Serialize)]
    enum Order {
        By { field: Option<char>, descending: bool },
    }
    let value = (Shown { id: 7, name: "x" }, Order::By { field: Some('a'), descending: true });
    let mut expected = b"pS\x05\0\0\0\0\0\0\0Shown".to_vec();
    expected.extend(b"=\x02\0\0\0\0\0\0\0id9\x07\0\0\0\0\0\0\0");
    expected.extend(b"=\x04\0\0\0\0\0\0\0names\x01\0\0\0\0\0\0\0x.");
    expected.extend(b"Y\x05\0\0\0\0\0\0\0Order\x02\0\0\0\0\0\0\0By\0\0\0\0");
    expected.extend(b"=\x05\0\0\0\0\0\0\0fieldoca\0\0\0");
    expected.extend(b"=\x0a\0\0\0\0\0\0\0descendingt..");
    assert_eq!(String::from_utf8_lossy(&form(&value)), String::from_utf8_lossy(&expected));
}
