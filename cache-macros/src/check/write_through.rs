//! Rules for `#[write_through]`.

use proc_macro2::Span;
use syn::{Expr, Type};

use super::before::{before, stores_nothing_of_it};
use super::keep_stale::keeps_nothing_empty;
use super::{is_async, open_transactions, pooled};
use crate::attr::write_through::Entry;
use crate::diagnostics::Diagnostics;
use crate::model::{Value, WriteThrough};
use crate::scope::Scope;
use crate::syntax;
use crate::types::Open;

pub(crate) fn write_through(model: &WriteThrough<'_>, diagnostics: &Diagnostics) {
    let scope = &model.write.scope;
    is_async(scope, &model.write.flavor, diagnostics);
    stores_something(model, diagnostics);
    super::invalidates::is_above_no_read(scope, "write_through", diagnostics);
    before(&model.write, diagnostics);
    keeps_nothing_empty(&model.write, diagnostics);
    commits_before_it_returns(model, diagnostics);
    super::invalidates::returns_errors_to_doubt(&model.write, diagnostics);
    super::invalidates::result_is_one_thing(
        scope,
        model.values.iter().flatten().any(|value| value.uses.is_some())
            || model.write.targets.iter().flatten().any(|target| target.result.is_some()),
        diagnostics,
    );
    for value in model.values.iter().flatten() {
        entry_is_known_before(value, diagnostics);
        stores_nothing_of_it(value, diagnostics);
        made_from_what_stays(value, scope, diagnostics);
    }
}

/// ```text
/// #[write_through(invalidates(list_users(org)))]
/// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ what?
/// ```
fn stores_something(model: &WriteThrough<'_>, diagnostics: &Diagnostics) {
    if model.values.is_empty() {
        diagnostics.error(
            Span::call_site(),
            "nothing to store: name the cached function whose value this write knows, such as \
             `get_user(user.id)`, or use `#[invalidates(..)]`",
        );
    }
}

/// ```text
/// #[write_through(get_user(user.id))]
/// async fn save(tx: &mut Transaction<'_, Postgres>, user: User) -> Result<User, Error>
///                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ may still roll back
/// ```
fn commits_before_it_returns(model: &WriteThrough<'_>, diagnostics: &Diagnostics) {
    if model.write.args.pooled.is_given() {
        return;
    }
    for (ty, open) in open_transactions(&model.write.scope) {
        let commits = match open {
            Open::Transaction | Open::Connection => "this write is committed by its caller",
            Open::Either => "a caller may pass an open transaction here, which commits this write",
        };
        let message = format!(
            "{commits}, if at all, so there is nothing to store yet; put the transaction into \
             `cache.after_commit(..)` and write `#[invalidates(.., in_transaction)]` here, {}",
            pooled(open)
        );
        diagnostics.error_at(ty, message);
    }
}

/// ```text
/// #[write_through(get_user(result.id))]
///                          ^^^^^^ which entry is to be fenced?
/// ```
fn entry_is_known_before(value: &Value<'_>, diagnostics: &Diagnostics) {
    let Some(result) = &value.key_uses else { return };
    let function = match value.entry {
        Entry::Function(call) => match &*call.func {
            Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        },
        Entry::Method(call) => Some(call.method.to_string()),
        Entry::Key(_) => None,
    };
    let function = function.unwrap_or_else(|| "get_user".to_owned());
    diagnostics.error(
        result.span(),
        format!(
            "which entry this is must be known before the body: without a fence from then on, an \
             older value could be stored; invalidate it with `#[invalidates({function}(result..))]`"
        ),
    );
}

/// ```text
/// #[write_through(get_user(user.id) = user.clone())]
///                                     ^^^^ as it was before the body, or after it?
/// async fn save(user: &mut User) -> Result<(), Error>
/// ```
fn made_from_what_stays(value: &Value<'_>, scope: &Scope<'_>, diagnostics: &Diagnostics) {
    for (name, parameter) in &value.parameters {
        let by_reference = parameter.ty.map(syntax::peel);
        let changes = parameter.is_mut
            || matches!(by_reference, Some(Type::Reference(ty)) if ty.mutability.is_some());
        if changes {
            let message = format!(
                "the body may change `{name}`, and what is stored must be what was written; \
                 return it and use `result`"
            );
            diagnostics.error(name.span(), message);
        }
    }
    if let Some(receiver) = value.receiver.as_ref().filter(|_| !scope.is_shared_receiver()) {
        diagnostics.error(
            receiver.span(),
            "what is stored is made after the body, which has `self` to itself; \
             take `&self`, or return the value and use `result`",
        );
    }
}
