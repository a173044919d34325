//! The rules that look at more than one thing. Each is a function, preceded by an example of what
//! it rejects.

mod alias;
mod batch;
mod before;
mod cached;
mod detached;
mod invalidates;
mod keep_stale;
mod key;
mod parameters;
mod write_behind;
mod write_through;

use proc_macro2::Span;
use syn::{FnArg, Type};

pub(crate) use self::cached::cached;
pub(crate) use self::invalidates::invalidates;
pub(crate) use self::write_behind::write_behind;
pub(crate) use self::write_through::write_through;
use crate::attr::invalidates::InvalidatesArgs;
use crate::diagnostics::Diagnostics;
use crate::model::Flavor;
use crate::parameter::Parameter;
use crate::scope::Scope;
use crate::types::Open;

/// ```text
/// #[cached(..)]
/// fn get_user(id: i64) -> User
/// ^^ needs `async`
/// ```
fn is_async(scope: &Scope<'_>, flavor: &Flavor<'_>, diagnostics: &Diagnostics) {
    let sig = &scope.function.sig;
    if sig.asyncness.is_none() && matches!(flavor, Flavor::Async(_)) {
        let name = &sig.ident;
        diagnostics.error(
            sig.fn_token.span,
            format!("this needs an async function: write `async fn {name}`"),
        );
    }
}

/// ```text
/// async fn get_user(#[cfg(feature = "audit")] audit: &Audit, id: i64) -> User
///                   ^^^^^^^^^^^^^^^^^^^^^^^^^ and what is handed on without it?
/// ```
fn is_always_there(
    scope: &Scope<'_>,
    needed: impl Fn(&Parameter<'_>) -> bool,
    diagnostics: &Diagnostics,
) {
    for input in &scope.function.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        let Some(cfg) = input.attrs.iter().find(|attr| attr.path().is_ident("cfg")) else {
            continue;
        };
        let of_input = |it: &&Parameter<'_>| std::ptr::eq(it.whole, &raw const *input.ty);
        if let Some(it) = scope.parameters.iter().filter(of_input).find(|it| needed(it)) {
            let message = format!(
                "`{}` is not always there, and is needed beside the body; write the function \
                 twice, each with a `#[cfg(..)]` of its own",
                it.name
            );
            diagnostics.error_at(cfg, message);
        }
    }
}

/// The types of parameters that are, or may be inside, an open transaction, and how.
fn open_transactions<'a>(scope: &Scope<'a>) -> impl Iterator<Item = (&'a Type, Open)> {
    let inputs = scope.function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(&*input.ty),
        FnArg::Receiver(_) => None,
    });
    inputs.filter_map(|ty| scope.open(ty).map(|open| (ty, open)))
}

/// When `pooled` is right for a parameter that is refused otherwise.
fn pooled(open: Open) -> &'static str {
    match open {
        Open::Transaction => "or, if this is no database transaction, write `pooled`",
        Open::Connection => {
            "or, if no transaction is ever open on this connection, since a pool has just lent it, \
             write `pooled`"
        }
        Open::Either => "or, if every caller passes a pool and none a transaction, write `pooled`",
    }
}

/// ```text
/// #[invalidates(get_user(id), in_transaction, pooled)]
///                             ^^^^^^^^^^^^^^  ^^^^^^ is one open, or not?
/// ```
fn is_in_transaction_or_not(args: &InvalidatesArgs, diagnostics: &Diagnostics) {
    if args.in_transaction.is_given() && args.pooled.is_given() {
        diagnostics.error(
            Span::call_site(),
            "`in_transaction` says that a transaction is open, `pooled` that none is; keep one",
        );
    }
}
