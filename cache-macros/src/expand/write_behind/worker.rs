//! `save_views_worker(db)`: what calls the sink.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Path, ReturnType};

use super::{companion, in_scope, kept, link};
use crate::diagnostics::Reported;
use crate::expand::{Runtime, end, respanned};
use crate::model::{Form, Kept, WriteBehind};

// Output:
//     #[doc = "A worker that hands [`save_views`] what is in its queue."]
//     pub fn save_views_worker(db: impl Own<PgPool>) -> Worker {
//         __private::worker::<PageView, _, _, _>(
//             save_views_queue(),
//             (Own::own(db),),
//             |(db,), views| async move { save_views(&db, views.into_items()).await },
//         )
//     }
//
// With `error_kind = kind_of` the sink is called by `__private::classified(save_views(..).await,
// kind_of)`.
pub(super) fn worker(model: &WriteBehind<'_>, runtime: &Runtime) -> Result<TokenStream, Reported> {
    let Runtime { path, private } = runtime;
    let function = model.scope.function;
    let (vis, kept) = (&function.vis, kept(&function.attrs));
    let name = companion(model, "worker");
    let doc =
        format!("A worker that hands {} what is in its queue.", link(model, &function.name()));

    let arguments = || model.environment.iter().filter_map(Argument::of);
    let declared = arguments().map(|it| it.declared(path));
    let owned = arguments().map(|it| it.owned(path));
    let names = arguments().map(|it| it.name);
    let lent = arguments().map(|it| it.lent());

    let queue = in_scope(model, companion(model, "queue"));
    let sink = in_scope(model, at(&function.sig.ident, Span::call_site()));
    let batch = model.batch.as_ref().and_then(|batch| batch.name);
    let batch = batch.map_or_else(|| Ident::new("__batch", Span::mixed_site()), local);
    let into_items = model.batch.as_ref().filter(|batch| batch.form == Form::Items);
    let into_items = into_items.map(|_| quote!(.into_items()));
    let make = worker_of_sink(model, private);
    let call = quote!(#sink(#(#lent,)* #batch #into_items).await);
    let call = match model.args.error_kind.get()? {
        Some(kind) => quote!(#private::classified(#call, #kind)),
        None => call,
    };
    Ok(quote! {
        #(#kept)*
        #[doc = #doc]
        #[allow(dead_code)]
        #vis fn #name(#(#declared),*) -> #path::Worker {
            #make(
                #queue(),
                (#(#owned,)*),
                |(#(#names,)*), #batch| async move { #call },
            )
        }
    })
}

/// `__private::worker::<PageView, _, _, _>`: rustc underlines the item's type, the parameters or
/// the arrow, if the item, what is to be kept, or the return type will not do.
fn worker_of_sink(model: &WriteBehind<'_>, private: &Path) -> TokenStream {
    let sig = &model.scope.function.sig;
    let item = model.batch.as_ref().map(|batch| batch.item);
    let environment = quote_spanned!(sig.paren_token.span.join()=> _);
    let delivery = match &sig.output {
        ReturnType::Type(arrow, _) => quote_spanned!(arrow.span()=> _),
        ReturnType::Default => quote!(_),
    };
    quote!(#private::worker::<#item, #environment, _, #delivery>)
}

/// An argument of the sink that the worker keeps.
struct Argument<'a> {
    name: Ident,
    kept: &'a Kept<'a>,
}

impl<'a> Argument<'a> {
    /// `None` for what `check` refuses.
    fn of(kept: &'a Kept<'a>) -> Option<Self> {
        kept.name.map(|name| Self { name: local(name), kept })
    }

    /// `db: impl Own<PgPool>` for `db: &PgPool`, from the colon to the end of the type.
    fn declared(&self, runtime: &Path) -> TokenStream {
        let Self { name, kept } = self;
        let ty = kept.referent.unwrap_or(kept.ty);
        if kept.referent.is_none() {
            return quote!(#name: #ty);
        }
        let runtime = respanned(runtime, kept.colon);
        let own = quote_spanned!(kept.colon=> impl #runtime::__private::Own);
        let close = quote_spanned!(end(ty)=> >);
        quote!(#name: #own<#ty #close)
    }

    /// What the worker keeps of it.
    fn owned(&self, runtime: &Path) -> TokenStream {
        let name = &self.name;
        if self.kept.referent.is_some() {
            quote!(#runtime::__private::Own::own(#name))
        } else {
            quote!(#name)
        }
    }

    /// What the sink is given.
    fn lent(&self) -> TokenStream {
        let name = &self.name;
        if self.kept.referent.is_some() { quote!(&#name) } else { quote!(#name) }
    }
}

/// A parameter's name where nothing else that the user wrote can be meant by it.
fn local(name: &Ident) -> Ident {
    at(name, Span::mixed_site())
}

fn at(name: &Ident, span: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(span);
    name
}
