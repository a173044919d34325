//! What a write reads before its body, for targets that depend on the state that it changes:
//! `#[invalidates(get_by_name(before.name), before = find(db, id))]`.
//!
//! The state is read, the targets that follow from it are fenced, and it is read again, until
//! nothing new is found. One read is not enough:
//!
//! | this write of row 7 | another write of row 7 | a reader |
//! |---|---|---|
//! | reads the name `a` | | |
//! | | renames `a` to `b`, and ends | |
//! | fences the entry of `a` | | loads and stores row 7 under `b` |
//! | renames `b` to `c`; invalidates `a` | | |
//! | | | reads row 7 under `b`, from the cache |
//!
//! The second read finds `b`, whose entry is then fenced and invalidated as well: what stands in it
//! goes, and nothing is stored in it until this write has ended. What this cannot see is a rename
//! after the last read. Only the database excludes that, by a lock that the read takes inside the
//! write's own transaction.

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::engine::misuse::{self, Oddity};
use crate::typing::former::Unknown;
use crate::write::begun::{Begun, Boxed};
use crate::write::scope::WriteScope;
use crate::write::{Targets, Write};

/// After so many reads that do not agree the write goes on. All that any of them named is fenced.
const MOST_READS: u8 = 4;

tokio::task_local! {
    static READING: ();
}

/// Whether the present task reads what a write is going to change. Every cached function runs its
/// body then: the database alone knows the present state.
pub(crate) fn is_reading() -> bool {
    READING.try_with(|()| ()).is_ok()
}

/// A write that reads what its body is going to change.
pub struct Before {
    write: Write,
    begun: Box<Begun>,
    /// The keys and patterns that the reads have named.
    named: BTreeSet<String>,
    reads: u8,
    is_over: bool,
    renewal: Option<Boxed<()>>,
}

impl Before {
    pub(super) fn new(write: Write) -> Self {
        let begun = Box::new(Begun::new(&write));
        let (named, reads, is_over, renewal) = (BTreeSet::new(), 0, false, None);
        Self { write, begun, named, reads, is_over, renewal }
    }

    /// Whether the state is to be read, or to be read again.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        !self.is_over
    }

    /// Reads the state, while the fences that are up already stay up.
    pub fn read<F: Future>(&mut self, state: F) -> StateRead<'_, F> {
        StateRead { state, scope: &self.begun.guard, renewal: &mut self.renewal }
    }

    /// Fences the targets that follow from a state.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future lifts the fences with the write that they belong to.
    pub fn fence<T>(
        &mut self,
        state: Result<Option<T>, Unknown>,
        target: impl FnOnce(&T, &mut Targets),
    ) -> impl Future<Output = ()> + Send {
        // Here and now: the state need not be `Send`.
        let targets = state.map(|state| {
            let mut targets = Targets::default();
            if let Some(state) = &state {
                target(state, &mut targets);
            }
            targets
        });
        self.fence_all(targets)
    }

    async fn fence_all(&mut self, targets: Result<Targets, Unknown>) {
        self.reads += 1;
        let is_first = self.reads == 1;
        let failed = targets.is_err();
        let targets = targets.unwrap_or_default();
        let former = self.named.len();
        self.named.extend(targets.texts().cloned());
        let is_new = self.named.len() > former;
        if is_first {
            self.begun.fence_first(&mut self.write, targets).await;
        } else if is_new {
            self.begun.fence(targets).await;
        }
        if failed {
            self.begun.lacks_targets = true;
            let description = "`before` has failed, so the targets that depend on it are not \
                               known, and are not invalidated";
            misuse::remark(
                self.write.callsite,
                Oddity::UnknownBefore,
                format_args!("{description}"),
            );
        }
        // Without a fence a second read would see no more than the first.
        let agrees = !self.begun.has_fences() || (!is_first && !is_new);
        self.begun.lacks_targets |= !agrees && self.reads >= MOST_READS;
        self.is_over = failed || agrees || self.reads >= MOST_READS;
    }

    /// The write, with all that the reads have named.
    pub fn write(self) -> Write {
        Write { begun: Some(self.begun), ..self.write }
    }
}

pin_project! {
    /// A read of the state before a write.
    #[must_use = "futures do nothing unless awaited"]
    pub struct StateRead<'a, F> {
        #[pin]
        state: F,
        scope: &'a Arc<WriteScope>,
        renewal: &'a mut Option<Boxed<()>>,
    }
}

impl<F: Future> Future for StateRead<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let read = READING.sync_scope((), || this.state.poll(cx));
        if read.is_pending() {
            // Endless, so what it returns says nothing.
            let renew = || -> Boxed<()> { Box::pin(Arc::clone(this.scope).renew()) };
            _ = this.renewal.get_or_insert_with(renew).as_mut().poll(cx);
        }
        read
    }
}

impl fmt::Debug for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Before").field("named", &self.named).finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for StateRead<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateRead")
    }
}
