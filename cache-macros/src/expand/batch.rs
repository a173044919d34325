//! `#[cached(batch(id in ids), ..)]`

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{PatIdent, Type};

use super::{Runtime, body_behind, edge, placeholder};
use crate::diagnostics::Reported;
use crate::model::{Batch, Cached};
use crate::parameter::Parameter;
use crate::syntax;

// Input:
//     #[cached(batch(id in ids), key = get_user_key(id), ..)]
//     async fn get_users(db: &PgPool, ids: &[i64]) -> Result<HashMap<i64, User>, Error> { BODY }
//
// Output:
//     __private::read_many(ids, |id| get_user_key(id))
pub(super) fn read(batch: &Batch<'_>, key: &TokenStream, runtime: &Runtime) -> TokenStream {
    let private = &runtime.private;
    let (word, item) = (batch.word, batch.item.name);
    let items = placeholder::reference(batch.items, batch.items.name.span());
    // Its span is where rustc points if the collection is unsuitable.
    let read = quote_spanned!(word.span()=> #private::read_many);
    quote!(#read(#items, |#item| #key))
}

// Output:
//     async fn get_users(db: &PgPool, ids: &[i64]) -> Result<HashMap<i64, User>, Error> {
//         READ.negative().in_chunks(500, 2).through(RETURNS, move |missing| ..).await
//     }
pub(super) fn function(
    model: &Cached<'_>,
    batch: &Batch<'_>,
    read: &TokenStream,
    returns: &TokenStream,
    site: &TokenStream,
    runtime: &Runtime,
) -> Result<TokenStream, Reported> {
    // The entries must be able to record absence.
    let negative = quote_spanned!(batch.word.span()=> .negative());
    let negative = model.args.none_ttl.get()?.map(|_| negative);
    let chunks = batch.chunks.map(|(chunk, concurrent)| {
        let [chunk, concurrent] = [chunk, concurrent].map(Literal::u32_unsuffixed);
        quote!(.in_chunks(#chunk, #concurrent))
    });
    let load = loader(model, batch, runtime);
    let call = quote!(#read #negative #chunks.through(#returns, #load));
    // The body runs on copies of the parameters, and those are `mut`.
    let mut function = model.scope.function.clone();
    Unmut.visit_signature_mut(&mut function.sig);
    Ok(super::function(&function, &model.flavor, site, &call))
}

// Output:
//     move |missing| {
//         let pool = __private::again(&pool);
//         async move {
//             let ids: &[i64] = &missing;
//             if false { .. }
//             BODY
//         }
//     }
fn loader(model: &Cached<'_>, batch: &Batch<'_>, runtime: &Runtime) -> TokenStream {
    let function = model.scope.function;
    let private = &runtime.private;

    let others = model.scope.parameters.iter().filter(|it| it.name != batch.items.name);
    let own = others.filter(|it| !is_shared(it) || it.is_mut);
    let copies = own.map(|parameter| {
        let (name, mutable) = (parameter.name, mutability(parameter));
        let span = parameter.ty.map_or_else(|| name.span(), Type::span);
        let copy = quote_spanned!(span=> #private::again(&#name));
        quote! {
            #[allow(unused_variables)]
            let #mutable #name = #copy;
        }
    });
    let copies: TokenStream = copies.collect();

    let missing = Ident::new("missing", Span::mixed_site());
    let lifetimes = function.sig.generics.lifetimes();
    let lifetimes: Vec<_> = lifetimes.map(|parameter| &parameter.lifetime.ident).collect();
    let ty = syntax::without_lifetimes(batch.ty, &lifetimes);
    let (ids, mutable) = (batch.items.name, mutability(&batch.items));
    let borrow = matches!(syntax::peel(batch.ty), Type::Reference(_)).then(|| quote!(&));
    let edge = edge(model.flavor.output());
    let statements = quote! {
        #[allow(unused_variables)]
        let #mutable #ids: #ty = #borrow #missing;
        #edge
    };
    let body = body_behind(&statements, function);
    quote! {
        move |#missing| {
            #copies
            async move #body
        }
    }
}

fn mutability(parameter: &Parameter<'_>) -> Option<TokenStream> {
    parameter.is_mut.then(|| quote!(mut))
}

/// Whether all runs of the body can share it.
fn is_shared(parameter: &Parameter<'_>) -> bool {
    matches!(parameter.ty.map(syntax::peel), Some(Type::Reference(_)))
}

struct Unmut;

impl VisitMut for Unmut {
    fn visit_pat_ident_mut(&mut self, pat: &mut PatIdent) {
        pat.mutability = None;
        visit_mut::visit_pat_ident_mut(self, pat);
    }
}
