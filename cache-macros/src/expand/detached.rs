//! A function whose body may run in the background, after the call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{FnArg, Pat, Path, Signature, Type};

use super::{body_behind, respanned};
use crate::function::Function;
use crate::model::Cached;
use crate::{syntax, types};

// Input:
//     #[cached(key = "user:<id>", ttl = 3600, stale_while_revalidate = 600)]
//     async fn get_user(db: &PgPool, id: i64) -> Result<User, Error> { BODY }
//
// Output:
//     async fn get_user(db: &PgPool, id: i64) -> Result<User, Error> {
//         async fn __get_user_body(db: &PgPool, id: i64) -> Result<User, Error> { BODY }
//         __private::read(get_user_key(&id))
//             .detached(
//                 __private::returns!(Result<User, Error>),
//                 (db, id),
//                 |(own_db, own_id)| {
//                     let (own_db, own_id) =
//                         (__private::detach_lent(own_db), __private::detach(own_id));
//                     async move { __get_user_body(&own_db, own_id).await }
//                 },
//                 |(own_db, own_id)| __get_user_body(own_db, own_id),
//             )
//             .await
//     }
//
// In an `impl` block `__get_user_body` stands beside the function, and is called
// `Self::__get_user_body`.
pub(super) fn function(
    model: &Cached<'_>,
    read: &TokenStream,
    returns: &TokenStream,
    private: &Path,
) -> TokenStream {
    let function = model.scope.function;
    let name = format_ident!("__{}_body", function.sig.ident.unraw(), span = Span::call_site());
    let body = body(function, &name);
    let (inside, beside, path) = if model.scope.in_impl() {
        let kept = function.attrs.iter();
        let kept = kept.filter(|it| it.path().is_ident("cfg") || it.path().is_ident("allow"));
        (None, Some(quote!(#(#kept)* #[doc(hidden)] #body)), quote!(Self::#name))
    } else {
        (Some(body), None, quote!(#name))
    };

    let arguments: Vec<_> = function.sig.inputs.iter().map(Argument::new).collect();
    let given = arguments.iter().map(|it| &it.given);
    let names: Vec<_> = arguments.iter().map(|it| &it.name).collect();
    let copies = arguments.iter().map(|it| it.copy(private));
    let lent = arguments.iter().map(Argument::lent);
    let Function { attrs, vis, .. } = function;
    let sig = plain(&function.sig);
    quote! {
        #(#attrs)*
        #vis #sig {
            #inside
            #read
                .detached(
                    #returns,
                    (#(#given,)*),
                    |(#(#names,)*)| {
                        let (#(#names,)*) = (#(#copies,)*);
                        async move { #path(#(#lent),*).await }
                    },
                    |(#(#names,)*)| #path(#(#names),*),
                )
                .await
        }
        #beside
    }
}

/// The body in a function of its own, so that it can run with arguments of the call and with
/// others.
fn body(function: &Function, name: &Ident) -> TokenStream {
    let Function { sig, inner_attrs, .. } = function;
    let sig = Signature { ident: name.clone(), ..sig.clone() };
    // Those that only the key is made of are used, too.
    let names = sig.inputs.iter().map(|input| Argument::new(input).given);
    let body = body_behind(&quote!(#(#inner_attrs)* let _ = (#(&#names,)*);), function);
    // What is said of the signature is said of the user's own function.
    quote! {
        #[allow(
            clippy::needless_pass_by_value,
            clippy::ptr_arg,
            clippy::too_many_arguments,
            clippy::trivially_copy_pass_by_ref,
            clippy::unused_async,
            clippy::unused_self
        )]
        #sig #body
    }
}

/// The signature without `mut`, which the body alone has a use for.
fn plain(sig: &Signature) -> Signature {
    let mut sig = sig.clone();
    for input in &mut sig.inputs {
        match input {
            FnArg::Receiver(receiver) => receiver.mutability = None,
            FnArg::Typed(input) => {
                if let Pat::Ident(pat) = &mut *input.pat {
                    pat.mutability = None;
                }
            }
        }
    }
    sig
}

/// Where a name of the expansion stands: rustc reports it there, and suggests nothing that the
/// user cannot do.
fn own(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// One of the function's arguments.
struct Argument {
    /// What the function calls it.
    given: TokenStream,
    /// What a closure can call it.
    name: Ident,
    ty: Type,
}

impl Argument {
    fn new(input: &FnArg) -> Self {
        match input {
            FnArg::Receiver(receiver) => {
                let name = Ident::new("this", own(receiver.self_token.span));
                let ty = syntax::receiver_type(receiver);
                Self { given: receiver.self_token.to_token_stream(), name, ty }
            }
            FnArg::Typed(input) => {
                let (given, name) = match &*input.pat {
                    Pat::Ident(pat) => (pat.ident.to_token_stream(), pat.ident.clone()),
                    // Refused by `check`.
                    pat => (pat.to_token_stream(), Ident::new("argument", Span::call_site())),
                };
                let name = Ident::new(&format!("own_{}", name.unraw()), own(name.span()));
                Self { given, name, ty: (*input.ty).clone() }
            }
        }
    }

    /// A copy for the background, made of a reference to the argument. rustc reports at the
    /// argument what it lacks.
    fn copy(&self, private: &Path) -> TokenStream {
        let (name, span) = (&self.name, self.name.span());
        let private = respanned(private, span);
        if self.is_lent() {
            quote_spanned!(span=> #private::detach_lent(#name))
        } else {
            quote_spanned!(span=> #private::detach(#name))
        }
    }

    /// The copy as the body takes it.
    fn lent(&self) -> TokenStream {
        let name = &self.name;
        if self.is_lent() { quote!(&#name) } else { name.to_token_stream() }
    }

    /// A reference that the background has to replace.
    fn is_lent(&self) -> bool {
        types::referent(&self.ty).is_some()
    }
}
