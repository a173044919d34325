//! The end of a scope: what becomes of each entry depends on what is known of the write that named
//! it.
//!
//! | the write | fenced keys | keys without a fence, patterns |
//! |---|---|---|
//! | is committed, or never will be | the fence is lifted, the entry emptied | invalidated |
//! | failed | the same, and invalidated again when a fence would have ended | the same |
//! | may be committed later | the fence stays, for its whole length from now | as for a failed one |
//!
//! Keys whose stale values are kept have no fence, and are made stale where others are invalidated.
//! If the write may be committed later, they get a fence now: what is loaded before the commit must
//! not be stored as fresh.
//!
//! What is to be invalidated again gets a place in a bounded list, [`Again`]. If that is full, the
//! fence stays instead.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::SentInvalidation;
use crate::engine::background::Reinvalidations;
use crate::store::{End, Keyed, Store};
use crate::write::pending::{Doubt, Pending};
use crate::write::scope::{WriteScope, names};
use crate::write::values::Values;

impl WriteScope {
    /// Ends the scope, and stores `values` where they may be. What is not acknowledged goes to the
    /// journal.
    pub(super) async fn end(&self, values: Values) {
        let begun = Instant::now();
        // A copy: if this future is dropped half-way, all of it is done again in the background.
        let Pending { mut fenced, standing, mut unfenced, mut stale, patterns, hold_off } =
            self.pending().clone();
        stale.retain(|key, _| !fenced.contains_key(key) && !unfenced.contains_key(key));
        if !hold_off.is_zero() {
            // Replicas lag: a refresh of what is stale would store what they have.
            unfenced.append(&mut stale);
        }
        let (cache, Some(store)) = (self.cache(), self.cache().store()) else {
            return;
        };
        // A place in the list comes first: a key that gets none keeps its fence, or is given one.
        let failed = texts(&fenced, |doubt| doubt == Doubt::Failed);
        let bare = texts(&unfenced, |doubt| doubt > Doubt::None);
        let mut left: BTreeSet<String> = texts(&fenced, |doubt| doubt == Doubt::Unknown).collect();
        left.extend(Reinvalidations::add_keys(cache, failed, hold_off));
        left.extend(Reinvalidations::add_keys(cache, bare, hold_off));
        left.extend(texts(&stale, |doubt| doubt == Doubt::Unknown));
        let failed = texts(&stale, |doubt| doubt == Doubt::Failed);
        left.extend(Reinvalidations::add_keys(cache, failed, hold_off));
        Reinvalidations::add_patterns(
            cache,
            texts(&patterns, |doubt| doubt > Doubt::None),
            hold_off,
        );

        for list in [&mut fenced, &mut unfenced, &mut stale] {
            list.retain(|key, _| !left.contains(key));
        }
        self.leave(&Vec::from_iter(left), hold_off).await;
        let (lifted, unfenced): (Vec<_>, Vec<_>) =
            (fenced.into_keys().collect(), unfenced.into_keys().collect());
        self.lift((store, begun), &lifted, &standing, values, hold_off).await;
        if !unfenced.is_empty() {
            _ = cache.remove(&unfenced, hold_off).await;
        }
        if !stale.is_empty() {
            _ = cache.make_stale(&stale.into_keys().collect::<Vec<_>>()).await;
        }
        for pattern in patterns.keys() {
            _ = cache.remove_matching(pattern, hold_off).await;
        }
    }

    /// Leaves fences to expire, one whole length from now. They may have been up for a while, and
    /// the database needs the whole of it to end the transaction of a client that is gone.
    async fn leave(&self, keys: &[String], hold_off: Duration) {
        if keys.is_empty() {
            return;
        }
        let due = Reinvalidations::due(self.cache());
        // The database's replicas learn of a commit after it.
        let replies = self.fence(keys, hold_off).await;
        let reached = |wanted| {
            let replies = replies.iter().map(|reply| *reply == Ok(true));
            keys.iter()
                .zip(replies)
                .filter(move |(_, up)| *up == wanted)
                .map(|(key, _)| key.clone())
        };
        Reinvalidations::insure(self.cache(), reached(true), due, hold_off);
        // These are in the journal already, where the store did not answer.
        Reinvalidations::add_keys(self.cache(), reached(false), hold_off);
    }

    /// Lifts fences, of a write whose body ended at that time.
    async fn lift(
        &self,
        (store, begun): (&Store, Instant),
        keys: &[String],
        standing: &BTreeSet<String>,
        mut values: Values,
        hold_off: Duration,
    ) {
        if keys.is_empty() {
            return;
        }
        let sent = SentInvalidation::of_keys(keys.len(), begun);
        sent.around(pin!(values.settle(store))).await;
        let names = names(keys);
        self.cache().flights().forget(&names);
        let writer = self.writer();
        let ends = keys.iter().zip(names).map(|(key, name)| {
            let value = if standing.contains(key) { values.take(key) } else { None };
            Keyed { name, request: End { writer, hold_off, value } }
        });
        let epoch = End { writer, hold_off, value: None };
        let replies = self.cache().send_in_order(store, ends.collect(), epoch);
        let replies = sent.around(pin!(replies)).await;
        for (key, reply) in keys.iter().zip(&replies) {
            values.count(key, reply);
        }
        _ = self.cache().settle(keys, replies, hold_off, &sent);
    }
}

/// The texts of which there is such a doubt.
fn texts(
    list: &BTreeMap<String, Doubt>,
    such: impl Fn(Doubt) -> bool,
) -> impl Iterator<Item = String> {
    list.iter().filter(move |(_, doubt)| such(**doubt)).map(|(text, _)| text.clone())
}
