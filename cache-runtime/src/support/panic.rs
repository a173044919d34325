//! Running the user's code so that its panic does not become the caller's.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a piece of the user's code (`Serialize`, `Deserialize`, a closure of the attribute) whose
/// panic must not cost the caller the value that its function returns.
pub(crate) fn guarded<T>(code: impl FnOnce() -> T) -> Option<T> {
    let (mut code, mut output) = (Some(code), None);
    contained(&mut || output = code.take().map(|code| code()));
    output
}

/// The part of that which is compiled once.
fn contained(code: &mut dyn FnMut()) {
    // A panic is what the caller asks about: it leaves no output.
    _ = catch_unwind(AssertUnwindSafe(code));
}
