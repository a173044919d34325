//! `#[invalidates]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned as _;

use super::arguments::{After, Arguments, InPlace, OfItem, Saved};
use super::before::Before;
use super::settings::duration;
use super::{Runtime, about, cache, callsite, catalog, function, key, loader, named, target};
use crate::attr::each::Each;
use crate::attr::invalidates::Fence;
use crate::diagnostics::Reported;
use crate::model::{Invalidated, Invalidates, What};
use crate::piece::Piece;

// Input:
//     #[invalidates(get_user(id))]
//     async fn rename_user(db: &PgPool, id: i64, name: &str) -> Result<(), Error> { BODY }
//
// Output:
//     async fn rename_user(db: &PgPool, id: i64, name: &str) -> Result<(), Error> {
//         __private::write()
//             .at({ static __CALLSITE: __private::Callsite = ..; &__CALLSITE })
//             .invalidate(get_user_key(&id))
//             .run(__private::outcome!(Result<(), Error>), move || async move { BODY })
//             .await
//     }
pub(crate) fn invalidates(model: &Invalidates<'_>) -> Result<TokenStream, Reported> {
    let runtime = Runtime::new(model.args.runtime.get()?);
    let private = &runtime.private;
    let begin = Begin::new(model, private)?;
    let (reads, write) = begin.finish(model, private)?;
    let after = begin.after;
    let outcome = outcome(model, private)?;
    let load = loader(model.scope.function, &model.flavor);
    let call = match after.closure() {
        None => quote!(#write.run(#outcome, #load)),
        Some(then) => quote!(#write.run_then(#outcome, #load, #then)),
    };
    let mut lets = catalog::write("invalidates", model, &[], private);
    lets.extend(named::write(model, &[], private));
    lets.extend(after.saved.lets);
    lets.extend(reads);
    Ok(function(model.scope.function, &model.flavor, &lets, &call))
}

/// The beginning of a write.
pub(super) struct Begin {
    /// The call with its options and the targets that are known at once.
    pub(super) write: TokenStream,
    /// The targets that are known when `before` was read.
    before: Before,
    /// Those that are known after the body.
    pub(super) after: Then,
}

impl Begin {
    pub(super) fn new(model: &Invalidates<'_>, private: &Path) -> Result<Self, Reported> {
        let args = model.args;
        let mut known = TokenStream::new();
        let (mut before, mut after) = (Before::default(), Then::default());
        for target in &model.targets {
            let target = target.as_ref().map_err(|&reported| reported)?;
            if let Some(result) = &target.result {
                after.push(target, result, model, private);
                continue;
            }
            let call = invalidate(&target.what, model, private, &mut InPlace);
            match &target.before {
                Some(name) => before.push(name, &targets(), &call),
                None => known.extend(call),
            }
        }
        let fence = args.fence.get()?.copied().unwrap_or_default();
        let fence_off = (fence == Fence::Off).then(|| quote!(.fence_off()));
        let hold_off = args.hold_off.get()?.map(|hold_off| duration("hold_off", hold_off));
        let only_ok = args.only_ok.get()?.map(|()| quote!(.only_ok()));
        let in_transaction = args.in_transaction.get()?.map(|()| quote!(.in_transaction()));
        let cache = args.cache.get()?.map(cache);
        let site = site(model, private);
        let options = quote!(#site #cache #fence_off #hold_off #only_ok #in_transaction);
        let write = quote!(#private::write() #options #known);
        Ok(Self { write, before, after })
    }

    /// What is done before the body, and the write then.
    pub(super) fn finish(
        &self,
        model: &Invalidates<'_>,
        private: &Path,
    ) -> Result<(TokenStream, TokenStream), Reported> {
        Ok(match model.args.before.get()? {
            Some(read) => self.before.around(read, &self.write, &targets(), private),
            None => (TokenStream::new(), self.write.clone()),
        })
    }
}

// Output:
//     .at({
//         static __CALLSITE: __private::Callsite =
//             __private::Callsite::new(concat!(module_path!(), "::rename_user"), "");
//         &__CALLSITE
//     })
fn site(model: &Invalidates<'_>, private: &Path) -> TokenStream {
    let name = callsite::origin(model.scope.function, "", private);
    quote! {
        .at({
            static __CALLSITE: #private::Callsite = #private::Callsite::new(#name, "");
            &__CALLSITE
        })
    }
}

/// What the runtime is to know of the return type.
pub(super) fn outcome(model: &Invalidates<'_>, private: &Path) -> Result<TokenStream, Reported> {
    let strict = model.args.fence.get()? == Some(&Fence::Strict);
    let name = if strict { "strict" } else { "outcome" };
    let outcome = about(model.flavor.output(), name, private);
    let in_doubt = model.args.in_doubt.get()?;
    let in_doubt = in_doubt.map(|of| quote_spanned!(of.span()=> .in_doubt(#of)));
    Ok(quote!(#outcome #in_doubt))
}

// Input:
//     get_user(id)
//     key = "user:<id>"
//     tag = "org:<org>"
//     each(id in ids) get_user(id)
//     keep_stale(list_users(org))
//
// Output:
//     .invalidate(get_user_key(&id))
//     .key(__private::template().text("user:").part(&id))
//     .tag(__private::tag().text("org:").part(&org).done())
//     .each(&ids, |id, targets| { targets.invalidate(get_user_key(id)); })
//     .keep_stale(|targets| { targets.invalidate(list_users_key(&org)); })
fn invalidate(
    what: &What<'_>,
    model: &Invalidates<'_>,
    private: &Path,
    arguments: &mut dyn Arguments,
) -> TokenStream {
    let mut chain = |pieces: &[Piece<'_>]| {
        key::pieces(pieces, model.scope.function, private, |it| arguments.value(it))
    };
    match what {
        What::Key(key) => quote!(.invalidate(#key)),
        What::Template(pieces) => {
            let key = chain(pieces);
            quote!(.key(#private::template() #key))
        }
        What::TagExpr(tag) => quote!(.tag(#tag)),
        What::Tag(pieces) => {
            let tag = chain(pieces);
            quote!(.tag(#private::tag() #tag.done()))
        }
        What::Pattern(pieces) => {
            let pattern = chain(pieces);
            quote!(.pattern(#private::template() #pattern))
        }
        What::Function(call) => {
            let key = target::of_function(call, arguments, private);
            quote!(.invalidate(#key))
        }
        What::Method(call) => {
            let key = target::of_method(call, arguments, private);
            quote!(.invalidate(#key))
        }
        What::Each(each, what) => {
            let Each { word, item, items } = each;
            let items = arguments.items(items, model);
            let call = invalidate(what, model, private, &mut OfItem { item, others: arguments });
            let targets = targets();
            quote!(.#word(#items, |#item, #targets| { #targets #call; }))
        }
        What::KeptStale(_, what) => {
            let call = invalidate(what, model, private, arguments);
            let targets = targets();
            quote!(.keep_stale(|#targets| { #targets #call; }))
        }
    }
}

// Output, of `get_user(org, result.id)`:
//     let saved_0 = __private::kept(&org);
//     ..
//     move |result, targets| {
//         targets.invalidate(get_user_key(&saved_0, &result.id));
//     }
#[derive(Default)]
pub(super) struct Then {
    result: Option<Ident>,
    pub(super) saved: Saved,
    calls: TokenStream,
}

impl Then {
    fn push(
        &mut self,
        target: &Invalidated<'_>,
        result: &Ident,
        model: &Invalidates<'_>,
        private: &Path,
    ) {
        self.result.get_or_insert_with(|| result.clone());
        let mut after = After { saved: &mut self.saved, private };
        let call = invalidate(&target.what, model, private, &mut after);
        let targets = targets();
        self.calls.extend(quote!(#targets #call;));
    }

    pub(super) fn closure(&self) -> Option<TokenStream> {
        let Self { result, calls, .. } = self;
        let targets = targets();
        result.as_ref().map(|result| quote!(move |#result, #targets| { #calls }))
    }
}

fn targets() -> Ident {
    Ident::new("targets", Span::mixed_site())
}
