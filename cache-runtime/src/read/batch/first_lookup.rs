//! The first look of a batch: one command for all of its ids, and all that a batch of hits needs.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::engine::tags::Tags;
use crate::engine::{Core, Mode};
use crate::key::{Key, Typed};
use crate::read::batch::{Batch, keep};
use crate::read::bypasses;
use crate::read::driver::Driver;
use crate::read::load::body::Body;
use crate::read::load::desk::Desk;
use crate::read::load::steps::{Both, Values};
use crate::read::lookup::first_look::Reply;
use crate::read::lookup::{Entry, Known, Looked, Lookup};
use crate::store::PIECE;
use crate::typing::{OfOne, Returns};
/// One id: its value, or what becomes of it.
pub(super) struct One<T> {
    values: Values<OfOne<T>, T>,
}

/// What remains of an id's search after the first look.
pub(super) struct Search<'a, T> {
    pub(super) at: usize,
    mode: Mode,
    one: One<T>,
    /// None if it bypasses the cache.
    open: Option<Open<'a>>,
}

/// A search, and where it continues.
type Open<'a> = (Lookup<'a>, Known);

/// What a search has come to.
pub(super) struct Sought<T> {
    pub(super) at: usize,
    pub(super) looked: Looked,
    pub(super) one: One<T>,
    /// None if it bypasses the cache.
    pub(super) entry: Option<Entry>,
}

/// The body of a batch is not that of one id.
struct Bodiless;

impl<R, T> Body<R, T> for Bodiless {
    fn start(&mut self) {}

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<R> {
        Poll::Pending
    }

    fn detach(&mut self, _: Driver, _: Values<R, T>, _: &Core) {}
}

impl<T> One<T> {
    fn new(returns: Returns<OfOne<T>, T>, key: Typed<T>) -> Self {
        Self { values: Values::new(returns, key) }
    }

    /// With what is known of its result, and what is not to be stored.
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
    pub(super) async fn run(self) -> Sought<T> {
        let Self { at, mode, mut one, open } = self;
        let Some((mut lookup, known)) = open else {
            return Sought { at, looked: Looked::alone(), one, entry: None };
        };
        let desk = lookup.desk.insert(Desk::default()).clone();
        let looked = {
            let mut search: Pin<Box<dyn Future<Output = Looked> + Send + '_>> =
                Box::pin(lookup.go_on(mode, known));
            poll_fn(|cx| {
                one.with(None, |both| desk.attend(cx, both, |cx| search.as_mut().poll(cx)))
            })
            .await
        };
        Sought { at, looked, one, entry: Some(lookup.entry) }
    }
}

impl<T> Batch<'_, T> {
    /// Looks for all ids, and puts the values that are there into `found`. Returns the searches for the others.
    pub(super) async fn glance(
        &self,
        mode: Mode,
        keys: Vec<Key<T>>,
        found: &mut [Option<T>],
    ) -> Vec<Search<'_, T>> {
        let (mut asked, mut left) = (Vec::with_capacity(keys.len()), Vec::new());
        for (at, key) in keys.into_iter().enumerate() {
            let (one, lookup) = self.lookup(key, mode);
            let Some(mut lookup) = lookup else {
                left.push(Search { at, mode, one, open: None });
                continue;
            };
            match lookup.begin(mode) {
                Some(known) => left.push(Search { at, mode, one, open: Some((lookup, known)) }),
                None => asked.push((at, one, lookup)),
            }
        }
        let Some((store, (_, _, first))) = self.cache.store().zip(asked.first()) else {
            return left;
        };
        // Many are read in pieces, each of which has as much time as a call has. So has the first: that it takes a while
        // to begin so many reads is not up to the store.
        let budget = if asked.len() > PIECE { first.budget.anew() } else { first.budget };
        let replies = {
            let entries = asked.iter().map(|(_, _, it)| (it.name(), &it.entry.tags));
            let entries: Vec<_> = entries.collect();
            Tags::read_with_each(store, &entries, budget.deadline()).await
        };
        for ((at, mut one, mut lookup), reply) in asked.into_iter().zip(replies) {
            let candidate = lookup.judge(Reply::tagged(reply));
            let seen = one.with(None, |both| lookup.confirm_by(candidate, both));
            if lookup.is_hit(mode, &seen) {
                keep(found, at, one.take().and_then(Result::ok));
            } else {
                let open = Some((lookup, Known::Seen(seen)));
                left.push(Search { at, mode, one, open });
            }
        }
        // The body gets them in the order in which they were given.
        left.sort_unstable_by_key(|search| search.at);
        left
    }

    /// One id's read; without a lookup if it bypasses the cache.
    fn lookup(&self, key: Key<T>, mode: Mode) -> (One<T>, Option<Lookup<'_>>) {
        let one = One::new(self.returns, key.typed());
        let key = key.into_untyped();
        let (unhashable, entry) = (key.unhashable(), Entry::new(self.cache.clone(), key));
        let Entry { cache, callsite, text, tags, .. } = &entry;
        let goes_past =
            bypasses(mode, cache, callsite, unhashable, text, tags) || cache.store().is_none();
        let lookup = || {
            let mut lookup = Lookup::new(entry, None, false).of_many(self.asked);
            lookup.steps_aside = mode == Mode::Through;
            lookup
        };
        (one, (!goes_past).then(lookup))
    }
}
