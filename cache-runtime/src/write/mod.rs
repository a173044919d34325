//! The write path: fence, run the body, invalidate.
//!
//! A fence goes up before the body, so that nobody stores what the body is about to change, and is
//! removed after it together with whatever the entry held. A writer that dies in between leaves its
//! fence behind, which expires; a write that is dropped or panics leaves it on purpose. An error
//! can hide a commit, so a write that fails invalidates, too. If the write succeeded, the command
//! that removes the fence may store a value in its place ([`values`]).

mod before;
mod begun;
mod end;
mod guard;
mod pending;
mod protocol;
pub(crate) mod scope;
mod stamps;
mod targets;
mod values;
mod writing;

use std::fmt;
use std::time::Duration;

pub use self::before::Before;
pub(crate) use self::before::is_reading;
use self::begun::Begun;
pub(crate) use self::pending::Doubt;
use self::stamps::Tagged;
pub use self::targets::Targets;
pub use self::values::{Through, Values, kept};
pub use self::writing::{Nothing, Writing};
use crate::engine::Core;
use crate::key::{AsTag, Key, KeyText};
use crate::policy::{BY_HAND, Callsite};
use crate::record::token::Token;
use crate::support::span::capped;
use crate::typing::Written;

/// What an attribute says about its write.
#[derive(Clone, Copy, Debug, Default)]
struct Manner {
    /// No fence: invalidate after the body only.
    fence_off: bool,
    hold_off: Duration,
    /// An error means that nothing was written.
    only_ok: bool,
    /// The body's changes are committed later, by the caller.
    in_transaction: bool,
}

/// A call of an annotated write, as its attribute spells it out.
#[must_use = "a write does nothing until it is run"]
pub struct Write {
    callsite: &'static Callsite,
    cache: Option<Core>,
    /// Whether the attribute names the cache.
    names_cache: bool,
    writer: Option<Token>,
    manner: Manner,
    targets: Targets,
    /// The entries with tags in which values are to be stored.
    tagged: Vec<Tagged>,
    /// Given if its targets are known and fenced already.
    begun: Option<Box<Begun>>,
}

/// Begins a call.
pub fn write() -> Write {
    let (manner, targets) = (Manner::default(), Targets::default());
    let (callsite, cache, names_cache, writer, tagged) = (&BY_HAND, None, false, None, Vec::new());
    Write { callsite, cache, names_cache, writer, manner, targets, tagged, begun: None }
}

impl Write {
    /// Gives the name of the function.
    pub fn at(self, callsite: &'static Callsite) -> Self {
        Self { callsite, ..self }
    }

    /// Uses this cache and not the ambient one.
    pub(crate) fn on(self, cache: Core) -> Self {
        Self { cache: Some(cache), names_cache: true, ..self }
    }

    /// Puts up no fence.
    pub fn fence_off(mut self) -> Self {
        self.manner.fence_off = true;
        self
    }

    /// Keeps the entries empty for this long afterwards, while database replicas catch up.
    pub fn hold_off(mut self, hold_off: Duration) -> Self {
        self.manner.hold_off = capped(hold_off);
        self
    }

    /// Keeps the entries empty for this many milliseconds afterwards.
    pub fn hold_off_ms(self, hold_off: u64) -> Self {
        self.hold_off(Duration::from_millis(hold_off))
    }

    /// Invalidates nothing if the body fails.
    pub fn only_ok(mut self) -> Self {
        self.manner.only_ok = true;
        self
    }

    /// The body only prepares the write; the surrounding `after_commit` ends it.
    pub fn in_transaction(mut self) -> Self {
        self.manner.in_transaction = true;
        self
    }

    /// Invalidates the entry of a function.
    pub fn invalidate<T>(mut self, key: Key<T>) -> Self {
        self.targets.invalidate(key);
        self
    }

    /// Invalidates an entry by its text.
    pub fn key(mut self, key: KeyText) -> Self {
        self.targets.key(key);
        self
    }

    /// Invalidates all entries with a tag.
    pub fn tag(mut self, tag: impl AsTag) -> Self {
        self.targets.tag(tag);
        self
    }

    /// Invalidates the entries that match.
    pub fn pattern(mut self, pattern: KeyText) -> Self {
        self.targets.pattern(pattern);
        self
    }

    /// Invalidates what `target` adds, whose values may still be served as stale ones.
    pub fn keep_stale(mut self, target: impl FnOnce(&mut Targets)) -> Self {
        self.targets.keep_stale(target);
        self
    }

    /// Invalidates an entry that a value is to be stored in.
    pub fn store<T>(mut self, entry: &Through<T>) -> Self {
        self.add(entry);
        self
    }

    /// Invalidates one more entry that a value is to be stored in.
    pub(crate) fn add<T>(&mut self, entry: &Through<T>) {
        let text = entry.text().map(ToOwned::to_owned);
        if text.is_ok() {
            self.tagged.extend(entry.tagged());
        }
        self.targets.add_key(text, entry.callsite(), entry.owner());
    }

    /// Uses this cache, which the attribute does not name.
    pub(crate) fn ambient(self, cache: Core) -> Self {
        Self { cache: Some(cache), names_cache: false, ..self }
    }

    /// Writes under this token, which nobody else has.
    pub(crate) fn writer(self, writer: Token) -> Self {
        Self { writer: Some(writer), ..self }
    }

    /// Invalidates what `target` adds for each item.
    pub fn each<I: IntoIterator>(
        mut self,
        items: I,
        target: impl FnMut(I::Item, &mut Targets),
    ) -> Self {
        self.targets.each(items, target);
        self
    }

    /// Begins to read what the body is going to change.
    #[must_use]
    pub fn before(self) -> Before {
        Before::new(self)
    }

    /// Runs the body between fence and invalidation.
    #[expect(clippy::type_complexity, reason = "a name for it would stand for this one place")]
    pub fn run<R, V, D, F, B>(
        self,
        written: Written<R, V, D>,
        body: F,
    ) -> Writing<R, V, D, F, B, Nothing<V, Targets>, Nothing<V, Values>>
    where
        D: FnOnce(&R) -> bool,
        F: FnOnce() -> B,
        B: Future<Output = R>,
    {
        self.run_through(written, body, |_, _| (), |_, _| ())
    }

    /// Runs the body between fence and invalidation, with further targets that only its result
    /// knows.
    pub fn run_then<R, V, D, F, B, A>(
        self,
        written: Written<R, V, D>,
        body: F,
        after: A,
    ) -> Writing<R, V, D, F, B, A, Nothing<V, Values>>
    where
        D: FnOnce(&R) -> bool,
        F: FnOnce() -> B,
        B: Future<Output = R>,
        A: FnOnce(&V, &mut Targets),
    {
        self.run_through(written, body, after, |_, _| ())
    }

    /// Runs the body between fence and invalidation, with further targets, and with values for
    /// entries that are to be invalidated. An entry gets its value if its fence is still in place
    /// and nobody else has written it meanwhile.
    pub fn run_through<R, V, D, F, B, A, S>(
        self,
        written: Written<R, V, D>,
        body: F,
        after: A,
        store: S,
    ) -> Writing<R, V, D, F, B, A, S>
    where
        D: FnOnce(&R) -> bool,
        F: FnOnce() -> B,
        B: Future<Output = R>,
        A: FnOnce(&V, &mut Targets),
        S: FnOnce(&V, &mut Values),
    {
        Writing::new(self, written, body, after, store)
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write").field("targets", &self.targets).finish_non_exhaustive()
    }
}
