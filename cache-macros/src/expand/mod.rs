//! Generates code from a checked model. No rules here, and no logic in the generated code, which
//! only calls the runtime.

mod arguments;
mod batch;
mod before;
mod cached;
mod callsite;
mod catalog;
mod companion;
mod detached;
mod generics;
mod handles;
mod invalidates;
mod key;
mod named;
mod placeholder;
mod settings;
mod shape;
mod tag;
mod target;
#[cfg(test)]
mod tests;
mod value;
mod write_behind;
mod write_through;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Expr, Path, Type, parse_quote};

pub(crate) use self::cached::cached;
pub(crate) use self::invalidates::invalidates;
pub(crate) use self::tag::{TagCall, tag};
pub(crate) use self::write_behind::write_behind;
pub(crate) use self::write_through::write_through;
use crate::function::Function;
use crate::model::{Flavor, Output};
use crate::syntax;

/// The path of `cache_runtime`, and of the module that expansions may use.
struct Runtime {
    path: Path,
    private: Path,
}

impl Runtime {
    fn new(given: Option<&Path>) -> Self {
        let path = given.cloned().unwrap_or_else(|| parse_quote!(::cache_runtime));
        let private = parse_quote!(#path::__private);
        Self { path, private }
    }
}

// Input:
//     /// Doc.
//     #[instrument]
//     pub async fn get_user(id: i64) -> User { #![allow(..)] BODY }
//
// Output:
//     /// Doc.
//     #[instrument]
//     pub async fn get_user(id: i64) -> User {
//         #![allow(..)]
//         LETS
//         CALL.await
//     }
fn function(
    function: &Function,
    flavor: &Flavor<'_>,
    lets: &TokenStream,
    call: &TokenStream,
) -> TokenStream {
    let Function { attrs, vis, sig, inner_attrs, .. } = function;
    let body = match flavor {
        Flavor::Async(_) => quote!(#lets #call.await),
        Flavor::Boxed { boxed, .. } => quote!(#boxed::pin(async move { #lets #call.await })),
    };
    quote! {
        #(#attrs)*
        #vis #sig {
            #(#inner_attrs)*
            #body
        }
    }
}

// Output, for an async fn:
//     move || async move {
//         if false { let edge: Result<User, Error> = loop {}; return edge; }
//         BODY
//     }
//
// Output, for what `#[async_trait]` makes of one:
//     move || -> Pin<Box<dyn Future<Output = Result<User, Error>> + Send + 'async_trait>> { BODY }
fn loader(function: &Function, flavor: &Flavor<'_>) -> TokenStream {
    match flavor {
        Flavor::Async(output) => {
            let body = body_behind(&edge(output), function);
            quote!(move || async move #body)
        }
        Flavor::Boxed { returns, .. } => {
            let body = in_braces(function, function.body.clone());
            quote!(move || -> #returns #body)
        }
    }
}

/// BODY behind statements of ours.
///
/// They go inside the user's braces, since rustc would call a second pair around those unnecessary.
/// Only if the body begins with an item does it keep a pair of its own, since Clippy would
/// otherwise find an item after statements.
fn body_behind(statements: &TokenStream, function: &Function) -> TokenStream {
    let body = &function.body;
    if body.is_empty() || syntax::begins_with_item(body) {
        let body = in_braces(function, body.clone());
        quote!({ #statements #body })
    } else {
        in_braces(function, quote!(#statements #body)).into_token_stream()
    }
}

/// The user's own braces, where rustc shows a mismatched return type.
fn in_braces(function: &Function, inside: TokenStream) -> Group {
    enclosed(Delimiter::Brace, inside, function.brace.span.join())
}

/// Tells `return`, `?` and coercions in the body the return type, which an async block cannot
/// declare.
fn edge(output: &Output) -> TokenStream {
    let ty = syntax::without_impl(&output.ty);
    let edge = Ident::new("edge", Span::mixed_site());
    quote! {
        #[allow(unreachable_code)]
        if false {
            let #edge: #ty = loop {};
            return #edge;
        }
    }
}

/// `name!(Type)`: lets the runtime find out what the function returns.
///
/// Its span reaches from the arrow to the end of the type, so that rustc underlines exactly that if
/// the type is unsuitable.
fn about(output: &Output, name: &str, private: &Path) -> TokenStream {
    about_as(output, name, None, private)
}

/// `name!(Type as word)`, where the macro knows more about the type than its tokens tell.
fn about_as(output: &Output, name: &str, word: Option<&str>, private: &Path) -> TokenStream {
    let ty = syntax::without_impl(&output.ty);
    let name = Ident::new(name, output.arrow);
    let word = if matches!(ty, Type::Infer(_)) { Some("plain") } else { word };
    let word = word.map(|word| Ident::new(word, output.arrow));
    let arguments = word.map_or_else(|| quote!(#ty), |word| quote!(#ty as #word));
    let arguments = enclosed(Delimiter::Parenthesis, arguments, end(&output.ty));
    let private = respanned(private, output.arrow);
    let call = quote_spanned!(output.arrow=> #private::#name!);
    quote!(#call #arguments)
}

/// Where the last token of a type stands.
fn end(ty: &Type) -> Span {
    let last = ty.to_token_stream().into_iter().last();
    last.map_or_else(Span::call_site, |last| last.span())
}

/// `tokens` in delimiters that stand at `span`.
fn enclosed(delimiter: Delimiter, tokens: TokenStream, span: Span) -> Group {
    let mut group = Group::new(delimiter, tokens);
    group.set_span(span);
    group
}

/// The path, every token of it at `span`.
fn respanned(path: &Path, span: Span) -> TokenStream {
    let at_span = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    path.to_token_stream().into_iter().map(at_span).collect()
}

/// `.cache(&cache)`: if the expression is not a cache, rustc points at it.
fn cache(cache: &Expr) -> TokenStream {
    let cache = arguments::reference(cache.clone());
    quote!(.cache(#cache))
}
