//! What a write stores or invalidates, as the catalogue names it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::{Expr, ExprCall, ExprMethodCall, Path};

use super::{spelled, template};
use crate::expand::shape::shape;
use crate::model::What;
use crate::piece::Piece;

pub(super) fn target_of(what: &What<'_>, private: &Path) -> TokenStream {
    let named = |kind: TokenStream, pieces: &[Piece<'_>]| {
        let (template, shape) = (template(pieces), shape(pieces));
        quote!(#private::Target::#kind(#template, #shape))
    };
    match what {
        What::Function(call) => of_function(call, private),
        What::Method(call) => of_name(&call.method.unraw().to_string(), private),
        What::Key(key) => of_key(key, private),
        What::Template(pieces) => named(quote!(Key), pieces),
        What::Tag(pieces) => named(quote!(Tag), pieces),
        What::TagExpr(tag) => of_unknown(tag, private),
        What::Pattern(pieces) => named(quote!(Pattern), pieces),
        What::Each(_, what) | What::KeptStale(_, what) => target_of(what, private),
    }
}

pub(super) fn of_function(call: &ExprCall, private: &Path) -> TokenStream {
    path(&call.func).map_or_else(|| of_unknown(call, private), |path| of_name(&path, private))
}

/// `get_user_key(&id)`, or whatever else makes a key and may be a companion.
pub(super) fn of_key(key: &Expr, private: &Path) -> TokenStream {
    companion(key).map_or_else(
        || of_unknown(key, private),
        |companion| quote!(#private::Target::Companion(#companion)),
    )
}

pub(super) fn of_name(name: &str, private: &Path) -> TokenStream {
    quote!(#private::Target::Function(#name))
}

fn of_unknown(expr: &impl ToTokens, private: &Path) -> TokenStream {
    let expr = spelled(expr);
    quote!(#private::Target::Unknown(#expr))
}

/// Methods of a key that make the key of the same entry, or of the same with other tags.
const OF_KEYS: &[&str] = &["clone", "tag", "tags_of", "ttl", "ttl_of", "unless"];

/// Whether an expression is the key of another function, as the name of what makes it shows.
pub(in crate::expand) fn is_of_function(key: &Expr) -> bool {
    companion(key).is_some_and(|companion| companion.ends_with("_key"))
}

/// What makes the key that an expression is: `users::get_user_key`.
pub(super) fn companion(key: &Expr) -> Option<String> {
    match key {
        Expr::Call(call) => path(&call.func),
        Expr::MethodCall(call) if is_of_keys(call) => companion(&call.receiver),
        Expr::MethodCall(call) => Some(call.method.unraw().to_string()),
        Expr::Reference(reference) => companion(&reference.expr),
        Expr::Paren(inside) => companion(&inside.expr),
        _ => None,
    }
}

/// Whether the method `name` of keys is called on what makes a key.
pub(super) fn calls(key: &Expr, name: &str) -> bool {
    match key {
        Expr::MethodCall(call) if is_of_keys(call) => {
            call.method == name || calls(&call.receiver, name)
        }
        Expr::Reference(reference) => calls(&reference.expr, name),
        Expr::Paren(inside) => calls(&inside.expr, name),
        _ => false,
    }
}

pub(in crate::expand) fn is_of_keys(call: &ExprMethodCall) -> bool {
    OF_KEYS.iter().any(|name| call.method == name)
}

/// `users::get_user`, without generics.
fn path(function: &Expr) -> Option<String> {
    let Expr::Path(path) = function else { return None };
    let names = path.path.segments.iter().map(|segment| segment.ident.unraw().to_string());
    Some(names.collect::<Vec<_>>().join("::"))
}
