//! Questions to the compiler about what is not in the key, where its name alone is no proof that it
//! is no data.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::{Attribute, FnArg, Path, Type};

use super::respanned;
use crate::diagnostics::Reported;
use crate::model::Cached;

// Output, for `db: &PgPool` and a body that uses `self.tenant`:
//     __private::left_out!(db, handle);
//     __private::left_out!(self, receiver);
//     __private::left_out!(self.tenant, field);
pub(super) fn checks(model: &Cached<'_>, private: &Path) -> Result<TokenStream, Reported> {
    let key = model.key.as_ref().map_err(|&reported| reported)?;
    let mut checks = TokenStream::new();
    for handle in model.handles(key) {
        let (name, span) = (handle.name, handle.name.span());
        let (cfgs, private) = (conditions(model, handle.whole), respanned(private, span));
        checks.extend(quote_spanned!(span=> #(#cfgs)* #private::left_out!(#name, handle);));
    }
    if let Some(receiver) = model.receiver_left_out(key) {
        let (this, span) = (receiver.self_token, receiver.self_token.span);
        let private = respanned(private, span);
        checks.extend(quote_spanned!(span=> #private::left_out!(#this, receiver);));
    }
    let this = model.scope.function.sig.receiver().map(|receiver| receiver.self_token);
    for field in model.fields_left_out(key) {
        let span = field.span();
        let private = respanned(private, span);
        checks.extend(quote_spanned!(span=> #private::left_out!(#this.#field, field);));
    }
    Ok(checks)
}

/// The `#[cfg(..)]`s of a parameter.
fn conditions<'a>(model: &Cached<'a>, ty: &Type) -> impl Iterator<Item = &'a Attribute> {
    let inputs = model.scope.function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(input),
        FnArg::Receiver(_) => None,
    });
    let input = inputs.into_iter().find(|input| std::ptr::eq(&raw const *input.ty, ty));
    let attrs = input.into_iter().flat_map(|input| &input.attrs);
    attrs.filter(|attr| attr.path().is_ident("cfg"))
}
