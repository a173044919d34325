//! Operations that are held back, and how they are sent.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::record::KeyHash;
use crate::record::token::Token;
use crate::store::coalesce::Answer;
use crate::store::{
    Acquired, Claim, Fill, Filling, Name, PIECE, Stamped, Store, StoreError, StoreResult,
};
use crate::support::budget::Deadline;

/// Operations that have not been sent, by kind.
#[derive(Default)]
pub(super) struct Held {
    gets: Vec<Operation<(), Option<Bytes>>>,
    stamps: Vec<Operation<Duration, Stamped>>,
    acquires: Vec<Operation<Lease, Acquired>>,
    renewals: Vec<Operation<Lease, bool>>,
    fills: Vec<Operation<(Option<Token>, Fill), bool>>,
}

/// An operation on one key.
struct Operation<A, T> {
    key: (String, KeyHash),
    by: Deadline,
    arguments: A,
    answer: Answer<T>,
}

/// A lease that is asked for or kept.
struct Lease {
    token: Token,
    reject: Option<Token>,
    length: Duration,
}

impl Lease {
    fn new(Claim { token, reject, .. }: Claim<'_>, length: Duration) -> Self {
        Self { token, reject, length }
    }
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        let Self { gets, stamps, acquires, renewals, fills } = self;
        let nothing_read = gets.is_empty() && stamps.is_empty();
        nothing_read && acquires.is_empty() && renewals.is_empty() && fills.is_empty()
    }

    pub(super) fn get(&mut self, name: Name<'_>, by: Deadline) -> Answer<Option<Bytes>> {
        hold(&mut self.gets, name, by, ())
    }

    pub(super) fn stamp(
        &mut self,
        name: Name<'_>,
        need: Duration,
        by: Deadline,
    ) -> Answer<Stamped> {
        hold(&mut self.stamps, name, by, need)
    }

    pub(super) fn acquire(
        &mut self,
        claim: Claim<'_>,
        lease: Duration,
        by: Deadline,
    ) -> Answer<Acquired> {
        hold(&mut self.acquires, claim.name, by, Lease::new(claim, lease))
    }

    pub(super) fn renew(
        &mut self,
        claim: Claim<'_>,
        lease: Duration,
        by: Deadline,
    ) -> Answer<bool> {
        hold(&mut self.renewals, claim.name, by, Lease::new(claim, lease))
    }

    pub(super) fn fill(
        &mut self,
        name: Name<'_>,
        seen: Option<Token>,
        fill: Fill,
        by: Deadline,
    ) -> Answer<bool> {
        hold(&mut self.fills, name, by, (seen, fill))
    }

    /// Sends all of it, and hands out the answers.
    pub(super) async fn send(self, store: &Store, patience: Duration) {
        let Self { gets, stamps, acquires, renewals, fills } = self;
        tokio::join!(
            send_gets(store, gets, patience),
            send_stamps(store, stamps, patience),
            send_acquires(store, acquires, patience),
            send_renewals(store, renewals, patience),
            send_fills(store, fills, patience),
        );
    }
}

fn hold<A, T>(
    held: &mut Vec<Operation<A, T>>,
    name: Name<'_>,
    by: Deadline,
    arguments: A,
) -> Answer<T> {
    let answer = Answer::new();
    let key = (name.text.to_owned(), name.hash);
    held.push(Operation { key, by, arguments, answer: Answer(answer.0.clone()) });
    answer
}

async fn send_gets(store: &Store, held: Vec<Operation<(), Option<Bytes>>>, patience: Duration) {
    let Some(by) = deadline(&held, patience) else { return };
    let (names, places) = distinct(&held);
    let results = store.get_many(&names, by).await;
    for (operation, place) in held.iter().zip(places) {
        operation.answer.give(results.get(place).cloned().unwrap_or(Err(StoreError::Unexpected)));
    }
}

async fn send_stamps(store: &Store, held: Vec<Operation<Duration, Stamped>>, patience: Duration) {
    let Some(by) = deadline(&held, patience) else { return };
    let need = held.iter().map(|operation| operation.arguments).max().unwrap_or_default();
    let (names, places) = distinct(&held);
    let results = store.stamp(&names, need, by).await;
    for (operation, place) in held.iter().zip(places) {
        operation.answer.give(results.get(place).cloned().unwrap_or(Err(StoreError::Unexpected)));
    }
}

async fn send_acquires(store: &Store, held: Vec<Operation<Lease, Acquired>>, patience: Duration) {
    let Some(by) = deadline(&held, patience) else { return };
    let (claims, length) = claims(&held);
    give(&held, store.acquire_many(&claims, length, by).await);
}

async fn send_renewals(store: &Store, held: Vec<Operation<Lease, bool>>, patience: Duration) {
    let Some(by) = deadline(&held, patience) else { return };
    let (claims, length) = claims(&held);
    give(&held, store.renew_many(&claims, length, by).await);
}

async fn send_fills(
    store: &Store,
    held: Vec<Operation<(Option<Token>, Fill), bool>>,
    patience: Duration,
) {
    let Some(by) = deadline(&held, patience) else { return };
    let mut values = Vec::with_capacity(held.len());
    let mut keys = Vec::with_capacity(held.len());
    for Operation { key, by, arguments, answer } in held {
        values.push(arguments);
        keys.push(Operation { key, by, arguments: (), answer });
    }
    let mut fillings = Vec::with_capacity(keys.len());
    for (operation, (seen, fill)) in keys.iter().zip(values) {
        fillings.push(Filling { name: operation.name(), seen, fill });
    }
    give(&keys, store.fill_many(fillings, by).await);
}

/// The claims to some keys, and for how long. They are all of one function, and as long.
fn claims<T>(held: &[Operation<Lease, T>]) -> (Vec<Claim<'_>>, Duration) {
    let length = held.iter().map(|operation| operation.arguments.length).max();
    (held.iter().map(Operation::claim).collect(), length.unwrap_or_default())
}

impl<T> Operation<Lease, T> {
    fn claim(&self) -> Claim<'_> {
        let Lease { token, reject, .. } = self.arguments;
        Claim { name: self.name(), token, reject }
    }
}

impl<A, T> Operation<A, T> {
    fn name(&self) -> Name<'_> {
        Name { text: &self.key.0, hash: self.key.1 }
    }
}

/// The time by which they must be answered, or the first piece of them if they are many: those have waited for one
/// another before they are sent, and what that took is no part of the wait for an answer. None of none.
fn deadline<A, T>(held: &[Operation<A, T>], patience: Duration) -> Option<Deadline> {
    let latest = held.iter().map(|operation| operation.by).max()?;
    Some(if held.len() > PIECE { latest.max(Instant::now() + patience) } else { latest })
}

/// Each key once, and where in that list each operation's is.
fn distinct<A, T>(held: &[Operation<A, T>]) -> (Vec<Name<'_>>, Vec<usize>) {
    let mut names = Vec::new();
    let mut known = HashMap::new();
    let places = held.iter().map(|operation| {
        let name = operation.name();
        *known.entry(name.text).or_insert_with(|| {
            names.push(name);
            names.len() - 1
        })
    });
    let places = places.collect();
    (names, places)
}

fn give<A, T>(held: &[Operation<A, T>], results: Vec<StoreResult<T>>) {
    let mut results = results.into_iter();
    for operation in held {
        operation.answer.give(results.next().unwrap_or(Err(StoreError::Unexpected)));
    }
}
