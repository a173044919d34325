//! The first look of a batch: one command for all of its ids, and all that a batch of hits needs.

use super::{Batch, Entry, keep};
use crate::call::Mode;
use crate::outcome::OfOne;
use crate::read::bypasses;
use crate::read::lookup::{Known, Looked, Lookup};
use crate::store::PIECE;
use crate::tags::Tags;

/// What remains of an id's search after the first look.
pub(super) struct Search<'a, T> {
    at: usize,
    mode: Mode,
    /// None if it bypasses the cache.
    open: Option<Open<'a, T>>,
}

/// A search, and where it continues.
type Open<'a, T> = (Lookup<'a, OfOne<T>, T>, Known<OfOne<T>>);

impl<T> Search<'_, T> {
    /// The rest of a single read's first stage, and whose it was.
    pub(super) async fn run(self) -> (usize, Looked<OfOne<T>>) {
        let looked = match self.open {
            Some((mut lookup, known)) => lookup.go_on(self.mode, known).await,
            None => Looked::alone(),
        };
        (self.at, looked)
    }
}

impl<T, U> Batch<'_, T, U> {
    /// Looks for all ids, and puts the values that are there into `found`. Returns the searches for the others.
    pub(super) async fn glance(&self, mode: Mode, found: &mut [Option<T>]) -> Vec<Search<'_, T>> {
        let (mut asked, mut left) = (Vec::with_capacity(self.entries.len()), Vec::new());
        for (at, entry) in self.entries.iter().enumerate() {
            let Some(mut lookup) = self.lookup(entry, mode) else {
                left.push(Search { at, mode, open: None });
                continue;
            };
            match lookup.begin(mode) {
                Some(known) => left.push(Search { at, mode, open: Some((lookup, known)) }),
                None => asked.push((at, lookup)),
            }
        }
        let Some((store, (_, first))) = self.cache.store().zip(asked.first()) else {
            return left;
        };
        let entries: Vec<_> = asked.iter().map(|(_, it)| (it.name, it.tags)).collect();
        // Many are read in pieces, each of which has as much time as a call has. So has the first: that it takes a while
        // to begin so many reads is not up to the store.
        let budget = if entries.len() > PIECE { first.budget.anew() } else { first.budget };
        let replies = Tags::read_with_each(store, &entries, budget.deadline()).await;
        for ((at, mut lookup), (reply, stamps)) in asked.into_iter().zip(replies) {
            let seen = lookup.judge(lookup.name, reply, stamps);
            match lookup.hit(mode, seen) {
                Ok(result) => keep(found, at, result.ok()),
                Err(known) => left.push(Search { at, mode, open: Some((lookup, known)) }),
            }
        }
        // The body gets them in the order in which they were given.
        left.sort_unstable_by_key(|search| search.at);
        left
    }

    /// One id's read; `None` if it bypasses the cache.
    fn lookup<'a>(
        &'a self,
        entry: &'a Entry<'_, T>,
        mode: Mode,
    ) -> Option<Lookup<'a, OfOne<T>, T>> {
        let Entry { key, text, tags } = entry;
        let goes_past = bypasses(mode, self.cache, key, text, tags) || self.cache.store().is_none();
        let lookup = || Lookup::new(self.cache, key, text, tags, &self.returns).of_many(self.asked);
        (!goes_past).then(lookup)
    }
}
