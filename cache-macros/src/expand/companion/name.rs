//! What a companion is called.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt as _;

use crate::attr::cached::Companion;
use crate::model::Cached;

/// The companion's name: that of the attribute, or `get_user_key` for `get_user`.
pub(in crate::expand) fn own_name(model: &Cached<'_>) -> Ident {
    if let Ok(Some(Companion::Named(name))) = model.args.companion.get() {
        return name.clone();
    }
    // It stands where the attribute does, and is a name like the user's own: inside of the `impl`
    // block, rustc then suggests `self.get_user(id)` for a target `get_user(id)`.
    let function = &model.scope.function.sig.ident;
    companion_name(function, Span::call_site().resolved_at(function.span()))
}

/// `get_user_key` for `get_user`.
pub(in crate::expand) fn companion_name(function: &Ident, span: Span) -> Ident {
    format_ident!("{}_key", function.unraw(), span = span)
}
