//! An operation on many keys, sent to all of their nodes at once.

use crate::store::protocol::request::Effect;
use crate::store::redis::commands::pieces::Pieces;
use crate::store::redis::commands::{self, Command};
use crate::store::redis::topology::cluster::{self, Cluster, Destination};
use crate::store::redis::topology::router::{REDIRECTIONS, Route, Router};
use crate::store::{Keyed, StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::support::join::join;

impl Router {
    /// Sends requests to all their nodes at once, to each its own; some of them again, as in
    /// [`Router::run`]. One result for each, in order.
    pub(in crate::store) async fn send_all<R: Command>(
        &self,
        requests: Vec<Keyed<'_, R>>,
        by: Deadline,
    ) -> Vec<StoreResult<R::Reply>> {
        self.scatter(requests, by, R::EFFECT == Effect::Writes).await
    }

    /// The same, where it may be that a server is not tried at once.
    pub(in crate::store) async fn scatter<R: Command>(
        &self,
        requests: Vec<Keyed<'_, R>>,
        by: Deadline,
        is_urgent: bool,
    ) -> Vec<StoreResult<R::Reply>> {
        let Some(first) = requests.first() else { return Vec::new() };
        let pieces = first.request.pieces(by);
        let mut split = Split::new(self, requests, by).await;
        while let Some(parts) = split.parts() {
            join(parts.iter_mut().map(|part| part.run(pieces, by, is_urgent))).await;
        }
        split.results()
    }
}

/// An operation on many keys.
#[derive(Debug)]
struct Split<'a, R: Command> {
    router: &'a Router,
    /// The running operations.
    parts: Vec<Part<'a, R>>,
    results: Vec<Option<StoreResult<R::Reply>>>,
    rounds: usize,
}

/// What one node is to do.
#[derive(Debug)]
struct Part<'a, R: Command> {
    route: Route<'a>,
    items: Vec<Keyed<'a, R>>,
    /// Where the items are among all.
    places: Vec<usize>,
    results: Vec<StoreResult<R::Reply>>,
}

impl<'a, R: Command> Split<'a, R> {
    /// Finds the nodes; by `deadline`, where they are being asked for.
    async fn new(router: &'a Router, items: Vec<Keyed<'a, R>>, by: Deadline) -> Self {
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
                    let slot = cluster::slot_of(item.name.text);
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
    fn parts(&mut self) -> Option<&mut [Part<'a, R>]> {
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
    fn results(self) -> Vec<StoreResult<R::Reply>> {
        let results = self.results.into_iter();
        results.map(|result| result.unwrap_or(Err(StoreError::Unexpected))).collect()
    }

    /// Takes what came of an item: its result, or where to try it again.
    fn take(
        &mut self,
        route: &Route<'_>,
        item: Keyed<'a, R>,
        place: usize,
        result: StoreResult<R::Reply>,
    ) {
        if let (Router::Cluster(cluster), Err(error)) = (self.router, &result) {
            cluster.note(error);
            if self.rounds <= REDIRECTIONS
                && let Some(to) = route.next(cluster::slot_of(item.name.text), error)
            {
                return self.give(cluster, to, item, place);
            }
        }
        self.settle(place, result);
    }

    fn settle(&mut self, place: usize, result: StoreResult<R::Reply>) {
        if let Some(open) = self.results.get_mut(place) {
            *open = Some(result);
        }
    }

    /// Gives a node one more item.
    fn give(&mut self, cluster: &'a Cluster, to: Destination, item: Keyed<'a, R>, place: usize) {
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

impl<R: Command> Part<'_, R> {
    /// Ends with one result for each item.
    async fn run(&mut self, pieces: Pieces, by: Deadline, is_urgent: bool) {
        let Self { route, items, results, .. } = self;
        let session =
            if is_urgent { route.urgent_session(by).await } else { route.session(by).await };
        *results = match session {
            Ok(mut session) => commands::send_all(items, &mut session, pieces).await,
            Err(error) => vec![Err(error); items.len()],
        };
        results.resize(items.len(), Err(StoreError::Unexpected));
    }
}
