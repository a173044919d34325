//! Rules for `#[invalidates]`.

use proc_macro2::Span;

use super::before::before;
use super::keep_stale::keep_stale;
use super::{is_async, is_in_transaction_or_not, open_transactions, pooled};
use crate::attr::invalidates::Fence;
use crate::diagnostics::Diagnostics;
use crate::model::Invalidates;
use crate::scope::Scope;
use crate::syntax;
use crate::types::{self, Open};

pub(crate) fn invalidates(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    is_async(&model.scope, &model.flavor, diagnostics);
    names_a_target(model, diagnostics);
    is_above_no_read(&model.scope, "invalidates", diagnostics);
    before(model, diagnostics);
    keep_stale(model, diagnostics);
    is_in_transaction_or_not(model.args, diagnostics);
    commits_before_it_returns(model, diagnostics);
    has_a_fence_to_keep(model, diagnostics);
    returns_errors_to_doubt(model, diagnostics);
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
/// #[cached(key = "renamed:<id>", ttl = 60)]
///   ^^^^^^ a hit runs nothing of this function, and so does not invalidate
/// ```
pub(super) fn is_above_no_read(scope: &Scope<'_>, write: &str, diagnostics: &Diagnostics) {
    let read = scope.function.attrs.iter().find(|attr| {
        let last = attr.path().segments.last();
        let conditional = || attr.path().is_ident("cfg_attr") && syntax::mentions(attr, "cached");
        last.is_some_and(|it| it.ident == "cached") || conditional()
    });
    if let Some(read) = read {
        diagnostics.error_at(
            read.path(),
            format!(
                "the lower of two attributes is applied to what the upper one has made of the \
                 function, so a hit of this `#[cached]` would skip `#[{write}]`; write `#[cached]` \
                 above `#[{write}]`, and every call is a write, or cache a function that this one \
                 calls"
            ),
        );
    }
}

/// ```text
/// #[invalidates(get_user(id))]
/// async fn rename(tx: &mut Transaction<'_, Postgres>, id: i64) -> Result<(), Error>
///                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ commits later
/// ```
fn commits_before_it_returns(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    if model.args.in_transaction.is_given() || model.args.pooled.is_given() {
        return;
    }
    for (ty, open) in open_transactions(&model.scope) {
        let commits = match open {
            Open::Transaction | Open::Connection => "this write is committed by its caller",
            Open::Either => "a caller may pass an open transaction here, which commits this write",
        };
        let message = format!(
            "{commits}, after the invalidation: a reader in between would store the old row again; \
             put the transaction into `cache.after_commit(..)` and write `in_transaction` here, {}",
            pooled(open)
        );
        diagnostics.error_at(ty, message);
    }
}

/// ```text
/// #[invalidates(get_user(id), fence = "off", in_doubt = Error::is_timeout)]
///                                                       ^^^^^^^^^^^^^^^^^ keeps which fence?
/// ```
fn has_a_fence_to_keep(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    let args = model.args;
    if let (Ok(Some(Fence::Off)), Ok(Some(in_doubt))) = (args.fence.get(), args.in_doubt.get())
        && !args.in_transaction.is_given()
    {
        diagnostics.error_at(
            in_doubt,
            "`in_doubt` says which errors leave the fence up, and `fence = \"off\"` puts up none; \
             leave out one of the two",
        );
    }
}

/// ```text
/// #[invalidates(get_user(id), in_doubt = |error| error.is_timeout())]
/// async fn delete_user(id: i64) -> Option<User>
///                                  ^^^^^^^^^^^^ which errors?
/// ```
pub(super) fn returns_errors_to_doubt(model: &Invalidates<'_>, diagnostics: &Diagnostics) {
    let output = &model.flavor.output().ty;
    if model.args.in_doubt.is_given() && types::is_plain(output) {
        diagnostics.error_at(
            output,
            "`in_doubt` is asked about errors, and this function returns none; leave it out: a \
             write that is dropped, or panics, leaves its fence up without it",
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
