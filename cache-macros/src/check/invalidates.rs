//! Rules for `#[invalidates]`.

use proc_macro2::Span;

use super::{is_async, transactions};
use crate::diagnostics::Diagnostics;
use crate::model::Invalidates;
use crate::scope::Scope;

pub(crate) fn invalidates(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    is_async(&model.scope, &model.flavor, diagnostics);
    names_a_target(model, diagnostics);
    commits_before_it_returns(model, diagnostics);
    let uses_result = model.targets.iter().flatten().any(|target| target.result.is_some());
    result_is_one_thing(&model.scope, uses_result, diagnostics);
}

/// ```text
/// #[invalidates(only_ok)]
/// ^^^^^^^^^^^^^^^^^^^^^^^ what?
/// ```
fn names_a_target(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    if model.targets.is_empty() {
        diagnostics.error(
            Span::call_site(),
            "nothing to invalidate: name a cached function with its arguments, such as \
             `get_user(id)`, or a key, such as `key = \"user:<id>\"`",
        );
    }
}

/// ```text
/// #[invalidates(get_user(id))]
/// async fn rename(tx: &mut Transaction<'_, Postgres>, id: i64) -> Result<(), Error>
///                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ commits later
/// ```
fn commits_before_it_returns(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    if model.args.in_transaction.is_given() {
        return;
    }
    for ty in transactions(&model.scope) {
        diagnostics.error_at(
            ty,
            "this write is committed by its caller, after the invalidation: a reader in between \
             would store the old row again; put the transaction into `cache.after_commit(..)` \
             and write `in_transaction` here",
        );
    }
}

/// ```text
/// #[invalidates(get_user(result.id))]
/// async fn merge(result: Merge) -> Result<User, Error>
///                ^^^^^^ which one?
/// ```
pub(super) fn result_is_one_thing(scope: &Scope<'_>, used: bool, diagnostics: &Diagnostics) {
    if let Some(parameter) = scope.parameter("result").filter(|_| used) {
        diagnostics.error(
            parameter.name.span(),
            "`result` in a target is what the function returns; give this parameter another name",
        );
    }
}
