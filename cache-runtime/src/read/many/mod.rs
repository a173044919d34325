//! Reads of many entries in one call.
//!
//! A batch is one single read per id. Each has its own key, flight, lease and fill and uses the code of a single
//! read, so every id of a batch has the properties of a single read: who may share a load, what an invalidation
//! undoes, what becomes of an error. The first lookup is [one command](glance) for all of them; if all are hits,
//! nothing else happens. Otherwise the remaining reads run side by side, their commands go to the store
//! [together](Convoy), and the body runs once for all ids that must be loaded.
//!
//! # Rounds
//!
//! Some of the ids may be loading elsewhere: for another batch, for a single read, or in another process. A batch
//! first loads the ids that it may load, stores them and serves their waiters; only then does it wait for the others.
//! So
//!
//! > a batch never waits for a load while others wait for one of its own,
//!
//! and two batches that overlap, in whatever order, cannot wait for each other. If a value that the batch waited for
//! does not arrive (the load failed, was dropped, or could not be stored), the batch takes over and runs its body
//! once more.

mod again;
mod answer;
mod glance;
mod ids;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::iter;
use std::pin::{Pin, pin};
use std::time::Duration;

use super::attempt::{Attempt, Loaded, guarded, keeping};
use super::ending::Ending;
use super::loading::Running;
use super::lookup::Looked;
use crate::cache::{Cache, ambient};
use crate::call::Mode;
use crate::callsite::Callsite;
use crate::key::Key;
use crate::limit;
use crate::outcome::{OfOne, Returns, Storable};
use crate::store::Convoy;
use crate::tags::Tags;

pub use self::again::{Again, again};
pub use self::answer::{Answers, Batched, HeldBy, Negative};
use self::glance::Search;
pub use self::ids::{Id, Ids};

/// A call of a cached function of many ids, as its attribute spells it out.
#[must_use = "a call does nothing until it goes through"]
pub struct ReadMany<I, C, T, U = fn(&T) -> bool> {
    /// Each id once, in the order in which they were given.
    ids: Vec<I>,
    /// Makes the collection that the body is given.
    collect: fn(Vec<I>) -> C,
    /// Those of the ids.
    keys: Vec<Key<T>>,
    cache: Option<Cache>,
    mode: Mode,
    unless: Option<U>,
}

/// Begins a call; takes the mode that was set for it.
pub fn read_many<C: Ids + ?Sized, T>(
    ids: &C,
    key: impl FnMut(&C::Id) -> Key<T>,
) -> ReadMany<C::Id, C::Owned, T> {
    let ids = ids::distinct(ids);
    let keys = ids.iter().map(key).collect();
    ReadMany { ids, collect: C::collect, keys, cache: None, mode: Mode::take(), unless: None }
}

impl<I, C, T, U> ReadMany<I, C, T, U> {
    /// Uses this function's name and policy on entries whose keys come from elsewhere.
    pub fn at(self, callsite: &'static Callsite) -> Self {
        Self { keys: self.keys.into_iter().map(|key| key.at(callsite)).collect(), ..self }
    }

    /// Uses this cache and not the ambient one.
    pub fn cache(self, cache: impl AsRef<Cache>) -> Self {
        Self { cache: Some(cache.as_ref().clone()), ..self }
    }

    /// Uses the cache only if this is true.
    pub fn when(self, condition: bool) -> Self {
        let mode = if condition { self.mode } else { Mode::Bypass };
        Self { mode, ..self }
    }

    /// Does not store values for which this is true.
    pub fn unless<P: Fn(&T) -> bool>(self, unless: P) -> ReadMany<I, C, T, P> {
        let Self { ids, collect, keys, cache, mode, .. } = self;
        ReadMany { ids, collect, keys, cache, mode, unless: Some(unless) }
    }

    /// Remembers ids that the body does not return.
    pub fn negative(self) -> Self
    where
        T: Negative,
    {
        self
    }

    /// Finds the values, and runs the body for those that must be loaded.
    ///
    /// # Cancel safety
    ///
    /// That of a single read, for each id.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would hold its arguments twice")]
    pub fn through<R, F, B>(self, batched: Batched<R, I, T>, mut load: F) -> impl Future<Output = R>
    where
        I: Id,
        T: Storable,
        U: Fn(&T) -> bool,
        F: FnMut(C) -> B,
        B: Future<Output = R>,
    {
        async move {
            let cache = self.cache.unwrap_or_else(ambient::current);
            let Some(callsite) = self.keys.first().map(Key::callsite) else {
                return batched.answer(iter::empty());
            };
            let (returns, mode) = (Returns::of_one(batched.is_nothing), self.mode);
            let entries: Vec<_> = self.keys.iter().map(|key| Entry::new(&cache, key)).collect();
            let batch = Batch { cache: &cache, entries, returns, unless: self.unless };

            let mut found: Vec<Option<T>> = self.ids.iter().map(|_| None).collect();
            let left = batch.glance(mode, &mut found).await;
            let mut search = Convoy::new(left.into_iter().map(Search::run));
            loop {
                let looked = search.advance(cache.store()).await;
                if looked.is_empty() {
                    break;
                }
                let mut loads = Vec::new();
                for (_, (at, looked)) in looked {
                    match looked {
                        Looked::Found(Ok(value)) => keep(&mut found, at, Some(value)),
                        // The leader that this id waited for has failed.
                        Looked::Found(Err(error)) => match batched.unshare(error.as_ref()) {
                            Some(result) => return result,
                            None => loads.push((at, Attempt::Alone)),
                        },
                        Looked::Load(attempt) => loads.push((at, attempt)),
                    }
                }
                if loads.is_empty() {
                    continue;
                }
                let ids = loads.iter().filter_map(|(at, _)| self.ids.get(*at).cloned()).collect();
                let running = Running::new(&cache, callsite);
                let result = {
                    let start = || {
                        running.start();
                        load((self.collect)(ids))
                    };
                    let mut body = pin!(limit::bounded(&cache, callsite, batched.refuse, start));
                    batch.watch(&loads, body.as_mut()).await
                };
                let loaded = batched.take_apart(result);
                let took = running.end(loaded.is_ok());
                let (results, failure) = match loaded {
                    Ok(pairs) => (sort(&self.ids, &loads, pairs, batched.nothing), None),
                    Err(result) => {
                        let error = guarded(|| batched.share(&result)).flatten();
                        let failed = loads.iter().map(|_| Err(error.clone()));
                        (failed.collect(), Some(result))
                    }
                };
                let mut endings = Vec::new();
                for ((at, attempt), result) in loads.into_iter().zip(results) {
                    endings.extend(batch.end(at, attempt, &result, took));
                    keep(&mut found, at, result.ok());
                }
                if let Some(result) = failure {
                    return result;
                }
                let endings = endings.into_iter().map(|ending| ending.finish(callsite));
                Box::pin(Convoy::new(endings).finish(cache.store())).await;
            }
            drop(search);
            let found = self.ids.into_iter().zip(found);
            batched.answer(found.filter_map(|(id, value)| Some((id, value?))))
        }
    }
}

/// One id's entry.
struct Entry<'a, T> {
    key: &'a Key<T>,
    text: Cow<'a, str>,
    tags: Tags,
}

impl<'a, T> Entry<'a, T> {
    fn new(cache: &Cache, key: &'a Key<T>) -> Self {
        let text = cache.full_text(key.as_str());
        Self { key, text, tags: Tags::of(cache, key) }
    }
}

/// What the single reads of a batch have in common.
struct Batch<'a, T, U> {
    cache: &'a Cache,
    entries: Vec<Entry<'a, T>>,
    returns: Returns<OfOne<T>, T>,
    unless: Option<U>,
}

/// The ids that one run of the body loads, by position, and how each is loaded.
type Loads = Vec<(usize, Attempt)>;

impl<T, U: Fn(&T) -> bool> Batch<'_, T, U> {
    /// The second stage of a single read, for all of a round: runs the body, and keeps the leases meanwhile.
    async fn watch<B: Future>(&self, loads: &Loads, body: Pin<&mut B>) -> B::Output {
        let leases: Vec<_> = loads.iter().filter_map(|(_, attempt)| attempt.lease()).collect();
        let Some(length) = leases.first().map(|lease| lease.length()) else {
            return body.await;
        };
        let renew = || Convoy::new(leases.iter().map(|lease| lease.renew()));
        keeping(body, length, || Box::pin(renew().finish(self.cache.store()))).await
    }

    /// The beginning of the third.
    fn end(
        &self,
        at: usize,
        attempt: Attempt,
        result: &OfOne<T>,
        took: Duration,
    ) -> Option<Ending> {
        let Entry { key, text, tags } = self.entries.get(at)?;
        let (cache, returns, unless) = (self.cache, &self.returns, self.unless.as_ref());
        attempt.end(&Loaded { cache, text, tags, result, returns, key, unless, took })
    }
}

/// What the body returned for each id of a round. What it returned for other ids is dropped.
fn sort<I: Eq + Hash, T>(
    ids: &[I],
    loads: &Loads,
    pairs: Vec<(I, T)>,
    nothing: fn() -> Option<T>,
) -> Vec<OfOne<T>> {
    let asked = loads.iter().enumerate();
    let asked = asked.filter_map(|(place, (at, _))| Some((ids.get(*at)?, place)));
    let places: HashMap<&I, usize> = asked.collect();
    let mut values: Vec<Option<T>> = loads.iter().map(|_| None).collect();
    for (id, value) in pairs {
        if let Some(place) = places.get(&id) {
            keep(&mut values, *place, Some(value));
        }
    }
    values.into_iter().map(|value| value.or_else(nothing).ok_or(None)).collect()
}

fn keep<T>(places: &mut [Option<T>], at: usize, value: Option<T>) {
    if let Some(place) = places.get_mut(at) {
        *place = value;
    }
}

impl<I, C, T, U> fmt::Debug for ReadMany<I, C, T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadMany")
            .field("keys", &self.keys)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
