//! `entry = |user: &User| ..`: the closure that makes the key of the entity.

use syn::parse::ParseStream;
use syn::{Error, Expr, ExprClosure, Pat};

use super::name::Name;

pub(super) fn entry(name: &Name, input: ParseStream<'_>) -> syn::Result<ExprClosure> {
    let Expr::Closure(closure) = name.expr(input)? else {
        return Err(name.misused("takes a closure"));
    };
    let parameter = closure.inputs.first();
    if closure.inputs.len() == 1 && matches!(parameter, Some(Pat::Type(_))) {
        return Ok(closure);
    }
    let message = format!(
        "an `entry` closure takes the value, by reference and with its type: write `{}`",
        name.example
    );
    Err(Error::new_spanned(closure, message))
}
