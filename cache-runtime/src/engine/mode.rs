//! What `refresh()` and `bypass()` say to the call that they are said of.

use std::cell::Cell;

/// How one call of a cached function treats the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Through,
    Refresh,
    Bypass,
}

thread_local! {
    /// The mode of the call that is being polled for the first time.
    static MODE: Cell<Mode> = const { Cell::new(Mode::Through) };
}

impl Mode {
    /// Takes the mode meant for the cached function that is starting now. Cached functions called
    /// inside it start later and find nothing.
    pub(crate) fn take() -> Self {
        MODE.take()
    }

    /// Has the mode taken by the function that starts next, as long as the guard is there.
    pub(crate) fn set(self) -> Moded {
        Moded(MODE.replace(self))
    }
}

/// Puts the former mode back, also when the call panics.
pub(crate) struct Moded(Mode);

impl Drop for Moded {
    fn drop(&mut self) {
        MODE.set(self.0);
    }
}
