//! The first lookup of a batch: one command for all of its ids, and all that a batch of hits needs.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Instant;

use crate::engine::tags::Tags;
use crate::engine::{Core, Mode};
use crate::key::{Key, Typed};
use crate::metrics::OutcomeKind;
use crate::read::batch::outcomes::BatchTally;
use crate::read::batch::{Batch, keep};
use crate::read::call::ReadCall;
use crate::read::freshness::AgePolicy;
use crate::read::interpret::Reply;
use crate::read::lookup::{Lookup, LookupOutcome, Step};
use crate::read::steps::{Body, Both, Protocol, Values};
use crate::store::PIECE;
use crate::typing::{OfOne, Returns};

/// One id of a batch: its types, and its result as soon as there is one.
pub(super) struct One<T> {
    values: Values<OfOne<T>, T>,
}

/// What remains of an id's search after the first lookup.
pub(super) struct Search<'a, T> {
    pub(super) at: usize,
    one: One<T>,
    /// The search, and where it continues. None if the id bypasses the cache.
    open: Option<(Lookup<'a>, Step)>,
}

/// What an id's search has come to.
pub(super) struct Searched<T> {
    pub(super) at: usize,
    pub(super) outcome: LookupOutcome,
    pub(super) one: One<T>,
    /// None if the id bypasses the cache.
    pub(super) call: Option<ReadCall>,
}

/// Stands for the body of one id, which there is none of: a batch has one body for many ids.
struct Bodiless;

impl<R, T> Body<R, T> for Bodiless {
    fn start(&mut self) {}

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<R> {
        Poll::Pending
    }

    fn detach(&mut self, _: Box<dyn Protocol>, _: Values<R, T>, _: &Core) {}
}

impl<T> One<T> {
    fn new(returns: Returns<OfOne<T>, T>, key: Typed<T>) -> Self {
        Self { values: Values::new(returns, key) }
    }

    /// Does something with the types and the result of the id. `unless` says which values are not
    /// to be stored.
    pub(super) fn with<X>(
        &mut self,
        unless: Option<&dyn Fn(&T) -> bool>,
        work: impl FnOnce(&mut Both<'_, OfOne<T>, T>) -> X,
    ) -> X {
        work(&mut Both { values: &mut self.values, unless, body: &mut Bodiless })
    }

    pub(super) fn set(&mut self, result: OfOne<T>) {
        self.values.result = Some(result);
    }

    pub(super) fn take(&mut self) -> Option<OfOne<T>> {
        self.values.result.take()
    }
}

impl<T> Search<'_, T> {
    /// The rest of a single read's first stage.
    pub(super) async fn run(self) -> Searched<T> {
        let Self { at, mut one, open } = self;
        let Some((mut lookup, step)) = open else {
            let outcome = LookupOutcome::alone(OutcomeKind::Bypassed);
            return Searched { at, outcome, one, call: None };
        };
        let channel = lookup.open_channel();
        let outcome = {
            let mut search: Pin<Box<dyn Future<Output = LookupOutcome> + Send + '_>> =
                Box::pin(lookup.search(step));
            poll_fn(|cx| {
                one.with(None, |both| channel.poll(cx, both, |cx| search.as_mut().poll(cx)))
            })
            .await
        };
        Searched { at, outcome, one, call: Some(lookup.call) }
    }
}

impl<T> Batch<'_, T> {
    /// Looks for all ids, and puts the values that are there into `found`. Returns the searches for
    /// the others.
    pub(super) async fn first_lookup(
        &self,
        mode: Mode,
        keys: Vec<Key<T>>,
        found: &mut [Option<T>],
        tally: &mut BatchTally,
    ) -> Vec<Search<'_, T>> {
        let (mut asked, mut left) = (Vec::with_capacity(keys.len()), Vec::new());
        for (at, key) in keys.into_iter().enumerate() {
            let (one, lookup) = self.lookup(key, mode);
            let Some(mut lookup) = lookup else {
                left.push(Search { at, one, open: None });
                continue;
            };
            match lookup.begin() {
                Some(step) => left.push(Search { at, one, open: Some((lookup, step)) }),
                None => asked.push((at, one, lookup)),
            }
        }
        let Some((store, (_, _, first))) = self.cache.store().zip(asked.first()) else {
            return left;
        };
        // Many are read in pieces, each of which has as much time as a call has. So has the first:
        // the store is not to blame for the time that it takes to begin so many reads.
        let budget = if asked.len() > PIECE { first.budget.anew() } else { first.budget };
        let replies = {
            let entries =
                asked.iter().map(|(_, _, lookup)| (lookup.call.name(), &lookup.call.tags));
            let entries: Vec<_> = entries.collect();
            Tags::read_with_each(store, &entries, budget.deadline()).await
        };
        for ((at, mut one, mut lookup), reply) in asked.into_iter().zip(replies) {
            let (seen, freshness) = lookup.judge(Reply::tagged(reply));
            let seen = one.with(None, |both| lookup.confirm_by(seen, both));
            if let Some(hit) = lookup.hit(&seen, freshness) {
                tally.end((self.cache, lookup.call.callsite), hit);
                keep(found, at, one.take().and_then(Result::ok));
            } else {
                let open = Some((lookup, Step::Decide(None, seen, freshness)));
                left.push(Search { at, one, open });
            }
        }
        // The body gets the ids in the order in which they were given.
        left.sort_unstable_by_key(|search| search.at);
        left
    }

    /// One id's read; without a lookup if it bypasses the cache.
    fn lookup(&self, key: Key<T>, mode: Mode) -> (One<T>, Option<Lookup<'_>>) {
        let one = One::new(self.returns, key.typed());
        let key = key.into_untyped();
        // A batch looks into the entries of its ids and nowhere else.
        let mode = if key.is_alias() { Mode::Bypass } else { mode };
        let unhashable = key.unhashable();
        let call = ReadCall::new(self.cache.clone(), key, mode);
        if call.bypasses(mode, unhashable) {
            return (one, None);
        }
        let lookup = Lookup::new(call, mode, AgePolicy::Ignored, None, false, Instant::now());
        (one, Some(lookup.of_many(self.asked)))
    }
}
