//! `get_user_key(&id) -> Key<User>`: the companion that names the entries of `get_user`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{GenericParam, Generics, Type};

use super::callsite::Site;
use super::{Runtime, generics, key, named, value};
use crate::attr::cached::Companion;
use crate::diagnostics::Reported;
use crate::model::{Cached, Home, OwnKey};
use crate::parameter::Parameter;
use crate::piece::Part;
use crate::scope::Subject;
use crate::syntax;

// Input:
//     #[cached(key = "user:<id>", ttl = 3600)]
//     pub async fn get_user(db: &PgPool, id: i64) -> Result<User, Error> { BODY }
//
// Output:
//     #[doc = "The cache key of [`get_user`]."]
//     pub fn get_user_key(id: &i64) -> Key<User> {
//         static __CALLSITE: ..;
//         __private::key(&__CALLSITE).text("user:").part(id).done()
//     }
pub(super) fn function(
    model: &Cached<'_>,
    own: &OwnKey<'_>,
    runtime: &Runtime,
) -> Result<TokenStream, Reported> {
    let function = model.scope.function;
    let kept = function.attrs.iter().filter(|attr| {
        // Where the function is not, its companion must not be.
        attr.path().is_ident("cfg") || attr.path().is_ident("allow")
    });
    let vis = &function.vis;
    let name = own_name(model);
    let doc = doc(model, own);

    let receiver = (own.home == Home::Method).then(|| quote!(&self,));
    let taken = || parameters(model, own);
    // A companion takes references, and the type is the user's.
    let allow = taken().any(|it| it.ty.is_some_and(is_option_of_reference));
    let allow = allow.then(|| quote!(#[allow(clippy::ref_option_ref)]));
    // The function makes its key by itself.
    let unused = (own.home == Home::Function).then(|| quote!(#[allow(dead_code)]));
    let parameters = taken().map(|parameter| declare(parameter, model, runtime));
    let value = value::stored(model, runtime);
    let generics = needed(model, own, runtime);
    let where_clause = &generics.where_clause;

    let path = &runtime.path;
    let body = key::chain(model, own, Site::Companion(&name), runtime, borrowed)?;
    let mark = named::mark(model, own, runtime);
    Ok(quote! {
        #mark
        #(#kept)*
        #[doc = #doc]
        #allow
        #unused
        #vis fn #name #generics (#receiver #(#parameters),*) -> #path::Key<#value> #where_clause {
            #body
        }
    })
}

/// `self.get_user_key(&id)`, as a method calls it, or `Self::get_user_key(&id)`.
pub(super) fn call(model: &Cached<'_>, own: &OwnKey<'_>, runtime: &Runtime) -> TokenStream {
    let mut name = own_name(model);
    // Where there is no such name, rustc suggests none to write in place of the attribute.
    name.set_span(Span::call_site());
    let path = if own.home == Home::Method { quote!(self.#name) } else { quote!(Self::#name) };
    let turbofish = turbofish(&needed(model, own, runtime));
    let item = model.batch.map(|batch| batch.item.name);
    let arguments = parameters(model, own).map(|it| match item {
        // A reference already.
        Some(item) if item == it.name => item.to_token_stream(),
        _ => key::reference(it, it.name.span()),
    });
    quote!(#path #turbofish (#(#arguments),*))
}

/// The companion's name: that of the attribute, or `get_user_key` for `get_user`.
pub(super) fn own_name(model: &Cached<'_>) -> Ident {
    if let Ok(Some(Companion::Named(name))) = model.args.companion.get() {
        return name.clone();
    }
    // It stands where the attribute does, and is a name like the user's own: inside of the `impl`
    // block, rustc then suggests `self.get_user(id)` for a target `get_user(id)`.
    let function = &model.scope.function.sig.ident;
    name(function, Span::call_site().resolved_at(function.span()))
}

/// `get_user_key` for `get_user`.
pub(super) fn name(function: &Ident, span: Span) -> Ident {
    format_ident!("{}_key", function.unraw(), span = span)
}

fn doc(model: &Cached<'_>, own: &OwnKey<'_>) -> String {
    let name = model.scope.function.name();
    match own.home {
        Home::Function | Home::Inline => format!("The cache key of [`{name}`]."),
        Home::Associated | Home::Method => format!("The cache key of [`{name}`](Self::{name})."),
    }
}

/// The parameters that the key, its tags and its ttl are made of.
fn parameters<'a>(model: &Cached<'a>, own: &OwnKey<'_>) -> impl Iterator<Item = Parameter<'a>> {
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
pub(super) fn lets(model: &Cached<'_>, own: &OwnKey<'_>, site: Site<'_>) -> TokenStream {
    if !matches!(site, Site::Body) || own.home == Home::Inline {
        return TokenStream::new();
    }
    let item = model.batch.map(|batch| batch.item.name);
    let used = parameters(model, own).filter(|it| is_in_ttl(*it, model) && item != Some(it.name));
    let lets = used.map(|parameter| {
        let (name, reference) = (parameter.name, key::reference(parameter, parameter.name.span()));
        let ty = parameter.ty.filter(|ty| !matches!(syntax::peel(ty), Type::ImplTrait(_)));
        let ty = ty.map(|ty| taken(ty, model)).map(|ty| quote!(: #ty));
        quote!(let #name #ty = #reference;)
    });
    lets.collect()
}

/// `id: &i64` for `id: i64`, `name: &str` for `name: String` and for `name: Cow<'_, str>`.
fn declare(parameter: Parameter<'_>, model: &Cached<'_>, runtime: &Runtime) -> TokenStream {
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
fn is_option_of_reference(ty: &Type) -> bool {
    let option = syntax::last_segment(ty).filter(|segment| segment.ident == "Option");
    let inside = option.and_then(|segment| syntax::arguments(segment).next());
    matches!(inside.map(syntax::peel), Some(Type::Reference(_)))
}

/// What a placeholder stands for, where every parameter is a reference already.
fn borrowed(part: &Part<'_>) -> TokenStream {
    match part.subject {
        Subject::Parameter(parameter) if part.fields.is_empty() => {
            key::located(parameter.name, part.span).into_token_stream()
        }
        Subject::Receiver if part.fields.is_empty() => quote_spanned!(part.span=> self),
        _ => key::value(part),
    }
}

/// The function's generics, as far as its companion has a use for them.
fn needed(model: &Cached<'_>, own: &OwnKey<'_>, runtime: &Runtime) -> Generics {
    let parameters = parameters(model, own).map(|it| declare(it, model, runtime));
    let value = value::stored(model, runtime);
    let parts = own.parts().map(borrowed);
    generics::needed(&model.scope.function.sig.generics, &quote!(#(#parameters)* #value #(#parts)*))
}

/// `::<T, N>`, since a type that only the value mentions cannot be inferred everywhere.
fn turbofish(generics: &Generics) -> Option<TokenStream> {
    let names: Vec<_> = generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Const(parameter) => Some(&parameter.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    (!names.is_empty()).then(|| quote!(::<#(#names),*>))
}
