//! Functions whose keys are made in two places.
//!
//! An attribute cannot see whether its function is in an `impl` block, so a function that does not
//! say so cannot call its own companion, which may be `get_user_key` or `User::get_user_key`. It
//! makes its key by itself, and the companion makes it once more. Each of them has a static. The
//! first one that makes a key stands for both.

use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use crate::policy::Callsite;
use crate::policy::place::Place;

/// Which of the two a static is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Body,
    Companion,
}

/// The static that stands for both, once it is known.
pub(super) struct First(OnceLock<&'static Callsite>);

/// What the two statics of a function have in common. Functions that a macro has made may have it
/// in common, too: those of one name in different blocks of one function.
#[derive(PartialEq, Eq, Hash)]
struct Identity {
    place: Place,
    template: &'static str,
    /// A file may be part of a library and of a binary.
    binary: Option<&'static str>,
    file: &'static str,
    line: u32,
    column: u32,
}

/// A function, of which one half or both have made a key.
struct Function {
    first: &'static Callsite,
    /// The half that has not been seen.
    missing: Option<Half>,
}

static FUNCTIONS: LazyLock<Mutex<HashMap<Identity, Vec<Function>>>> = LazyLock::new(Mutex::default);

impl First {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }
}

impl Callsite {
    /// It is the one in the body, and the companion has another.
    #[must_use]
    pub const fn of_body(mut self) -> Self {
        self.half = Some(Half::Body);
        self
    }

    /// It is the one in the companion, and the body has another.
    #[must_use]
    pub const fn of_companion(mut self) -> Self {
        self.half = Some(Half::Companion);
        self
    }

    /// The static that stands for this one.
    pub(crate) fn one(&'static self) -> &'static Self {
        let (Some(half), Some(here)) = (self.half, self.here) else { return self };
        self.first.0.get_or_init(|| {
            let identity = Identity {
                place: here.place(),
                template: self.template,
                binary: here.binary(),
                file: self.location.file(),
                line: self.location.line(),
                column: self.location.column(),
            };
            let mut functions = FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner);
            let functions = functions.entry(identity).or_default();
            if let Some(function) = functions.iter_mut().find(|it| it.missing == Some(half)) {
                function.missing = None;
                return function.first;
            }
            let other = match half {
                Half::Body => Half::Companion,
                Half::Companion => Half::Body,
            };
            functions.push(Function { first: self, missing: Some(other) });
            self
        })
    }
}

/// Without the static, which holds this.
impl fmt::Debug for First {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("First").finish_non_exhaustive()
    }
}
