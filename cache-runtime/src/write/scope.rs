//! The writes of one database transaction: their fences and invalidations.
//!
//! An annotated write has a scope of its own, or takes part in that of the surrounding
//! `after_commit`. The scope is one writer: its entries are fenced under one token, and their
//! fences are lifted together. Reads in the same task bypass entries that their own scope has
//! fenced, and share nothing: they may see what nobody else may see yet.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use crate::engine::Core;
use crate::engine::journal::Invalidation;
use crate::engine::misuse::{self, Misuse};
use crate::record::token::Token;
use crate::store::{Begin, Name, StoreResult};
use crate::support::panic::guarded;
use crate::write::Targets;
use crate::write::guard::Guard;
use crate::write::pending::{Doubt, Pending};
use crate::write::values::Values;

tokio::task_local! {
    static CURRENT: Arc<WriteScope>;
}

/// One writer and what it has to invalidate.
#[derive(Debug)]
pub(super) struct WriteScope {
    cache: Core,
    writer: Token,
    /// Belongs to an `after_commit`, and ends with it and not with a write.
    deferred: bool,
    outer: Option<Arc<WriteScope>>,
    pending: Mutex<Pending>,
}

/// Whether an entry is being written by the current task.
pub(crate) fn is_fenced(cache: &Core, text: &str) -> bool {
    let fenced = |scope: &Arc<WriteScope>| scope.chain().any(|scope| scope.covers(cache, text));
    CURRENT.try_with(fenced).unwrap_or(false)
}

/// Runs `work`, and ends the invalidations of the writes inside it when it ends. `doubt` tells how
/// certain its output makes that nothing more is committed.
pub(crate) async fn after_commit<F: Future>(
    cache: &Core,
    work: F,
    doubt: impl FnOnce(&F::Output) -> Doubt,
) -> F::Output {
    let mut work = pin!(work);
    let mut guard = match WriteScope::surrounding(cache) {
        Some(outer) => Guard::nested(outer),
        None => Guard::own(WriteScope::open(cache.clone(), Token::random(), true)),
    };
    guard.begin();
    let output = if guard.owns() { guard.keep(work.as_mut()).await } else { work.await };
    guard.ended(guarded(|| doubt(&output)).unwrap_or(Doubt::Unknown));
    let values = guard.values();
    guard.close(values).await;
    output
}

impl WriteScope {
    pub(super) fn open(cache: Core, writer: Token, deferred: bool) -> Arc<Self> {
        cache.announce();
        let outer = CURRENT.try_with(Arc::clone).ok();
        let pending = Mutex::default();
        Arc::new(Self { cache, writer, deferred, outer, pending })
    }

    /// The `after_commit` of this cache that the task is in.
    pub(super) fn surrounding(cache: &Core) -> Option<Arc<Self>> {
        let deferred = |scope: &Arc<Self>| {
            scope.chain().find(|scope| scope.deferred && scope.cache.is(cache)).cloned()
        };
        CURRENT.try_with(deferred).ok().flatten()
    }

    /// This scope and those around it.
    fn chain(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Self>> {
        std::iter::successors(Some(self), |scope| scope.outer.as_ref())
    }

    fn covers(&self, cache: &Core, text: &str) -> bool {
        self.cache.is(cache) && self.pending().has_key(text)
    }

    /// Adds a write's targets, and fences its keys if it wants fences. Whether all fences are in
    /// place, or why one was not acknowledged.
    pub(super) async fn enrol(
        &self,
        targets: Targets,
        fence: bool,
        hold_off: Duration,
    ) -> StoreResult<bool> {
        let full = |keys: &[String]| keys.iter().map(|key| self.full_text(key)).collect();
        let (keys, stale): (Vec<String>, Vec<String>) = (full(&targets.keys), full(&targets.stale));
        let patterns = targets.patterns.iter();
        let patterns =
            patterns.map(|pattern| self.cache.full_pattern(pattern).into_owned()).collect();
        for (function, unhashable) in targets.refused {
            let kind = Misuse::Unhashable;
            let so = "no entry was stored under such a key, and none is invalidated";
            misuse::report(&self.cache, function, kind, format_args!("{unhashable}; {so}"));
        }
        {
            let mut pending = self.pending();
            pending.hold_off = pending.hold_off.max(hold_off);
            pending.enrol(&keys, fence, stale, patterns);
        }
        if !fence {
            return Ok(true);
        }
        let replies = self.fence(&keys, Duration::ZERO).await;
        let standing = keys.into_iter().zip(&replies).filter(|(_, reply)| **reply == Ok(true));
        self.pending().standing.extend(standing.map(|(key, _)| key));
        replies.into_iter().try_fold(true, |standing, reply| Ok(standing & reply?))
    }

    /// Puts up the fences of some keys, or renews them, for a fence's length and `longer`.
    pub(super) async fn fence(&self, keys: &[String], longer: Duration) -> Vec<StoreResult<bool>> {
        let Some(store) = self.cache.store() else {
            return Vec::new();
        };
        let names = names(keys);
        self.cache.flights().forget(&names);
        let span = self.cache.settings().fence.saturating_add(longer);
        let by = self.cache.budget().deadline();
        let replies =
            self.cache.begin(store, &names, Begin { writer: self.writer, fence: span }, by).await;
        // A key without its fence is bypassed in this process until an invalidation has been
        // acknowledged.
        let unfenced = keys.iter().zip(&replies).filter(|(_, reply)| reply.is_err());
        let unfenced = unfenced.map(|(key, _)| Invalidation::Key(key.clone()));
        self.cache.journal().add(unfenced, longer);
        replies
    }

    /// Polls the work of an `after_commit` inside the scope, and renews the fences meanwhile.
    pub(super) async fn keep<B: Future>(self: &Arc<Self>, mut body: Pin<&mut B>) -> B::Output {
        let mut body = pin!(CURRENT.scope(Arc::clone(self), body.as_mut()));
        tokio::select! {
            biased;
            output = &mut body => output,
            () = Arc::clone(self).renew() => body.await,
        }
    }

    /// Polls a write's body inside the scope.
    pub(super) fn poll_inside<T>(self: &Arc<Self>, poll: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(Arc::clone(self), poll)
    }

    /// Renews the fences again and again.
    pub(super) async fn renew(self: Arc<Self>) {
        loop {
            sleep(self.cache.settings().fence / 3).await;
            let fenced: Vec<String> = {
                let mut pending = self.pending();
                pending.standing.clear();
                pending.fenced.keys().cloned().collect()
            };
            // If it is not acknowledged, the next renewal or the end will notice.
            _ = self.fence(&fenced, Duration::ZERO).await;
        }
    }

    /// Whether the work is committed when this scope ends, as far as the task knows.
    pub(super) fn commits(self: &Arc<Self>) -> bool {
        !self.chain().any(|scope| scope.deferred)
    }

    pub(super) fn cache(&self) -> &Core {
        &self.cache
    }

    pub(super) fn writer(&self) -> Token {
        self.writer
    }

    /// A place for the values of this writer.
    pub(super) fn values(&self) -> Values {
        Values::new(self.cache.clone(), self.writer)
    }

    pub(super) fn full_text(&self, text: &str) -> String {
        self.cache.full_text(text).into_owned()
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn names<'a>(keys: impl IntoIterator<Item = &'a String>) -> Vec<Name<'a>> {
    keys.into_iter().map(|key| Name::new(key)).collect()
}
