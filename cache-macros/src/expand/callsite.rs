//! The static that describes a cached function.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens as _, quote};
use syn::Path;
use syn::ext::IdentExt as _;

use super::Runtime;
use super::companion::name::companion_name;
use super::settings::{duration, settings};
use super::shape::{described, shape};
use crate::attr::cached::Ttl;
use crate::attr::duration::Duration;
use crate::diagnostics::Reported;
use crate::function::Function;
use crate::model::{Cached, Home, OwnKey};

/// Where the calls that make a key are written.
#[derive(Clone, Copy)]
pub(super) enum Site<'a> {
    /// In the function.
    Body,
    /// In its companion of this name.
    Companion(&'a Ident),
}

impl Site<'_> {
    /// The companion's name, where the function's does not tell it.
    pub(super) fn named(self, function: &Function) -> Option<String> {
        let Self::Companion(name) = self else { return None };
        let usual = companion_name(&function.sig.ident, Span::call_site());
        (*name != usual).then(|| name.unraw().to_string())
    }
}

// Output:
//     static __CALLSITE: __private::Callsite =
//         __private::Callsite::new(concat!(module_path!(), "::get_user"), "user:<id>")
//             .key("user:<int>", __private::here!("get_user"))
//             .of_body()
//             .ttl_ms(3_600_000)
//             .lock();
pub(super) fn callsite(
    model: &Cached<'_>,
    own: Option<(&OwnKey<'_>, Site<'_>)>,
    runtime: &Runtime,
) -> Result<TokenStream, Reported> {
    let Runtime { path, private } = runtime;
    let name = origin(model.scope.function, "", private);
    let template = own.map_or_else(|| quote!(""), |(own, _)| template(own, model, private));
    let own = own.map(|(own, site)| {
        let function = model.scope.function;
        let (shape, name) = (shape(&own.pieces), function.name().to_string());
        let named = site.named(function).map(|item| quote!(, #item));
        let half = (own.home == Home::Function).then(|| match site {
            Site::Body => quote!(.of_body()),
            Site::Companion(_) => quote!(.of_companion()),
        });
        let tags = (!own.tags.is_empty()).then(|| {
            let tags = Literal::usize_unsuffixed(own.tags.len());
            quote!(.tags(#tags))
        });
        quote!(.key(#shape, #private::here!(#name #named)) #half #tags)
    });
    let names_cache = model.args.cache.is_given().then(|| quote!(.names_cache()));
    let policy = policy(model, path)?;
    Ok(quote! {
        static __CALLSITE: #private::Callsite =
            #private::Callsite::new(#name, #template) #own #names_cache #policy;
    })
}

/// What the options say about the entries, as calls of the callsite's builder.
fn policy(model: &Cached<'_>, runtime: &Path) -> Result<TokenStream, Reported> {
    let args = model.args;
    let ttl = match args.ttl.get()? {
        Some(Ttl::Fixed(ttl @ Duration::Millis(_))) => Some(duration("ttl", ttl)),
        // An expression belongs to the key: it may use the parameters.
        _ => None,
    };
    let lock = match args.lock.get()? {
        Some(lock) => {
            let settings = settings(lock, runtime)?;
            Some(quote!(.lock() #settings))
        }
        None => None,
    };
    let settings = settings(args, runtime)?;
    Ok(quote!(#ttl #lock #settings))
}

/// The template as the user wrote it, or would have.
pub(super) fn template(own: &OwnKey<'_>, model: &Cached<'_>, private: &Path) -> TokenStream {
    if let Some(template) = own.template {
        return template.to_token_stream();
    }
    let text = described(&own.pieces, |part| format!("<{}>", part.subject.name()));
    if model.scope.in_impl() {
        let text = format!("<Self>::{}{text}", model.scope.function.name());
        text.into_token_stream()
    } else {
        origin(model.scope.function, &text, private)
    }
}

/// The module that the function is in and what it is called, `"my_crate::users::get_user"`, and
/// what follows.
pub(super) fn origin(function: &Function, rest: &str, private: &Path) -> TokenStream {
    let name = format!("::{}{rest}", function.name());
    quote!(#private::core::concat!(#private::core::module_path!(), #name))
}
