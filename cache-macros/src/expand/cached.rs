//! `#[cached]`

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Path, Type};

use super::callsite::Site;
use super::{
    Runtime, about_as, batch, cache, callsite, catalog, companion, detached, function, handles,
    key, loader, named, placeholder, respanned, value,
};
use crate::diagnostics::Reported;
use crate::model::{Cached, Flavor, Home, Key};
use crate::types;

// Input:
//     #[cached(key = "user:<id>", ttl = 3600)]
//     async fn get_user(db: &PgPool, id: i64) -> Result<User, Error> { BODY }
//
// Output:
//     async fn get_user(db: &PgPool, id: i64) -> Result<User, Error> {
//         __private::left_out!(db, handle);
//         __private::read(get_user_key(&id))
//             .through(__private::returns!(Result<User, Error>), move || async move { BODY })
//             .await
//     }
//     fn get_user_key(id: &i64) -> Key<User> { .. }
pub(crate) fn cached(model: &Cached<'_>) -> Result<TokenStream, Reported> {
    let args = model.args;
    let runtime = Runtime::new(args.runtime.get()?);
    let private = &runtime.private;

    let mut companion = None;
    let read = |key: &TokenStream| {
        let many = model.batch.map(|batch| batch::read(&batch, key, &runtime));
        many.unwrap_or_else(|| quote!(#private::read(#key)))
    };
    let read = match model.key.as_ref().map_err(|&reported| reported)? {
        Key::Shared(key) => {
            let key = match key::ttl(model)? {
                Some((method, argument)) => {
                    let path = &runtime.path;
                    quote!(#path::Key::#method(#key, #argument))
                }
                None => key.into_token_stream(),
            };
            let (read, callsite) = (read(&key), callsite::callsite(model, None, &runtime)?);
            quote!(#read.at({ #callsite &__CALLSITE }))
        }
        Key::Own(own) => {
            if own.home != Home::Inline {
                companion = Some(companion::function(model, own, &runtime)?);
            }
            if matches!(own.home, Home::Associated | Home::Method) {
                read(&companion::call(model, own, &runtime))
            } else {
                let key = key::chain(model, own, Site::Body, &runtime, placeholder::value)?;
                read(&quote!({ #key }))
            }
        }
    };
    let cache = args.cache.get()?.map(cache);
    let when = args.when.get()?.map(|when| quote!(.when(#when)));
    let unless = args.unless.get()?.filter(|_| model.unless_of_value().is_none());
    let unless = unless.map(|unless| quote!(.unless(#unless)));

    let output = model.flavor.output();
    let returns = if model.batch.is_some() { "batched" } else { "returns" };
    let returns = about_as(output, returns, value::is_open(model).then_some("open"), private);
    // Spanned at the return type, which must be able to express that a call was rejected.
    let refuses = args.shed_after.get()?.is_some() || args.strict_values.get()?.is_some();
    let refusing = refuses.then(|| quote_spanned!(output.ty.span()=> .refusing()));
    // The return type must also be able to express absence. A batch leaves ids out instead.
    let negative = args.none_ttl.get()?.filter(|_| model.batch.is_none());
    let negative = negative.map(|_| quote_spanned!(output.ty.span()=> .negative()));
    let failing = args.stale_if_error.get()?.map(|_| quote_spanned!(output.ty.span()=> .failing()));
    let remembering = args.error_ttl.get()?.map(|ttl| {
        let (ty, span) = (&output.ty, output.ty.span());
        let private = respanned(private, span);
        let errors = quote_spanned!(span=> #private::errors!);
        quote_spanned!(span=> .remembering(|| #errors(#ty, #ttl)))
    });
    // Another function's key has its own type; the type of any other is inferred from here, as far
    // as it is open.
    let others = matches!(model.key, Ok(Key::Shared(key)) if catalog::is_of_function(key));
    let shared = others && model.batch.is_none();
    let shared = shared.then(|| quote_spanned!(output.ty.span()=> .shared()));
    let spelled = value::is_guessed(model);
    let spelled = spelled.then(|| quote_spanned!(output.ty.span()=> .spelled()));
    let returns = quote!(#returns #refusing #negative #failing #remembering #shared #spelled);
    let read = quote!(#read #cache #when #unless);
    let mut site = handles::checks(model, private)?;
    site.extend(owned(model, private));
    site.extend(catalog::cached(model, &runtime)?);
    if let Ok(Key::Shared(key)) = &model.key {
        site.extend(named::read(model, key, private));
    }
    if let Some(entry) = args.entry.get()? {
        site.extend(named::read(model, &entry.body, private));
    }
    if let Some(batch) = &model.batch {
        let function = batch::function(model, batch, &read, &returns, &site, &runtime)?;
        return Ok(quote!(#function #companion));
    }
    if model.is_detached() {
        let function = detached::function(model, &quote!(#site #read), &returns, private);
        return Ok(quote!(#function #companion));
    }
    let through = if model.is_by_age() { quote!(by_age) } else { quote!(through) };
    let load = loader(model.scope.function, &model.flavor);
    let call = quote!(#read.#through(#returns, #load));
    let function = function(model.scope.function, &model.flavor, &site, &call);
    Ok(quote!(#function #companion))
}

// Output, of `-> Result<Title, Error>`:
//     __private::owned!(Title);
/// Shows the compiler what is stored where no reference is around that a lifetime which is not
/// written could be of.
fn owned(model: &Cached<'_>, private: &Path) -> Option<TokenStream> {
    let ty = model.stored();
    let told = types::is_opaque(ty) || types::borrows(ty) || matches!(ty, Type::Infer(_));
    let hides = matches!(model.flavor, Flavor::Async(_)) && !told;
    hides.then(|| quote!(#private::owned!(#ty);))
}
