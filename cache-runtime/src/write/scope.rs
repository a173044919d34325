//! The writes of one database transaction: their fences and invalidations.
//!
//! An annotated write has a scope of its own, or takes part in that of the surrounding `after_commit`. The scope is
//! one writer: its entries are fenced under one token, and their fences are lifted together. Reads in the same task
//! bypass entries that their own scope has fenced, and share nothing: they may see what nobody else may see yet.

use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use super::Targets;
use super::guard::Guard;
use super::values::Values;
use crate::background;
use crate::cache::Cache;
use crate::journal::{Entry, Journal};
use crate::store::{End, Name, StoreResult};
use crate::token::Token;

tokio::task_local! {
    static CURRENT: Arc<WriteScope>;
}

/// One writer and what it has to invalidate.
#[derive(Debug)]
pub(super) struct WriteScope {
    cache: Cache,
    writer: Token,
    /// Belongs to an `after_commit`, and ends with it and not with a write.
    deferred: bool,
    outer: Option<Arc<WriteScope>>,
    pending: Mutex<Pending>,
}

/// What is to be done at the end. Texts are full.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    /// Keys with a fence, acknowledged or not.
    pub(super) fenced: BTreeSet<String>,
    /// Those whose fence was acknowledged and has not been renewed since. A fence that was renewed may have been gone
    /// in between, and somebody else's write may have come and gone as well.
    standing: BTreeSet<String>,
    /// Keys without a fence.
    pub(super) unfenced: BTreeSet<String>,
    pub(super) patterns: BTreeSet<String>,
    pub(super) hold_off: Duration,
    /// If it is unknown whether a commit is in progress, leave the fences to expire.
    strict: bool,
}

/// Whether an entry is being written by the current task.
pub(crate) fn is_fenced(cache: &Cache, text: &str) -> bool {
    let fenced = |scope: &Arc<WriteScope>| scope.chain().any(|scope| scope.covers(cache, text));
    CURRENT.try_with(fenced).unwrap_or(false)
}

/// Runs `work`, and ends the invalidations of the writes inside it when it ends.
pub(crate) async fn after_commit<F: Future>(cache: &Cache, work: F) -> F::Output {
    let mut work = pin!(work);
    if WriteScope::surrounding(cache).is_some() {
        return work.await;
    }
    let scope = Guard::new(WriteScope::open(cache.clone(), Token::random(), true));
    let output = scope.keep(work.as_mut()).await;
    let values = scope.values();
    scope.close(values).await;
    output
}

impl WriteScope {
    pub(super) fn open(cache: Cache, writer: Token, deferred: bool) -> Arc<Self> {
        let outer = CURRENT.try_with(Arc::clone).ok();
        let pending = Mutex::default();
        #[cfg(cache_mutants)]
        let writer = crate::mutants::writer_token(writer);
        Arc::new(Self { cache, writer, deferred, outer, pending })
    }

    /// The `after_commit` of this cache that the task is in.
    pub(super) fn surrounding(cache: &Cache) -> Option<Arc<Self>> {
        let deferred = |scope: &Arc<Self>| {
            scope.chain().find(|scope| scope.deferred && scope.cache.is(cache)).cloned()
        };
        CURRENT.try_with(deferred).ok().flatten()
    }

    /// This scope and those around it.
    fn chain(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Self>> {
        std::iter::successors(Some(self), |scope| scope.outer.as_ref())
    }

    fn covers(&self, cache: &Cache, text: &str) -> bool {
        let pending = self.pending();
        self.cache.is(cache) && (pending.fenced.contains(text) || pending.unfenced.contains(text))
    }

    /// Adds a write's targets, and fences its keys if it wants fences. Whether all fences are in place, or why one
    /// was not acknowledged.
    pub(super) async fn enrol(
        &self,
        targets: Targets,
        fence: bool,
        strict: bool,
        hold_off: Duration,
    ) -> StoreResult<bool> {
        let keys: Vec<String> = targets.keys.iter().map(|key| self.full_text(key)).collect();
        {
            let mut pending = self.pending();
            pending.strict |= strict;
            pending.hold_off = pending.hold_off.max(hold_off);
            pending.patterns.extend(targets.patterns.iter().map(|text| self.full_text(text)));
            let list = if fence { &mut pending.fenced } else { &mut pending.unfenced };
            list.extend(keys.iter().cloned());
        }
        if !fence {
            return Ok(true);
        }
        let replies = self.fence(&keys).await;
        let standing = keys.into_iter().zip(&replies).filter(|(_, reply)| **reply == Ok(true));
        self.pending().standing.extend(standing.map(|(key, _)| key));
        replies.into_iter().try_fold(true, |standing, reply| Ok(standing & reply?))
    }

    /// Puts up the fences of some keys, or renews them.
    async fn fence(&self, keys: &[String]) -> Vec<StoreResult<bool>> {
        let Some(store) = self.cache.store() else {
            return Vec::new();
        };
        let names = names(keys);
        self.cache.flights().forget(&names);
        let (span, by) = (self.cache.settings().fence, self.cache.budget().deadline());
        let replies = store.begin(&names, self.writer, span, by).await;
        // A key without its fence is bypassed in this process until an invalidation has been acknowledged.
        let unfenced = keys.iter().zip(&replies).filter(|(_, reply)| reply.is_err());
        let unfenced = unfenced.map(|(key, _)| Entry::Key(key.clone()));
        Journal::add(&self.cache, unfenced, Duration::ZERO);
        replies
    }

    /// Polls the write's body, or the work of an `after_commit`, inside the scope, and renews the fences meanwhile.
    pub(super) async fn keep<B: Future>(self: &Arc<Self>, mut body: Pin<&mut B>) -> B::Output {
        let mut body = pin!(CURRENT.scope(Arc::clone(self), body.as_mut()));
        loop {
            tokio::select! {
                biased;
                output = &mut body => return output,
                () = sleep(self.cache.settings().fence / 3) => {}
            }
            let fenced: Vec<String> = {
                let mut pending = self.pending();
                pending.standing.clear();
                pending.fenced.iter().cloned().collect()
            };
            tokio::select! {
                biased;
                output = &mut body => return output,
                // If it is not acknowledged, the next renewal or the end will notice.
                _ = self.fence(&fenced) => {}
            }
        }
    }

    /// Whether the work is committed when this scope ends, as far as the task knows.
    pub(super) fn commits(self: &Arc<Self>) -> bool {
        !self.chain().any(|scope| scope.deferred)
    }

    /// Lifts the fences, stores `values` where they may be, and removes what is to be removed. What is not acknowledged
    /// goes to the journal.
    pub(super) async fn end(&self, mut values: Values) {
        // A copy: if this future is dropped half-way, all of it is done again in the background.
        let Pending { fenced, standing, unfenced, patterns, hold_off, .. } = self.pending().clone();
        let Some(store) = self.cache.store() else {
            return;
        };
        if !fenced.is_empty() {
            let fenced = Vec::from_iter(fenced);
            let names = names(&fenced);
            self.cache.flights().forget(&names);
            let ends = fenced.iter().zip(names).map(|(key, name)| {
                let value = if standing.contains(key) { values.take(key) } else { None };
                End { name, value }
            });
            let by = self.cache.budget().deadline();
            let replies = store.end(ends.collect(), self.writer, hold_off, by).await;
            for (key, reply) in fenced.iter().zip(&replies) {
                values.count(key, reply);
            }
            _ = self.cache.settle(&fenced, replies, hold_off);
        }
        self.remove(unfenced, &patterns, hold_off).await;
    }

    /// Removes entries without regard to fences of this scope.
    async fn remove(
        &self,
        keys: BTreeSet<String>,
        patterns: &BTreeSet<String>,
        hold_off: Duration,
    ) {
        if !keys.is_empty() {
            _ = self.cache.remove(&Vec::from_iter(keys), hold_off).await;
        }
        for pattern in patterns {
            _ = self.cache.remove_matching(pattern, hold_off).await;
        }
    }

    /// Removes everything again when the fences have expired, in case a commit was in progress.
    pub(super) async fn end_again(&self, pending: Pending) {
        sleep(self.cache.settings().fence).await;
        let Pending { mut fenced, mut unfenced, patterns, hold_off, .. } = pending;
        fenced.append(&mut unfenced);
        self.remove(fenced, &patterns, hold_off).await;
    }

    /// Ends the scope without knowing whether a commit is in progress.
    pub(super) async fn doubt(self: &Arc<Self>) {
        let pending = self.pending().clone();
        if pending.strict {
            self.pending().fenced.clear();
        }
        self.end(self.values()).await;
        let scope = Arc::clone(self);
        background::spawn(async move { scope.end_again(pending).await });
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// A place for the values of this writer.
    pub(super) fn values(&self) -> Values {
        Values::new(self.cache.clone(), self.writer)
    }

    fn full_text(&self, text: &str) -> String {
        self.cache.full_text(text).into_owned()
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn names<'a>(keys: impl IntoIterator<Item = &'a String>) -> Vec<Name<'a>> {
    keys.into_iter().map(|key| Name::new(key)).collect()
}
