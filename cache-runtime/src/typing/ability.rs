//! What a type can do with its values: hand out copies, and tell whether two are equal.

use std::sync::Arc;

use crate::typing::sharing::Shared;

/// How callers that waited for a load get its value.
pub trait Hand<V> {
    /// A copy for all of them.
    fn share(value: &V) -> Option<Shared>;

    /// The copy of one of them.
    fn unshare(shared: &Shared) -> Option<V>;
}

/// How a value is compared with what was read back, beside what serde shows of both.
pub trait Compare<V> {
    /// The type's own equality.
    const EQUAL: Option<fn(&V, &V) -> bool>;
}

/// Each caller gets a clone.
#[derive(Clone, Copy, Debug)]
pub struct Cloned;

/// By `PartialEq`.
#[derive(Clone, Copy, Debug)]
pub struct Equal;

/// Without: each caller gets a value that is decoded for it, and serde alone shows what differs.
#[derive(Clone, Copy, Debug)]
pub struct Encoded;

impl<V: Clone + Send + Sync + 'static> Hand<V> for Cloned {
    fn share(value: &V) -> Option<Shared> {
        Some(Arc::new(value.clone()))
    }

    fn unshare(shared: &Shared) -> Option<V> {
        shared.downcast_ref::<V>().cloned()
    }
}

impl<V> Hand<V> for Encoded {
    fn share(_: &V) -> Option<Shared> {
        None
    }

    fn unshare(_: &Shared) -> Option<V> {
        None
    }
}

impl<V: PartialEq> Compare<V> for Equal {
    const EQUAL: Option<fn(&V, &V) -> bool> = Some(|one, two| one == two);
}

impl<V> Compare<V> for Encoded {
    const EQUAL: Option<fn(&V, &V) -> bool> = None;
}
