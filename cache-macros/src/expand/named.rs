//! The cache that a function names with `cache = ..`.
//!
//! The entries of such a function are in that cache, and an attribute elsewhere that uses one of
//! them without naming a cache would look for it in another. It cannot see the function's
//! attribute. So the function leaves a mark beside its companion, and the other attribute asks for
//! it. The mark of a free function is a type with the companion's own name, since every `use` that
//! makes the companion visible brings it along. That of a method is a constant. The mark of a
//! function inside of another is not found, and neither is that of a method of anything but `self`;
//! the runtime sees those.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{Expr, ExprCall, ExprMethodCall, ExprPath, Path, parse_quote_spanned};

use super::companion::name::{companion_name, own_name};
use super::{Runtime, catalog, respanned, target};
use crate::attr::write_through::Entry;
use crate::diagnostics::Reported;
use crate::model::{Cached, Home, Invalidates, OwnKey, Value, What};
use crate::scope::Scope;

// Output, beside `get_user_key`:
//     #[doc(hidden)]
//     pub type get_user_key = __private::NamesCache;
pub(super) fn mark(model: &Cached<'_>, own: &OwnKey<'_>, runtime: &Runtime) -> Option<TokenStream> {
    if !model.args.cache.is_given() {
        return None;
    }
    let private = &runtime.private;
    let function = model.scope.function;
    let kept = function.attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let vis = &function.vis;
    let name = own_name(model);
    let item = match own.home {
        Home::Function | Home::Inline => quote!(type #name = #private::NamesCache;),
        Home::Associated | Home::Method => {
            let name = constant(&name);
            quote!(const #name: #private::NamesCache = #private::NamesCache;)
        }
    };
    Some(quote! {
        #(#kept)*
        #[doc(hidden)]
        #[allow(dead_code, non_camel_case_types, non_upper_case_globals)]
        #vis #item
    })
}

/// A name that is like no companion's, or rustc would suggest it where a companion is missing.
fn constant(companion: &Ident) -> Ident {
    format_ident!("__names_the_cache_of_{companion}", span = companion.span())
}

// Output, of `#[cached(key = get_user_key(&id), ..)]`:
//     __private::unnamed!(get_user_key in self);
/// Asks the function that a read shares entries with.
pub(super) fn read(model: &Cached<'_>, key: &Expr, private: &Path) -> Option<TokenStream> {
    if model.args.cache.is_given() { None } else { of_key(key, &model.scope, private) }
}

// Output, of `#[invalidates(get_user(id), Self::find(id))]`:
//     __private::unnamed!(get_user_key in self);
//     __private::unnamed!(__names_the_cache_of_find_key of Self::__names_the_cache_of_find_key);
/// Asks the functions whose entries a write names.
pub(super) fn write(
    model: &Invalidates<'_>,
    values: &[Result<Value<'_>, Reported>],
    private: &Path,
) -> TokenStream {
    if model.args.cache.is_given() {
        return TokenStream::new();
    }
    let entries = values.iter().flatten().filter_map(|value| match value.entry {
        Entry::Function(call) => of_function(call, private),
        Entry::Method(call) => Some(of_target(call, private)),
        Entry::Key(key) => of_key(key, &model.scope, private),
    });
    let targets = model.targets.iter().flatten();
    let targets = targets.filter_map(|target| of_what(&target.what, &model.scope, private));
    entries.chain(targets).collect()
}

fn of_what(what: &What<'_>, scope: &Scope<'_>, private: &Path) -> Option<TokenStream> {
    match what {
        What::Function(call) => of_function(call, private),
        What::Method(call) => Some(of_target(call, private)),
        What::Key(key) => of_key(key, scope, private),
        What::Each(_, what) | What::KeptStale(_, what) => of_what(what, scope, private),
        // The catalogue looks after these.
        What::Template(_) | What::TagExpr(_) | What::Tag(_) | What::Pattern(_) => None,
    }
}

/// `get_user(id)`, or `get_user_key(id)`, which may be the companion itself.
pub(super) fn of_function(call: &ExprCall, private: &Path) -> Option<TokenStream> {
    let Expr::Path(function) = &*call.func else { return None };
    let mut companion = function.clone();
    let last = companion.path.segments.last_mut()?;
    let itself =
        target::ends_as_companion(&last.ident).then(|| of_companion(function, call, private));
    last.ident = companion_name(&last.ident, last.ident.span());
    let checks = [of_companion(&companion, call, private), itself.flatten()];
    Some(checks.into_iter().flatten().collect())
}

/// `self.get_user(id)`, or `self.get_user_key(id)`, which may be the companion itself.
fn of_target(call: &ExprMethodCall, private: &Path) -> TokenStream {
    let companion = companion_name(&call.method, call.method.span());
    let itself = target::ends_as_companion(&call.method).then_some(&call.method);
    let names = [Some(&companion), itself].into_iter().flatten();
    names.filter_map(|name| of_method(&call.receiver, name, private)).collect()
}

/// `self.get_user_key(&id)`. What another receiver is, a macro cannot tell.
fn of_method(receiver: &Expr, companion: &Ident, private: &Path) -> Option<TokenStream> {
    is_self(receiver).then(|| of_self(companion, private))
}

fn of_self(companion: &Ident, private: &Path) -> TokenStream {
    let path = parse_quote_spanned!(companion.span()=> Self::#companion);
    of_constant(&path, companion, private)
}

/// `self`, `&self`
fn is_self(expr: &Expr) -> bool {
    match expr {
        Expr::Reference(reference) => is_self(&reference.expr),
        expr => matches!(expr, Expr::Path(path) if path.path.is_ident("self")),
    }
}

/// `get_user_key(&id)`, unless that is a closure which the function is given.
fn of_key(key: &Expr, scope: &Scope<'_>, private: &Path) -> Option<TokenStream> {
    match key {
        Expr::Reference(reference) => of_key(&reference.expr, scope, private),
        Expr::Paren(inside) => of_key(&inside.expr, scope, private),
        Expr::MethodCall(call) if catalog::is_of_keys(call) => {
            of_key(&call.receiver, scope, private)
        }
        Expr::MethodCall(call) => of_method(&call.receiver, &call.method, private),
        Expr::Call(call) => {
            let Expr::Path(companion) = &*call.func else { return None };
            let name = companion.path.segments.last()?.ident.unraw().to_string();
            let is_companion = name.ends_with("_key") && scope.parameter(&name).is_none();
            if is_companion { of_companion(companion, call, private) } else { None }
        }
        _ => None,
    }
}

/// `Repo::get_user_key(repo, &id)`, or another path; `call` has its arguments.
fn of_companion(companion: &ExprPath, call: &ExprCall, private: &Path) -> Option<TokenStream> {
    let path = &companion.path;
    let name = &path.segments.last()?.ident;
    match (&companion.qself, target::module(path)) {
        (Some(_), _) => None,
        // `Keys::make_key(self, &id)`: of a trait, perhaps, which rustc would take for a type that
        // nobody wrote.
        (None, None) if call.args.first().is_some_and(is_self) => Some(of_self(name, private)),
        (None, None) => Some(of_constant(path, name, private)),
        (None, Some(module)) => {
            let unnamed = unnamed(name, private);
            Some(quote_spanned!(name.span()=> #unnamed!(#name in #module);))
        }
    }
}

fn of_constant(companion: &Path, name: &Ident, private: &Path) -> TokenStream {
    let (mut path, constant) = (companion.clone(), constant(name));
    if let Some(last) = path.segments.last_mut() {
        *last = constant.clone().into();
    }
    let unnamed = unnamed(name, private);
    let path = path.to_token_stream();
    quote_spanned!(name.span()=> #unnamed!(#constant of #path);)
}

/// Where rustc shows that the function names a cache.
fn unnamed(name: &Ident, private: &Path) -> TokenStream {
    let private = respanned(private, name.span());
    quote_spanned!(name.span()=> #private::unnamed)
}
