//! Keys: the chain of calls that builds the text.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprClosure, Path, ReturnType};

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
    let told = model.args.tags.get()?.and_then(|tags| tags.of_value.as_ref());
    // A closure's parameter must have a type before it is met; if it is the last thing that is
    // said, that comes from the companion's return type.
    let closures = usize::from(matches!(model.args.ttl.get()?, Some(Ttl::Of(_))))
        + usize::from(model.args.unless.is_given())
        + usize::from(told.is_some())
        + usize::from(model.args.entry.is_given());
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
    let told = told.map(|closure| self::told(closure, private));
    let entry = model.args.entry.get()?.map(|closure| entry(closure, private));
    let tags = own.tags.iter().map(|tag| {
        let tag = pieces(tag, function, private, &mut value);
        quote!(.tag(#private::tag() #tag.done()))
    });
    Ok(quote! {
        #callsite
        #private::key #turbofish (&__CALLSITE) #pieces_of_key.done() #ttl #unless #told #entry
            #(#tags)*
    })
}

// Output, of `tags = |page: &Page| page.rows.iter().map(|row| tag!("row:<row.id>"))`:
//     .tags_of(|page: &Page| __private::told(page.rows.iter().map(..)))
/// They are collected inside of the closure, which may return what borrows the value.
fn told(closure: &ExprClosure, private: &Path) -> TokenStream {
    let body = &closure.body;
    let of = match &closure.output {
        ReturnType::Type(_, ty) => Some(quote!(::<#ty>)),
        ReturnType::Default => None,
    };
    let told = respanned(private, body.span());
    let body = quote_spanned!(body.span()=> #told::told #of (#body));
    let closure = ExprClosure {
        output: ReturnType::Default,
        body: Box::new(Expr::Verbatim(body)),
        ..closure.clone()
    };
    quote_spanned!(closure.span()=> .tags_of(#closure))
}

// Output, of `entry = |user: &User| get_user_key(&user.id)`:
//     .entry_of(|value| __private::entry(value, |user: &User| get_user_key(&user.id)))
/// The function may store options of what the closure takes.
fn entry(closure: &ExprClosure, private: &Path) -> TokenStream {
    let private = respanned(private, closure.body.span());
    let value = Ident::new("value", Span::mixed_site());
    let entry = quote_spanned!(closure.body.span()=> #private::entry);
    quote_spanned!(closure.span()=> .entry_of(|#value| #entry(#value, #closure)))
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
        Piece::Part(part) => self::part(part, private, &mut value),
    });
    calls.collect()
}

/// A placeholder as a call of the builder.
pub(super) fn part(
    part: &Part<'_>,
    private: &Path,
    mut value: impl FnMut(&Part<'_>) -> TokenStream,
) -> TokenStream {
    match (part.subject, part.form) {
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
    }
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
