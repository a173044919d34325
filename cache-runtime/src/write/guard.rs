//! A part in a scope, and the ways in which it ends.

use std::sync::Arc;

use crate::engine::journal::Invalidation;
use crate::support::log;
use crate::write::Targets;
use crate::write::pending::Doubt;
use crate::write::scope::WriteScope;
use crate::write::values::Values;

/// The part that some work has in a scope: a write, or an `after_commit`.
///
/// If it is dropped while the work runs, because its future was dropped or the work panicked,
/// nobody knows what the database does: it may commit long after its client has hung up. So the
/// fences of this part are left up to their end. Were they lifted at the drop, a reader could load
/// and store the old row before that commit, and nobody would remove it.
#[derive(Debug)]
pub(super) struct Guard {
    scope: Arc<WriteScope>,
    /// The scope ends with this part, and not with that of a surrounding `after_commit`.
    owns: bool,
    /// The texts that this part has enrolled; `None` for everything in the scope.
    part: Option<Vec<String>>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The work has not begun, so nothing was written.
    Before,
    Running,
    /// The work has ended. What is in doubt is noted in the scope.
    Ended,
    /// Nothing is left to do.
    Closed,
}

impl Guard {
    /// The part that ends its scope.
    pub(super) fn own(scope: Arc<WriteScope>) -> Self {
        Self { scope, owns: true, part: None, stage: Stage::Before }
    }

    /// The part of a write in a surrounding `after_commit`.
    pub(super) fn of_write(scope: Arc<WriteScope>) -> Self {
        Self { scope, owns: false, part: Some(Vec::new()), stage: Stage::Before }
    }

    /// Takes these targets into the part.
    pub(super) fn add(&mut self, targets: &Targets) {
        if let Some(part) = &mut self.part {
            part.extend(targets.texts().map(|text| self.scope.full_text(text)));
        }
    }

    /// The part of an `after_commit` in a surrounding one. Which writes are its own is not known.
    pub(super) fn nested(scope: Arc<WriteScope>) -> Self {
        Self { scope, owns: false, part: None, stage: Stage::Before }
    }

    pub(super) fn owns(&self) -> bool {
        self.owns
    }

    /// The work begins: from now on something may be written.
    pub(super) fn begin(&mut self) {
        self.stage = Stage::Running;
    }

    /// The work has come to its end, and leaves this doubt.
    pub(super) fn ended(&mut self, doubt: Doubt) {
        self.doubt(doubt);
        self.stage = Stage::Ended;
    }

    /// Ends the scope after its work, which made these values. Does nothing if that is up to the
    /// surrounding one.
    pub(super) async fn close(mut self, values: Values) {
        if self.owns {
            self.scope.end(values).await;
        }
        self.stage = Stage::Closed;
    }

    /// Ends the scope if nothing was written: fences are lifted, and nothing else is removed.
    pub(super) async fn cancel(self) {
        if self.owns {
            self.scope.pending().nothing_written();
        }
        let values = self.scope.values();
        self.close(values).await;
    }

    /// Leaves the fences to expire, for a transaction that the caller commits.
    pub(super) fn leave(mut self) {
        log::warn(format_args!(
            "a write inside a transaction, with no `after_commit` around it: its entries stay \
                uncached until their fences run out"
        ));
        self.ended(Doubt::Unknown);
    }

    fn doubt(&self, doubt: Doubt) {
        if doubt > Doubt::None {
            self.scope.pending().doubt(self.part.as_deref(), doubt);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self.stage {
            Stage::Closed => return,
            Stage::Before if self.owns => self.scope.pending().nothing_written(),
            Stage::Before | Stage::Ended => {}
            Stage::Running => self.doubt(Doubt::Unknown),
        }
        if self.owns {
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
        self.scope.end(self.scope.values()).await;
        self.closed = true;
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        if !self.closed {
            let pending = self.scope.pending().clone();
            let keys = pending.fenced.into_keys().chain(pending.unfenced.into_keys());
            let keys = keys.chain(pending.stale.into_keys());
            let patterns = pending.patterns.into_keys().map(Invalidation::Pattern);
            let entries = keys.map(Invalidation::Key).chain(patterns);
            self.scope.cache().journal().add(entries, pending.hold_off);
        }
    }
}

impl std::ops::Deref for Guard {
    type Target = Arc<WriteScope>;

    fn deref(&self) -> &Arc<WriteScope> {
        &self.scope
    }
}
