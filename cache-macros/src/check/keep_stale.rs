//! Rules for `keep_stale`.

use syn::Ident;

use crate::attr::invalidates::Fence;
use crate::attr::kept::OF_PATTERN;
use crate::diagnostics::Diagnostics;
use crate::model::{Invalidates, What};

pub(super) fn keep_stale(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    has_no_pattern(model, diagnostics);
    has_a_fence_to_insist_on(model, diagnostics);
    keeps_nothing_empty(model, diagnostics);
}

/// ```text
/// #[invalidates(pattern = "users:*", keep_stale)]
///                         ^^^^^^^^^ removes them
/// ```
fn has_no_pattern(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    if !model.args.keep_stale.is_given() {
        return;
    }
    let patterns = model.args.targets.iter().flatten().filter_map(|target| target.pattern_in());
    for pattern in patterns {
        diagnostics.error(pattern.literal.span(), OF_PATTERN);
    }
}

/// ```text
/// #[invalidates(list_users(org), keep_stale, fence = "strict")]
///                                ^^^^^^^^^^ puts up none
/// ```
fn has_a_fence_to_insist_on(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    let is_strict = matches!(model.args.fence.get(), Ok(Some(Fence::Strict)));
    let mut words =
        model.targets.iter().map(|target| target.as_ref().ok().and_then(|it| word(&it.what)));
    if is_strict
        && let Some(Some(word)) = words.next()
        && words.all(|word| word.is_some())
    {
        diagnostics.error(
            word.span(),
            "`fence = \"strict\"` refuses a write without its fences, and an entry that keeps its \
             stale value gets none; leave out one of the two, or name a target outside of \
             `keep_stale(..)`",
        );
    }
}

/// ```text
/// #[invalidates(list_users(org), keep_stale, hold_off = "2s")]
///                                ^^^^^^^^^^ empty, or not?
/// ```
pub(super) fn keeps_nothing_empty(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    let mut words = model.targets.iter().flatten().filter_map(|target| word(&target.what));
    if model.args.hold_off.is_given()
        && let Some(word) = words.next()
    {
        diagnostics.error(
            word.span(),
            "`hold_off` leaves the entries empty until the replicas have caught up, so that no \
             refresh stores what they have; leave out one of the two",
        );
    }
}

/// The word that says of a target that its value is kept.
fn word<'a>(what: &What<'a>) -> Option<&'a Ident> {
    match what {
        What::KeptStale(word, _) => Some(word),
        _ => None,
    }
}
