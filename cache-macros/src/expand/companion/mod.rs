//! `get_user_key(&id) -> Key<User>`: the companion that names the entries of `get_user`.

pub(in crate::expand) mod name;
pub(in crate::expand) mod parameters;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{GenericParam, Generics};

use self::name::own_name;
use self::parameters::{declare, is_option_of_reference, parameters};
use crate::diagnostics::Reported;
use crate::expand::callsite::Site;
use crate::expand::{Runtime, generics, key, named, placeholder, value};
use crate::model::{Cached, Home, OwnKey};
use crate::piece::Part;
use crate::scope::Subject;

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
        _ => placeholder::reference(it, it.name.span()),
    });
    quote!(#path #turbofish (#(#arguments),*))
}

fn doc(model: &Cached<'_>, own: &OwnKey<'_>) -> String {
    let name = model.scope.function.name();
    match own.home {
        Home::Function | Home::Inline => format!("The cache key of [`{name}`]."),
        Home::Associated | Home::Method => format!("The cache key of [`{name}`](Self::{name})."),
    }
}

/// What a placeholder stands for, where every parameter is a reference already.
fn borrowed(part: &Part<'_>) -> TokenStream {
    match part.subject {
        Subject::Parameter(parameter) if part.fields.is_empty() => {
            placeholder::located(parameter.name, part.span).into_token_stream()
        }
        Subject::Receiver if part.fields.is_empty() => quote_spanned!(part.span=> self),
        _ => placeholder::value(part),
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
