//! Keys: the chain of calls that builds the text.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

use super::callsite::{Site, callsite};
use super::companion::parameters::lets;
use super::{Runtime, respanned, value};
use crate::attr::cached::Ttl;
use crate::attr::duration::Duration;
use crate::diagnostics::Reported;
use crate::function::Function;
use crate::model::{Cached, Home, OwnKey};
use crate::piece::{Form, Part, Piece};
use crate::scope::Subject;
use crate::template::Change;

/// A ttl that depends on the value or the parameters: a method of the key, and its argument.
pub(super) fn ttl(model: &Cached<'_>) -> Result<Option<(Ident, TokenStream)>, Reported> {
    let (method, argument) = match model.args.ttl.get()? {
        Some(Ttl::Of(closure)) => ("ttl_of", closure.into_token_stream()),
        Some(Ttl::Fixed(Duration::Expr(expr))) => ("ttl", expr.into_token_stream()),
        _ => return Ok(None),
    };
    Ok(Some((Ident::new(method, Span::call_site()), argument)))
}

// Output, of `key = "user:<id>", tags = ["users"]`:
//     static __CALLSITE: ..;
//     __private::key(&__CALLSITE).text("user:").part(id).done()
//         .tag(__private::tag().text("users").done())
pub(super) fn chain(
    model: &Cached<'_>,
    own: &OwnKey<'_>,
    site: Site<'_>,
    runtime: &Runtime,
    mut value: impl FnMut(&Part<'_>) -> TokenStream,
) -> Result<TokenStream, Reported> {
    let (private, function) = (&runtime.private, model.scope.function);
    let callsite = callsite(model, Some((own, site)), runtime)?;
    let pieces_of_key = match (own.pieces.split_first(), site.named(function)) {
        (Some((Piece::Origin, rest)), Some(item)) => {
            let name = function.name().to_string();
            let rest = pieces(rest, function, private, &mut value);
            quote!(.origin_in(&|| (), #name, #item) #rest)
        }
        _ => pieces(&own.pieces, function, private, &mut value),
    };
    // A closure's parameter must have a type before it is met; if it is the last thing that is
    // said, that comes from the companion's return type.
    let closures = usize::from(matches!(model.args.ttl.get()?, Some(Ttl::Of(_))))
        + usize::from(model.args.unless.is_given());
    let in_body = matches!(site, Site::Body);
    let last = !in_body && own.tags.is_empty();
    // The entries of a batch hold its values or options of them, and without a companion nothing
    // else tells which. Where there is one, its keys are of the same type.
    let told_here = in_body && (model.batch.is_some() || own.home != Home::Inline);
    let named = told_here || closures > usize::from(last);
    let turbofish = named.then(|| value::stored(model, runtime)).map(|stored| quote!(::<#stored>));
    let ttl = ttl(model)?.map(|(method, argument)| {
        // An expression sees the parameters as the companion has them.
        let lets = lets(model, own, site);
        if lets.is_empty() {
            quote!(.#method(#argument))
        } else {
            quote!(.#method({ #lets #argument }))
        }
    });
    let unless = match model.unless_of_value() {
        Some(unless) => Some(quote!(.unless(#unless))),
        None => model.args.unless.is_given().then(|| quote!(.unless_in_call())),
    };
    let tags = own.tags.iter().map(|tag| {
        let tag = pieces(tag, function, private, &mut value);
        quote!(.tag(#private::tag() #tag.done()))
    });
    Ok(quote! {
        #callsite
        #private::key #turbofish (&__CALLSITE) #pieces_of_key.done() #ttl #unless #(#tags)*
    })
}

/// The pieces of a key as calls of its builder; `value` writes what a placeholder stands for.
pub(super) fn pieces(
    pieces: &[Piece<'_>],
    function: &Function,
    private: &Path,
    mut value: impl FnMut(&Part<'_>) -> TokenStream,
) -> TokenStream {
    let calls = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => quote!(.text(#text)),
        Piece::Origin => {
            let name = function.name().to_string();
            quote!(.origin(&|| (), #name))
        }
        Piece::Part(part) => match (part.subject, part.form) {
            (Subject::Type(name), _) => quote!(.type_name::<#name>()),
            (Subject::SelfType, _) => quote!(.type_name::<Self>()),
            (_, Form::Plain) => {
                let value = changed(part, value(part), private);
                quote_spanned!(part.helper=> .part(#value))
            }
            (_, Form::Argument) => {
                let value = value(part);
                quote_spanned!(part.helper=> .argument(#value))
            }
            (_, Form::Before(next)) => {
                let value = changed(part, value(part), private);
                quote_spanned!(part.helper=> .part_before(#value, #next))
            }
            (_, Form::Hash) => {
                let value = changed(part, value(part), private);
                quote_spanned!(part.helper=> .hash(#value))
            }
        },
    });
    calls.collect()
}

// Output, of `<email:trim:lower>`:
//     &__private::Lower(&__private::Trim(email))
fn changed(part: &Part<'_>, value: TokenStream, private: &Path) -> TokenStream {
    let private = respanned(private, part.helper);
    part.changes.iter().fold(value, |value, change| {
        let change = match change {
            Change::Display => quote_spanned!(part.helper=> Displayed),
            Change::Trim => quote_spanned!(part.helper=> Trim),
            Change::Lower => quote_spanned!(part.helper=> Lower),
        };
        quote_spanned!(part.helper=> &#private::#change(#value))
    })
}
