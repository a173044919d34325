//! Rules for `before = ..`.

use crate::diagnostics::Diagnostics;
use crate::model::{Invalidates, Value};
use crate::syntax;

pub(super) fn before(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    is_used(model, diagnostics);
    is_one_thing(model, diagnostics);
    is_read_before_the_body(model, diagnostics);
    is_not_mixed_with_the_result(model, diagnostics);
}

/// ```text
/// #[invalidates(get_user(id), before = find(db, id))]
///                                      ^^^^^^^^^^^^ what for?
/// ```
fn is_used(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    let Ok(Some(before)) = model.args.before.get() else { return };
    // A malformed target may be the one that uses it.
    let mut targets = model.targets.iter();
    if targets.all(|target| target.as_ref().is_ok_and(|target| target.before.is_none())) {
        diagnostics.error_at(
            before,
            "no target uses `before`: write one that does, such as `get_by_name(before.name)`, or \
             leave this out",
        );
    }
}

/// ```text
/// #[invalidates(list(before.day), before = find(db, id))]
/// async fn move_to(db: &Pool, id: i64, before: Date) -> Result<(), Error>
///                                      ^^^^^^ which one?
/// ```
fn is_one_thing(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    let parameter = model.scope.parameter("before");
    if let Some(parameter) = parameter.filter(|_| model.args.before.is_given()) {
        diagnostics.error(
            parameter.name.span(),
            "`before` in a target is what `before = ..` has read; give this parameter another name",
        );
    }
}

/// ```text
/// #[invalidates(get_by_name(before.name), before = find(db, result.id))]
///                                                           ^^^^^^ is not there yet
/// ```
fn is_read_before_the_body(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    let Ok(Some(before)) = model.args.before.get() else { return };
    let result = syntax::variable(before, "result");
    if let Some(result) = result.filter(|_| model.scope.parameter("result").is_none()) {
        diagnostics.error(
            result.span(),
            "`before = ..` is read before the body, when there is no `result`; use the parameters",
        );
    }
}

/// ```text
/// #[invalidates(list(before.org, result.id), before = find(db, id))]
///                    ^^^^^^ to be fenced now, or made later?
/// ```
fn is_not_mixed_with_the_result(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    for target in model.targets.iter().flatten() {
        if let (Some(before), Some(_)) = (&target.before, &target.result) {
            diagnostics.error(
                before.span(),
                "a target is known either before the body, by `before`, or after it, by `result`; \
                 return in the result what this target needs, and use that alone",
            );
        }
    }
}

/// ```text
/// #[write_through(get_user(before.id), before = find(db, id), ..)]
///                          ^^^^^^ may be another one at the next read
/// ```
pub(super) fn stores_nothing_of_it(value: &Value<'_>, diagnostics: &Diagnostics) {
    if let Some(before) = &value.before {
        diagnostics.error(
            before.span(),
            "`before` names what is only invalidated: write `invalidates(get_user(before.id))`; \
             an entry that a value is stored in, and the value, are made of the parameters and \
             `result`",
        );
    }
}
