//! An open scope, and the ways in which it ends.

use std::sync::Arc;

use super::scope::{Pending, WriteScope};
use super::values::Values;
use crate::background;
use crate::journal::{Entry, Journal};
use crate::log;

/// An open scope. If it is dropped before it is closed, because its future was dropped or panicked, it is closed in
/// the background, where it is unknown whether a commit is in progress.
#[derive(Debug)]
pub(super) struct Guard {
    scope: Arc<WriteScope>,
    open: bool,
}

impl Guard {
    pub(super) fn new(scope: Arc<WriteScope>) -> Self {
        Self { scope, open: true }
    }

    /// Ends the scope after its work is done, which made these values.
    pub(super) async fn close(mut self, values: Values) {
        self.scope.end(values).await;
        self.open = false;
    }

    /// Ends the scope if nothing was written: fences are lifted, and nothing else is removed.
    pub(super) async fn cancel(mut self) {
        {
            let mut pending = self.scope.pending();
            pending.unfenced.clear();
            pending.patterns.clear();
        }
        self.scope.end(self.scope.values()).await;
        self.open = false;
    }

    /// Leaves the fences to expire, for a transaction that the caller commits.
    pub(super) fn leave(mut self) {
        self.open = false;
        log::warn(format_args!(
            "a write inside a transaction, with no `after_commit` around it: its entries stay uncached until their fences run out"
        ));
        let (scope, pending) = (Arc::clone(&self.scope), self.scope.pending().clone());
        background::spawn(async move { scope.end_again(pending).await });
    }

    /// Ends the scope when it is unknown whether a commit is in progress. `strict` leaves the fences to expire;
    /// otherwise they are lifted now, and the entries are removed again later, in case a commit has changed them by
    /// then.
    pub(super) async fn close_in_doubt(mut self) {
        self.open = false;
        self.scope.doubt().await;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.open {
            let closing = Closing { scope: Arc::clone(&self.scope), closed: false };
            self.scope.cache().background().run(closing.run());
        }
    }
}

/// The end of a scope in the background. If the runtime ends first, the journal takes over.
struct Closing {
    scope: Arc<WriteScope>,
    closed: bool,
}

impl Closing {
    async fn run(mut self) {
        self.scope.doubt().await;
        self.closed = true;
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        if !self.closed {
            let Pending { fenced, unfenced, patterns, hold_off, .. } = self.scope.pending().clone();
            let keys = fenced.into_iter().chain(unfenced).map(Entry::Key);
            let entries = keys.chain(patterns.into_iter().map(Entry::Pattern));
            Journal::add(self.scope.cache(), entries, hold_off);
        }
    }
}

impl std::ops::Deref for Guard {
    type Target = Arc<WriteScope>;

    fn deref(&self) -> &Arc<WriteScope> {
        &self.scope
    }
}
