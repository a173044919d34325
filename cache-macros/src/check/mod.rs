//! The rules that look at more than one thing. Each is a function, preceded by an example of what it rejects.

mod batch;
mod cached;
mod detached;
mod invalidates;
mod key;
mod write_behind;
mod write_through;

use syn::{FnArg, Type};

pub(crate) use self::cached::cached;
pub(crate) use self::invalidates::invalidates;
pub(crate) use self::write_behind::write_behind;
pub(crate) use self::write_through::write_through;
use crate::diagnostics::Diagnostics;
use crate::model::Flavor;
use crate::parameter::Parameter;
use crate::scope::Scope;
use crate::types;

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
                "`{}` is not always there, and is needed beside the body; write the function twice, each with a \
                 `#[cfg(..)]` of its own",
                it.name
            );
            diagnostics.error_at(cfg, message);
        }
    }
}

/// The types of parameters that are, or hold, an open transaction.
fn transactions<'a>(scope: &Scope<'a>) -> impl Iterator<Item = &'a Type> {
    let inputs = scope.function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(&*input.ty),
        FnArg::Receiver(_) => None,
    });
    inputs.filter(|ty| types::is_transaction(ty))
}
