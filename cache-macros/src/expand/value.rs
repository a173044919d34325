//! The part of the return type that is stored: `User` of `Result<User, Error>`.

use proc_macro2::{Delimiter, Ident, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Type, TypeParamBound};

use super::{Runtime, enclosed, end, respanned};
use crate::model::{Cached, Home, Key};
use crate::{syntax, types};

/// The stored type, as a type. Behind an alias only the compiler sees it: `AppResult<User>` becomes
/// `value!(AppResult<User>)`.
pub(super) fn stored(model: &Cached<'_>, runtime: &Runtime) -> TokenStream {
    match model.batch {
        Some(_) => of_one(model, runtime),
        None => of_all(model, runtime),
    }
}

/// Where the knowledge of what is stored comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The signature spells it out: `Result<T, E>`, or a type that is certain not to be a `Result`.
    Written,
    /// Only the compiler sees through an alias. It can be asked if the type has no generics in it.
    Compiler,
    /// A generic type whose name ends in `Result`.
    NamedResult,
    /// A generic type of any other name.
    NamedOtherwise,
}

impl Source {
    fn of(ty: &Type, model: &Cached<'_>) -> Self {
        let Some(segment) = syntax::last_segment(ty) else { return Self::Written };
        let result = segment.ident == "Result" && syntax::arguments(segment).count() == 2;
        if result || types::is_plain(ty) {
            Self::Written
        } else if !may_be_generic(ty, model) {
            Self::Compiler
        } else if types::spells_result(ty) {
            Self::NamedResult
        } else {
            Self::NamedOtherwise
        }
    }
}

/// Whether the companion names a type that was judged by its name, which may be wrong.
pub(super) fn is_guessed(model: &Cached<'_>) -> bool {
    let named = matches!(&model.key, Ok(Key::Own(own)) if own.home != Home::Inline);
    let source = || Source::of(&model.flavor.output().ty, model);
    named && model.batch.is_none() && source() == Source::NamedOtherwise
}

fn of_all(model: &Cached<'_>, runtime: &Runtime) -> TokenStream {
    let output = model.flavor.output();
    let (ty, private) = (&output.ty, &runtime.private);
    match Source::of(ty, model) {
        Source::Written => types::stored(ty).to_token_stream(),
        Source::NamedOtherwise => ty.to_token_stream(),
        Source::Compiler => quote!(#private::value!(#ty)),
        Source::NamedResult => {
            // There rustc shows a type that is none.
            let private = respanned(private, output.arrow);
            let named = enclosed(Delimiter::Parenthesis, quote!(#ty as result), end(ty));
            quote_spanned!(output.arrow=> #private::value! #named)
        }
    }
}

/// What one id of a batch stores: `User` of `HashMap<i64, User>`, or an option of it if absence is
/// remembered too.
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
        let declared = scope.types.contains(&name) || scope.consts.contains(&name);
        declared || may_be_of_impl(name, model) || name == "Self"
    }) || (scope.in_impl() && types::spells_result(ty))
}

/// Whether a name may be a type parameter of the `impl` block, which is not seen from inside: by
/// custom those are short.
fn may_be_of_impl(name: &Ident, model: &Cached<'_>) -> bool {
    let text = name.to_string();
    model.scope.in_impl() && text.len() <= 2 && text.starts_with(char::is_uppercase)
}

/// Whether the stored type has a type parameter in it that may not be `'static`: the compiler
/// cannot be asked about that without demanding it.
pub(super) fn is_open(model: &Cached<'_>) -> bool {
    let scope = &model.scope;
    let is_static = |name: &Ident| {
        let bounds = scope.bounds_of(name);
        let mut lifetimes = bounds.iter().filter_map(|bound| match bound {
            TypeParamBound::Lifetime(lifetime) => Some(lifetime),
            _ => None,
        });
        lifetimes.any(|lifetime| lifetime.ident == "static")
    };
    let names = syntax::idents(model.stored().to_token_stream());
    names.iter().any(|name| {
        let declared = scope.types.contains(&name);
        (declared && !is_static(name)) || (!declared && may_be_of_impl(name, model))
    })
}
