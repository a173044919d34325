//! `save_views_queue()`: the queue in front of the sink.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote};
use syn::Path;

use super::{companion, kept, link};
use crate::attr::List;
use crate::attr::put::Put;
use crate::attr::write_behind::{Merge, WhenUnavailable};
use crate::diagnostics::Reported;
use crate::expand::arguments::{InPlace, reference};
use crate::expand::settings::settings;
use crate::expand::target::of_function;
use crate::expand::{Runtime, cache, callsite, catalog, key, named, placeholder};
use crate::model::{ItemKey, WriteBehind};
use crate::piece::{Part, ident};
use crate::syntax;

// Output:
//     #[doc = "The queue in front of [`save_views`]."]
//     pub fn save_views_queue() -> Queue<PageView> {
//         use __private::Uncompared as _;
//         static __SITE: __private::QueueSite =
//             __private::QueueSite::new(concat!(module_path!(), "::save_views"), "page-views")
//                 .batch(500);
//         __private::queue(&__SITE).compared().key(|view, key| key.part(&view.page)).done()
//     }
pub(super) fn queue(model: &WriteBehind<'_>, runtime: &Runtime) -> Result<TokenStream, Reported> {
    let Runtime { path, private } = runtime;
    let function = model.scope.function;
    let (vis, kept) = (&function.vis, kept(&function.attrs));
    let name = companion(model, "queue");
    let doc = format!("The queue in front of {}.", link(model, &function.name()));
    let item = model.batch.as_ref().map(|batch| batch.item);

    let site = site(model, runtime)?;
    let key = model.key.as_ref().map_err(|&reported| reported)?.as_ref();
    let calls = key.map(|key| of_key(key, model, runtime)).transpose()?;
    let cache = model.args.cache.get()?.map(cache);
    let listed = catalog::sink(model, private);
    let puts = model.args.puts.iter().flatten().flatten().filter(|_| !model.args.cache.is_given());
    let asked = puts.filter_map(|put| named::of_function(&put.target, private));
    Ok(quote! {
        #(#kept)*
        #[doc = #doc]
        #[allow(dead_code)]
        #vis fn #name() -> #path::Queue<#item> {
            #[allow(unused_imports)]
            use #private::Uncompared as _;
            #site
            #listed
            #(#asked)*
            #private::queue::<#item>(&__SITE).compared() #calls #cache.done()
        }
    })
}

/// What the attribute says about the queue, as a static.
fn site(model: &WriteBehind<'_>, runtime: &Runtime) -> Result<TokenStream, Reported> {
    let Runtime { path, private } = runtime;
    let args = model.args;
    let function = callsite::origin(model.scope.function, "", private);
    let queue = args.queue.get()?;
    let keep_all = match args.merge.get()? {
        Some(Merge::None) => Some(quote!(.keep_all())),
        Some(Merge::By(_)) | None => None,
    };
    let unavailable = match args.on_unavailable.get()? {
        Some(WhenUnavailable::Error) => Some(quote!(.unavailable_is_error())),
        Some(WhenUnavailable::Direct) | None => None,
    };
    let settings = settings(args, path)?;
    Ok(quote! {
        static __SITE: #private::QueueSite = #private::QueueSite::new(#function, #queue)
            #settings #keep_all #unavailable;
    })
}

// Output, of `key = "<view.page>", merge = PageView::add, put(get_views(view.page) = view.count)`:
//     .key(|view, key| key.part(&view.page))
//     .merge(|older, newer| __private::merge(PageView::add, older, newer))
//     .put(|view, puts| {
//         puts.put(
//             &__private::through!(get_views_key(&view.page)),
//             |entry| entry.store(&view.count),
//         );
//     })
fn of_key(
    of: &ItemKey<'_>,
    model: &WriteBehind<'_>,
    runtime: &Runtime,
) -> Result<TokenStream, Reported> {
    let private = &runtime.private;
    let item = ident(of.item, of.span);
    let text = Ident::new("key", Span::mixed_site());
    let pieces = key::pieces(&of.pieces, model.scope.function, private, |part| value(part, &item));
    let merge = match model.args.merge.get()? {
        Some(Merge::By(merge)) => {
            let [older, newer] =
                ["older", "newer"].map(|name| Ident::new(name, Span::mixed_site()));
            Some(quote!(.merge(|#older, #newer| #private::merge(#merge, #older, #newer))))
        }
        Some(Merge::None) | None => None,
    };
    let puts = puts(&model.args.puts, of.item, private)?;
    Ok(quote!(.key(|#item, #text| #text #pieces) #merge #puts))
}

/// What a placeholder stands for, where the item is a reference already.
fn value(part: &Part<'_>, item: &Ident) -> TokenStream {
    if part.fields.is_empty() { item.to_token_stream() } else { placeholder::value(part) }
}

fn puts(
    given: &List<Vec<Put>>,
    item: &str,
    private: &Path,
) -> Result<Option<TokenStream>, Reported> {
    let [puts, entry] = ["puts", "entry"].map(|name| Ident::new(name, Span::mixed_site()));
    // As the user wrote it. Where it is not used it must not have a name.
    let mut used = None;
    let mut calls = Vec::new();
    for together in given.iter() {
        for Put { target, value } in together.as_ref().map_err(|&reported| reported)? {
            let mentioned =
                || syntax::mention(target, item).or_else(|| syntax::mention(value, item));
            used = used.or_else(mentioned);
            let key = of_function(target, &mut InPlace, private);
            let value = reference(value.clone());
            calls.push(quote!(#puts.put(&#private::through!(#key), |#entry| #entry.store(#value))));
        }
    }
    let item = used.map_or_else(|| quote!(_), Ident::into_token_stream);
    Ok(match calls.as_slice() {
        [] => None,
        calls => Some(quote!(.put(|#item, #puts| { #(#calls;)* }))),
    })
}
