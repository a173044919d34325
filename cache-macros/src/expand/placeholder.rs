//! What a placeholder stands for, as an expression.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::Type;

use crate::parameter::Parameter;
use crate::piece::{Part, ident};
use crate::scope::Subject;
use crate::syntax;

/// A reference to what a placeholder stands for, in terms of the function's own parameters.
pub(super) fn value(part: &Part<'_>) -> TokenStream {
    let Part { subject, fields, span, .. } = part;
    let root = match subject {
        Subject::Parameter(parameter) if fields.is_empty() => return reference(*parameter, *span),
        Subject::Parameter(parameter) => located(parameter.name, *span).into_token_stream(),
        Subject::Item(item) if fields.is_empty() => {
            return located(item.name, *span).into_token_stream();
        }
        Subject::Item(item) => located(item.name, *span).into_token_stream(),
        Subject::Receiver => quote_spanned!(*span=> self),
        Subject::Result => quote_spanned!(*span=> result),
        Subject::Before => quote_spanned!(*span=> before),
        Subject::Pushed(name) => ident(name, *span).into_token_stream(),
        Subject::Const(name) | Subject::Type(name) => name.into_token_stream(),
        Subject::SelfType => quote_spanned!(*span=> Self),
    };
    quote_spanned!(*span=> & #root #(.#fields)*)
}

/// A shared reference to a parameter.
pub(super) fn reference(parameter: Parameter<'_>, span: Span) -> TokenStream {
    let name = located(parameter.name, span);
    match parameter.ty.map(syntax::peel) {
        Some(Type::Reference(ty)) if ty.mutability.is_none() => name.into_token_stream(),
        Some(Type::Reference(_)) => quote_spanned!(span=> &*#name),
        _ => quote_spanned!(span=> &#name),
    }
}

/// The same name with another location; it is still resolved where the user wrote it.
pub(super) fn located(name: &Ident, span: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(name.span().located_at(span));
    name
}
