//! The ids that one run of the body loads, and how each is loaded.

use std::collections::HashMap;
use std::hash::Hash;
use std::pin::pin;
use std::time::Duration;

use tokio::time::sleep;

use crate::engine::Core;
use crate::metrics::Ending;
use crate::read::batch::first_lookup::One;
use crate::read::call::ReadCall;
use crate::read::lease::{Lease, Renewal};
use crate::read::load::finish::Finish;
use crate::read::load::mode::{LoadMode, Loaded};
use crate::store::Together;
use crate::typing::OfOne;

/// One of the ids that a run of the body loads.
pub(super) struct Load<T> {
    pub(super) at: usize,
    pub(super) mode: LoadMode,
    /// How the call for this id ends if the body ends for it.
    pub(super) ending: Ending,
    pub(super) one: One<T>,
    /// None if the id bypasses the cache.
    pub(super) call: Option<ReadCall>,
}

impl<T> Load<T> {
    /// The beginning of the third stage of a single read. Also returns the result, which may have
    /// become a refusal.
    pub(super) fn end<U: Fn(&T) -> bool>(
        self,
        result: OfOne<T>,
        unless: Option<&U>,
        took: Duration,
    ) -> (Option<Finish>, Option<OfOne<T>>) {
        let Self { mode, mut one, call, .. } = self;
        let Some(mut call) = call else { return (None, Some(result)) };
        one.set(result);
        let unless = unless.map(|unless| unless as &dyn Fn(&T) -> bool);
        let finish = one.with(unless, |steps| mode.end(&mut Loaded::new(&mut call, steps, took)));
        (finish, one.take())
    }
}

/// The second stage of a single read, for all ids of a round: runs the body, and renews the leases
/// meanwhile.
pub(super) async fn with_renewals<T, B: Future>(
    cache: &Core,
    loads: &[Load<T>],
    body: B,
) -> B::Output {
    let mut body = pin!(body);
    let leases: Vec<_> = loads.iter().filter_map(|load| load.mode.lease()).collect();
    let Some(length) = leases.first().map(|lease| lease.length()) else {
        return body.await;
    };
    let renewals: Vec<_> = leases.into_iter().map(Lease::renewal).collect();
    let patience = cache.settings().budget;
    loop {
        tokio::select! {
            biased;
            result = &mut body => return result,
            () = sleep(length / 3) => {}
        }
        let renew = Together::new(renewals.iter().map(Renewal::boxed), cache.store(), patience);
        tokio::select! {
            biased;
            result = &mut body => return result,
            () = renew.finish() => {}
        }
    }
}

/// What the body returned for each id of a round, in their order. What it returned for other ids is
/// dropped.
pub(super) fn in_order<I: Eq + Hash, T>(
    ids: &[I],
    loads: &[Load<T>],
    pairs: Vec<(I, T)>,
    nothing: fn() -> Option<T>,
) -> Vec<OfOne<T>> {
    let asked = loads.iter().enumerate();
    let asked = asked.filter_map(|(place, load)| Some((ids.get(load.at)?, place)));
    let places: HashMap<&I, usize> = asked.collect();
    let mut values: Vec<Option<T>> = loads.iter().map(|_| None).collect();
    for (id, value) in pairs {
        if let Some(place) = places.get(&id) {
            keep(&mut values, *place, Some(value));
        }
    }
    values.into_iter().map(|value| value.or_else(nothing).ok_or(None)).collect()
}

/// Puts a value into its place.
pub(super) fn keep<T>(places: &mut [Option<T>], at: usize, value: Option<T>) {
    if let Some(place) = places.get_mut(at) {
        *place = value;
    }
}
