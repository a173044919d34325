//! What of the return type is stored: `User` of `Result<User, Error>`.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::Type;

use super::Runtime;
use crate::model::Cached;
use crate::{syntax, types};

/// The stored type, as a type.
///
/// Only the compiler sees through an alias: `AppResult<User>` becomes `value!(AppResult<User>)`. It can
/// do so only if the type has no generics in it; else the spelling decides.
pub(super) fn stored(model: &Cached<'_>, runtime: &Runtime) -> TokenStream {
    match model.batch {
        Some(_) => of_one(model, runtime),
        None => of_all(model, runtime),
    }
}

fn of_all(model: &Cached<'_>, runtime: &Runtime) -> TokenStream {
    let ty = &model.flavor.output().ty;
    let private = &runtime.private;
    let Some(segment) = syntax::last_segment(ty) else {
        return ty.to_token_stream();
    };
    if segment.ident == "Result" && syntax::arguments(segment).count() == 2 {
        return types::stored(ty).to_token_stream();
    }
    if types::is_plain(ty) {
        return ty.to_token_stream();
    }
    match (may_be_generic(ty, model), types::spells_result(ty)) {
        (false, _) => quote!(#private::value!(#ty)),
        (true, true) => quote!(#private::value!(#ty as result)),
        (true, false) => ty.to_token_stream(),
    }
}

/// What one id of a batch stores: `User` of `HashMap<i64, User>`, or an option of it if absence is remembered too.
fn of_one(model: &Cached<'_>, runtime: &Runtime) -> TokenStream {
    let private = &runtime.private;
    let spelled = types::of_each(types::stored(&model.flavor.output().ty));
    let value = if let Some(value) = spelled {
        value.to_token_stream()
    } else {
        let all = of_all(model, runtime);
        quote!(<#all as #private::Answers>::Value)
    };
    if model.args.none_ttl.is_given() {
        quote!(#private::core::option::Option<#value>)
    } else {
        value
    }
}

/// Whether a type has, or may have, generics in it.
pub(super) fn may_be_generic(ty: &Type, model: &Cached<'_>) -> bool {
    let scope = &model.scope;
    let names = syntax::idents(ty.to_token_stream());
    names.iter().any(|name| {
        let text = name.to_string();
        let declared = scope.types.contains(&name) || scope.consts.contains(&name);
        // The generics of an `impl` block are not seen from inside; by custom they are short.
        let of_impl = scope.in_impl() && text.len() <= 2 && text.starts_with(char::is_uppercase);
        declared || of_impl || text == "Self"
    }) || (scope.in_impl() && types::spells_result(ty))
}
