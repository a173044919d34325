//! Reads of many entries in one call.
//!
//! A batch is one single read per id. Each has its own key, flight, lease and fill and uses the
//! code of a single read, so every id of a batch has the properties of a single read: who may share
//! a load, what an invalidation undoes, what becomes of an error. The first lookup is [one
//! command](first_lookup) for all of them; if all are hits, nothing else happens. Otherwise the
//! remaining reads run side by side, their commands go to the store [together](Together), and the
//! body runs once for all ids that must be loaded, or once for each [chunk](chunks) of them.
//!
//! # Rounds
//!
//! Some of the ids may be loading elsewhere: for another batch, for a single read, or in another
//! process. A batch first loads the ids that it may load, stores them and serves their waiters;
//! only then does it wait for the others. So
//!
//! > a batch never waits for a load while others wait for one of its own,
//!
//! and two batches that overlap, in any order, cannot wait for each other. If a value that the
//! batch waited for does not arrive (the load failed, was dropped, or could not be stored), the
//! batch takes over and runs its body once more. It ends with the error of another call only if
//! that was a call of the same function for the same ids.

mod bodies;
mod chunks;
mod first_lookup;
mod load;
mod outcomes;

use std::fmt;
use std::iter;
use std::sync::OnceLock;

use crate::engine::flight::FlightRequest;
use crate::engine::{Core, Mode};
use crate::key::Key;
use crate::metrics::{OutcomeKind, UncachedReason};
use crate::policy::Callsite;
use crate::read::call::resolved;
use crate::read::load::finish::Finish;
use crate::read::load::mode::LoadMode;
use crate::read::lookup::LookupOutcome;
use crate::record::KeyHash;
use crate::store::Together;
use crate::support::trace::Trace;
use crate::typing::{Batched, Id, Ids, Negative, OfOne, Returns, distinct};

use self::bodies::Bodies;
pub use self::bodies::CallingMany;
use self::chunks::{Chunks, Loaded, Ran, store_in_background};
use self::first_lookup::{Search, Searched};
use self::load::{Load, keep};
use self::outcomes::BatchTally;

/// A call of a cached function of many ids, as its attribute spells it out.
#[must_use = "a call does nothing until it goes through"]
pub struct ReadMany<I, C, T, U = fn(&T) -> bool> {
    /// Each id once, in the order in which they were given.
    ids: Vec<I>,
    /// Makes the collection that the body is given.
    collect: fn(Vec<I>) -> C,
    /// The keys of the ids, in the same order.
    keys: Vec<Key<T>>,
    cache: Option<Core>,
    mode: Mode,
    unless: Option<U>,
    chunks: Chunks,
}

/// Begins a call; takes the mode that was set for it.
pub fn read_many<C: Ids + ?Sized, T>(
    ids: &C,
    key: impl FnMut(&C::Id) -> Key<T>,
) -> ReadMany<C::Id, C::Owned, T> {
    let ids = distinct(ids);
    let keys = ids.iter().map(key).collect();
    let (mode, chunks) = (Mode::take(), Chunks::NONE);
    ReadMany { ids, collect: C::collect, keys, cache: None, mode, unless: None, chunks }
}

impl<I, C, T, U> ReadMany<I, C, T, U> {
    /// Uses this function's name and policy on entries whose keys come from elsewhere.
    pub fn at(self, callsite: &'static Callsite) -> Self {
        Self { keys: self.keys.into_iter().map(|key| key.at(callsite)).collect(), ..self }
    }

    /// Uses this cache and not the ambient one.
    pub(crate) fn on(self, cache: Core) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// Uses the cache only if this is true.
    pub fn when(self, condition: bool) -> Self {
        let mode = if condition { self.mode } else { Mode::Bypass };
        Self { mode, ..self }
    }

    /// Does not store values for which this is true.
    pub fn unless<P: Fn(&T) -> bool>(self, unless: P) -> ReadMany<I, C, T, P> {
        let Self { ids, collect, keys, cache, mode, chunks, .. } = self;
        ReadMany { ids, collect, keys, cache, mode, unless: Some(unless), chunks }
    }

    /// Runs the body for at most so many ids, and so many times at once.
    pub fn in_chunks(self, most: usize, at_once: usize) -> Self {
        let chunks = Chunks { most: most.max(1), at_once: at_once.max(1) };
        Self { chunks, ..self }
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
    pub fn through<R, F, B>(
        self,
        batched: Batched<R, I, T>,
        load: F,
    ) -> CallingMany<impl Future<Output = R>, I, C, R, F, B>
    where
        I: Id,
        U: Fn(&T) -> bool,
        F: FnMut(C) -> B,
        B: Future<Output = R>,
    {
        let Self { ids, collect, keys, cache, mode, unless, chunks } = self;
        let bodies = Bodies::new();
        // One that is asked for nothing is not told either.
        let span = |first: &Key<T>| Trace::batch(first.callsite().name(), ids.len());
        let trace = keys.first().map(span).unwrap_or_default();
        let (runs, traced) = (bodies.clone(), trace.clone());
        let rounds =
            Rounds { ids, keys, cache, mode, unless, chunks, batched, bodies: runs, trace: traced };
        CallingMany::new(rounds.run(), bodies, collect, load, trace)
    }
}

/// The protocol of a call of many ids, round by round.
struct Rounds<R, I, T, U> {
    ids: Vec<I>,
    keys: Vec<Key<T>>,
    cache: Option<Core>,
    mode: Mode,
    unless: Option<U>,
    chunks: Chunks,
    batched: Batched<R, I, T>,
    bodies: Bodies<I, R>,
    trace: Trace,
}

impl<R, I: Id, T, U: Fn(&T) -> bool> Rounds<R, I, T, U> {
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would hold its arguments twice")]
    fn run(self) -> impl Future<Output = R> {
        async move {
            let Self { ids, keys, cache, mode, unless, chunks, batched, bodies, trace } = self;
            let Some(first) = keys.first() else {
                return batched.answer(iter::empty());
            };
            let callsite = first.callsite();
            let (cache, mode) = resolved(cache, callsite, first.owner(), mode);
            let cache = cache.coalescing();
            let names = keys.iter().map(|key| KeyHash::of(&cache.full_text(key.as_str())));
            let names: Vec<_> = names.collect();
            let asked = OnceLock::new();
            let all = || FlightRequest::many(callsite, names.iter().copied());
            let asked = || asked.get_or_init(all).clone();
            let returns = (batched.of_one)();
            let batch = Batch { cache: &cache, asked: &asked, returns };

            let mut tally = BatchTally::new(&cache, callsite, ids.len(), trace);
            let entry = (&cache, callsite);
            let mut found: Vec<Option<T>> = ids.iter().map(|_| None).collect();
            let left = batch.first_lookup(mode, keys, &mut found, &mut tally).await;
            let patience = callsite.policy().budget.unwrap_or(cache.settings().budget);
            let mut search =
                Together::new(left.into_iter().map(Search::run), cache.store(), patience);
            loop {
                let searched = search.advance().await;
                if searched.is_empty() {
                    break;
                }
                let mut loads = Vec::new();
                for (_, Searched { at, outcome, mut one, call }) in searched {
                    let unshared = (LoadMode::Alone, UncachedReason::Unshared.into());
                    let (mode, ending) = match (outcome, one.take()) {
                        (LookupOutcome::Load(mode, ending), _) => (mode, ending),
                        (LookupOutcome::Found(ending), Some(Ok(value))) => {
                            tally.end(entry, ending);
                            keep(&mut found, at, Some(value));
                            continue;
                        }
                        // Another call of this batch for the same ids, which this id waited for,
                        // has failed.
                        (LookupOutcome::Found(ending), Some(Err(error))) => {
                            if let Some(result) = batched.unshare(error.as_ref()) {
                                tally.end(entry, ending);
                                return result;
                            }
                            unshared
                        }
                        _ => unshared,
                    };
                    loads.push(Load { at, mode, ending, one, call });
                }
                if loads.is_empty() {
                    continue;
                }
                let loaded = chunks.load(entry, &batched, (&ids, &loads), &bodies);
                let Loaded { results, failure } = loaded.await;
                let (mut finishes, mut refused, mut endings) = (Vec::new(), None, Vec::new());
                for (load, (result, ran)) in loads.into_iter().zip(results) {
                    let (at, is_value) = (load.at, result.is_ok());
                    endings.extend(match ran {
                        Ran::For(_) => Some(load.ending),
                        Ran::Shed => Some(OutcomeKind::Shed.into()),
                        Ran::Not => None,
                    });
                    let (finish, result) = load.end(result, unless.as_ref(), ran.took());
                    finishes.extend(finish);
                    match result {
                        // It has become a refusal.
                        Some(Err(error)) if is_value => {
                            refused = refused.or(batched.refused(Err(error)));
                        }
                        result => keep(&mut found, at, result.and_then(Result::ok)),
                    }
                }
                if let Some(result) = failure {
                    store_in_background(&cache, finishes, patience);
                    tally.end_each(entry, endings);
                    return result;
                }
                let finishes = finishes.into_iter().map(Finish::run);
                Box::pin(Together::new(finishes, cache.store(), patience).finish()).await;
                tally.end_each(entry, endings);
                if let Some(refused) = refused {
                    return refused;
                }
            }
            drop(search);
            let found = ids.into_iter().zip(found);
            batched.answer(found.filter_map(|(id, value)| Some((id, value?))))
        }
    }
}

/// What the single reads of a batch share.
struct Batch<'a, T> {
    cache: &'a Core,
    /// What the whole batch asks for, which is found out when one of its ids meets another call.
    asked: &'a (dyn Fn() -> FlightRequest + Send + Sync),
    returns: Returns<OfOne<T>, T>,
}

impl<I, C, T, U> fmt::Debug for ReadMany<I, C, T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadMany")
            .field("keys", &self.keys)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
