//! Requests that are held back, and how they are sent.

use std::any::Any;
use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::record::KeyHash;
use crate::store::coalesce::{Answer, Giver, answer};
use crate::store::embedded::BoxFuture;
use crate::store::{Keyed, Name, Operation, PIECE, Store, StoreError};
use crate::support::budget::Deadline;
use crate::support::join::join;

/// Requests that have not been sent: one list for each kind.
#[derive(Default)]
pub(super) struct Pending(Vec<Box<dyn AnyList>>);

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a request, which must be answered by `by`.
    pub(super) fn add<R: Operation>(
        &mut self,
        name: Name<'_>,
        request: R,
        by: Deadline,
    ) -> Answer<R::Reply> {
        let mut lists = self.0.iter_mut().map(|list| &mut **list as &mut dyn Any);
        if let Some(list) = lists.find_map(|list| list.downcast_mut::<List<R>>()) {
            return list.add(name, request, by);
        }
        let mut list = Box::new(List { requests: Vec::new(), by });
        let answer = list.add(name, request, by);
        self.0.push(list);
        answer
    }

    /// Sends all of it, and hands out the answers. A boxed future without its type: otherwise rustc
    /// looks through all of the store to tell whether a batch is `Send`.
    pub(super) fn send(self, store: &Store, patience: Duration) -> BoxFuture<'_, ()> {
        Box::pin(join(self.0.into_iter().map(move |list| list.send(store, patience))))
    }
}

/// Requests of any one kind.
trait AnyList: Any + Send {
    fn send(self: Box<Self>, store: &Store, patience: Duration) -> BoxFuture<'_, ()>;
}

struct List<R: Operation> {
    requests: Vec<Waiting<R>>,
    /// The latest of all deadlines.
    by: Deadline,
}

struct Waiting<R: Operation> {
    text: String,
    hash: KeyHash,
    request: R,
    giver: Giver<R::Reply>,
}

impl<R: Operation> List<R> {
    fn add(&mut self, name: Name<'_>, request: R, by: Deadline) -> Answer<R::Reply> {
        self.by = self.by.max(by);
        let ((giver, answer), Name { text, hash }) = (answer(), name);
        self.requests.push(Waiting { text: text.to_owned(), hash, request, giver });
        answer
    }

    /// The time by which they must be answered, or the first piece of them if they are many: those
    /// have waited for one another before they are sent, and what that took is no part of the wait
    /// for an answer.
    fn deadline(&self, patience: Duration) -> Deadline {
        if self.requests.len() > PIECE { self.by.max(Instant::now() + patience) } else { self.by }
    }
}

impl<R: Operation> AnyList for List<R> {
    fn send(self: Box<Self>, store: &Store, patience: Duration) -> BoxFuture<'_, ()> {
        let by = self.deadline(patience);
        Box::pin(async move {
            let (mut keys, mut requests) = (Vec::new(), Vec::new());
            for Waiting { text, hash, request, giver } in self.requests {
                keys.push((text, hash, giver));
                requests.push(request);
            }
            let mut distinct: Vec<Keyed<'_, R>> = Vec::with_capacity(keys.len());
            let (mut known, mut places) = (HashMap::new(), Vec::with_capacity(keys.len()));
            for ((text, hash, _), request) in keys.iter().zip(requests) {
                let present = known.get(text).and_then(|at: &usize| distinct.get_mut(*at));
                if !present.is_some_and(|present| present.request.merge(&request)) {
                    known.insert(text, distinct.len());
                    distinct.push(Keyed { name: Name { text, hash: *hash }, request });
                }
                places.push(known.get(text).copied().unwrap_or_default());
            }
            let results = store.send_all(distinct, by).await;
            for ((.., giver), place) in keys.iter().zip(places) {
                giver.give(results.get(place).cloned().unwrap_or(Err(StoreError::Unexpected)));
            }
        })
    }
}
