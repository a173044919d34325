//! The parameters that a companion takes: references to some of those of the function.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;
use syn::ext::IdentExt as _;

use crate::expand::callsite::Site;
use crate::expand::{Runtime, placeholder};
use crate::model::{Cached, Home, OwnKey};
use crate::parameter::Parameter;
use crate::syntax;

/// The parameters that the key, its tags and its ttl are made of.
pub(super) fn parameters<'a>(
    model: &Cached<'a>,
    own: &OwnKey<'_>,
) -> impl Iterator<Item = Parameter<'a>> {
    let batch = model.batch;
    let single = move |it| batch.map_or(it, |batch| batch.single(it));
    model.scope.parameters.iter().copied().map(single).filter(move |parameter| {
        let name = parameter.name.unraw().to_string();
        own.parts().any(|part| part.subject.name() == name) || is_in_ttl(*parameter, model)
    })
}

/// Whether the ttl is made of a parameter.
fn is_in_ttl(parameter: Parameter<'_>, model: &Cached<'_>) -> bool {
    let ttl = model.args.ttl.get().ok().flatten();
    ttl.is_some_and(|ttl| ttl.uses(&parameter.name.unraw().to_string()))
}

// Output, of `ttl = Duration::from_secs(*secs)`:
//     let secs: &u64 = &secs;
/// What a function without a way to call its companion does for a ttl that is made of parameters.
pub(in crate::expand) fn lets(model: &Cached<'_>, own: &OwnKey<'_>, site: Site<'_>) -> TokenStream {
    if !matches!(site, Site::Body) || own.home == Home::Inline {
        return TokenStream::new();
    }
    let item = model.batch.map(|batch| batch.item.name);
    let used = parameters(model, own).filter(|it| is_in_ttl(*it, model) && item != Some(it.name));
    let lets = used.map(|parameter| {
        let (name, reference) =
            (parameter.name, placeholder::reference(parameter, parameter.name.span()));
        let ty = parameter.ty.filter(|ty| !matches!(syntax::peel(ty), Type::ImplTrait(_)));
        let ty = ty.map(|ty| taken(ty, model)).map(|ty| quote!(: #ty));
        quote!(let #name #ty = #reference;)
    });
    lets.collect()
}

/// `id: &i64` for `id: i64`, `name: &str` for `name: String` and for `name: Cow<'_, str>`.
pub(super) fn declare(
    parameter: Parameter<'_>,
    model: &Cached<'_>,
    runtime: &Runtime,
) -> TokenStream {
    let name = parameter.name;
    let Some(ty) = parameter.ty else {
        let path = &runtime.path;
        return quote!(#name: &(impl #path::KeyPart + ?Sized));
    };
    let ty = taken(ty, model);
    quote!(#name: #ty)
}

/// `&i64` for `i64`, `&str` for `String`.
fn taken(ty: &Type, model: &Cached<'_>) -> TokenStream {
    let lifetimes = model.scope.function.sig.generics.lifetimes();
    let lifetimes: Vec<_> = lifetimes.map(|parameter| &parameter.lifetime.ident).collect();
    let ty = syntax::without_lifetimes(syntax::peel(ty), &lifetimes);
    match &ty {
        Type::Reference(reference) => {
            let ty = &reference.elem;
            quote!(&#ty)
        }
        Type::ImplTrait(it) if it.bounds.len() > 1 => quote!(&(#ty)),
        _ => match syntax::last_segment(&ty) {
            Some(segment) if segment.ident == "String" => quote!(&str),
            Some(segment) if segment.ident == "Vec" => {
                let elements = syntax::arguments(segment);
                quote!(&[#(#elements)*])
            }
            Some(segment) if segment.ident == "Cow" => {
                let borrowed = syntax::arguments(segment);
                quote!(&#(#borrowed)*)
            }
            _ => quote!(&#ty),
        },
    }
}

/// `Option<&T>`
pub(super) fn is_option_of_reference(ty: &Type) -> bool {
    let option = syntax::last_segment(ty).filter(|segment| segment.ident == "Option");
    let inside = option.and_then(|segment| syntax::arguments(segment).next());
    matches!(inside.map(syntax::peel), Some(Type::Reference(_)))
}
