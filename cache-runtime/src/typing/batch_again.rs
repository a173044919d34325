//! The parameters of a batch other than its ids.

/// What the body of a batch may have more than once.
#[diagnostic::on_unimplemented(
    message = "the body of a batch may run more than once, and `{Self}` cannot be cloned",
    label = "each run needs a copy",
    note = "take it by shared reference, in an `Arc`, or implement `Clone` for it"
)]
pub trait Again: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Again for T {}

/// Copies a parameter for a run of the body.
pub fn again<T: Again>(parameter: &T) -> T {
    parameter.clone()
}
