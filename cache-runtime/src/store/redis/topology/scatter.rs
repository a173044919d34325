//! An operation on many keys, sent to all of their nodes at once.

use crate::store::redis::topology::cluster::{self, Cluster, Destination};
use crate::store::redis::topology::router::{REDIRECTIONS, Route, Router};
use crate::store::{Name, StoreError, StoreResult};
use crate::support::budget::Deadline;

/// Runs an operation on many keys: on all their nodes at once, on each for its own; on some of them again as in
/// [`route!`](crate::store::redis::topology::router::route).
///
/// `split!(self, items, by, |session, part| session.invalidate(part, hold_off, by))` in a method of
/// [`RedisStore`](crate::store::redis::RedisStore) is one [`StoreResult`] for each [`Item`] of the vector `items`, in their order. `part` is
/// a `&mut [Item]`; the operation gives a vector of as many results. For a write it is `urgently |session, part| ..`, as
/// in `route!`.
macro_rules! split {
    ($store:ident, $items:expr, $by:expr, urgently |$session:ident, $part:ident| $operation:expr) => {
        $crate::store::redis::topology::scatter::split!(
            @ $store, $items, $by, urgent_session, |$session, $part| $operation
        )
    };
    ($store:ident, $items:expr, $by:expr, |$session:ident, $part:ident| $operation:expr) => {
        $crate::store::redis::topology::scatter::split!(
            @ $store, $items, $by, session, |$session, $part| $operation
        )
    };
    (@ $store:ident, $items:expr, $by:expr, $kind:ident, |$session:ident, $part:ident| $operation:expr) => {{
        let mut split = $crate::store::redis::topology::scatter::Split::new(&$store.router, $items, $by).await;
        while let Some(parts) = split.parts() {
            let operations = parts.iter_mut().map(async |part| {
                let (route, $part) = part.open();
                let results = match route.$kind($by).await {
                    Ok(mut $session) => $operation.await,
                    Err(error) => $part.iter().map(|_| Err(error.clone())).collect(),
                };
                part.close(results);
            });
            $crate::support::join::join(operations).await;
        }
        split.results()
    }};
}

pub(in crate::store) use split;

/// What an operation on many keys needs for each: the key, and the arguments that belong to it.
pub(in crate::store) trait Item {
    fn name(&self) -> Name<'_>;
}

impl Item for Name<'_> {
    fn name(&self) -> Name<'_> {
        *self
    }
}

impl<T> Item for (Name<'_>, T) {
    fn name(&self) -> Name<'_> {
        self.0
    }
}

/// An operation on many keys.
#[derive(Debug)]
pub(in crate::store) struct Split<'a, I, T> {
    router: &'a Router,
    /// The running operations.
    parts: Vec<Part<'a, I, T>>,
    results: Vec<Option<StoreResult<T>>>,
    rounds: usize,
}

/// What one node is to do.
#[derive(Debug)]
pub(in crate::store) struct Part<'a, I, T> {
    route: Route<'a>,
    items: Vec<I>,
    /// Where the items are among all.
    places: Vec<usize>,
    results: Vec<StoreResult<T>>,
}

impl<'a, I: Item, T> Split<'a, I, T> {
    /// Finds the nodes; by `deadline`, where they are being asked for.
    pub(in crate::store) async fn new(router: &'a Router, items: Vec<I>, by: Deadline) -> Self {
        let results = items.iter().map(|_| None).collect();
        let mut split = Self { router, parts: Vec::new(), results, rounds: 0 };
        match router {
            Router::Single(node) => {
                let places = (0..items.len()).collect();
                let route = Route::Single(node);
                split.parts.push(Part { route, items, places, results: Vec::new() });
            }
            Router::Cluster(cluster) => {
                let known = cluster.know(by).await;
                for (place, item) in items.into_iter().enumerate() {
                    let slot = cluster::slot_of(item.name().text);
                    match known.clone().and_then(|()| cluster.owner(slot)) {
                        Ok(to) => split.give(cluster, to, item, place),
                        Err(error) => split.settle(place, Err(error)),
                    }
                }
            }
        }
        split
    }

    /// What is to be done next, all at once; none when everything is.
    pub(in crate::store) fn parts(&mut self) -> Option<&mut [Part<'a, I, T>]> {
        if self.rounds > 0 {
            for part in std::mem::take(&mut self.parts) {
                let Part { route, items, places, results } = part;
                let done = items.into_iter().zip(places).zip(results);
                done.for_each(|((item, place), result)| self.take(&route, item, place, result));
            }
        }
        self.rounds += 1;
        (!self.parts.is_empty()).then_some(&mut self.parts)
    }

    /// One result for each item, in order.
    pub(in crate::store) fn results(self) -> Vec<StoreResult<T>> {
        let results = self.results.into_iter();
        results.map(|result| result.unwrap_or(Err(StoreError::Unexpected))).collect()
    }

    /// Takes what came of an item: its result, or where to try it again.
    fn take(&mut self, route: &Route<'_>, item: I, place: usize, result: StoreResult<T>) {
        if let (Router::Cluster(cluster), Err(error)) = (self.router, &result) {
            cluster.note(error);
            if self.rounds <= REDIRECTIONS
                && let Some(to) = route.next(cluster::slot_of(item.name().text), error)
            {
                return self.give(cluster, to, item, place);
            }
        }
        self.settle(place, result);
    }

    fn settle(&mut self, place: usize, result: StoreResult<T>) {
        if let Some(open) = self.results.get_mut(place) {
            *open = Some(result);
        }
    }

    /// Gives a node one more item.
    fn give(&mut self, cluster: &'a Cluster, to: Destination, item: I, place: usize) {
        if let Some(part) = self.parts.iter_mut().find(|part| part.route.leads_to(&to)) {
            part.items.push(item);
            part.places.push(place);
        } else {
            let route = Route::to(cluster, to);
            let (items, places) = (vec![item], vec![place]);
            self.parts.push(Part { route, items, places, results: Vec::new() });
        }
    }
}

impl<'a, I: Item, T> Part<'a, I, T> {
    pub(in crate::store) fn open(&mut self) -> (&mut Route<'a>, &mut [I]) {
        (&mut self.route, &mut self.items)
    }

    /// Ends with one result for each item.
    pub(in crate::store) fn close(&mut self, results: Vec<StoreResult<T>>) {
        self.results = results;
        self.results.resize_with(self.items.len(), || Err(StoreError::Unexpected));
    }
}
