//! The entry of a function in the catalogue. It is always emitted; the runtime discards it without
//! the feature.

mod target;

use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::{Expr, LitStr, Path};

use self::target::{calls, companion, of_function, of_key, of_name, target_of};
pub(super) use self::target::{is_of_function, is_of_keys};
use super::settings::duration;
use super::shape::{described, shape};
use super::{Runtime, callsite, value};
use crate::attr::cached::{Companion, Ttl};
use crate::attr::duration::Duration;
use crate::attr::tags::Tags;
use crate::attr::write_through::Entry;
use crate::diagnostics::Reported;
use crate::function::Function;
use crate::model::{Cached, Home, Invalidates, Key, Value, WriteBehind};
use crate::piece::Piece;
use crate::template::{Kind, Segment, Template};
use crate::types;

// Output:
//     __private::catalog! {
//         __private::CachedSite::new(
//             concat!(module_path!(), "::get_user"), "user:<id>", "User",
//             "key = \"user:<id>\", ttl = 3600",
//         )
//         .shape("user:<int>", __private::here!("get_user"))
//         .ttl_ms(3_600_000)
//         .typed(|| core::any::type_name::<User>()),
//         User
//     }
pub(super) fn cached(model: &Cached<'_>, runtime: &Runtime) -> Result<TokenStream, Reported> {
    let (args, function, private) = (model.args, model.scope.function, &runtime.private);
    let name = callsite::origin(function, "", private);
    let options = &args.text;
    let stored = spelled(model.stored());

    let mut named = None;
    let (template, own) = match model.key.as_ref().map_err(|&reported| reported)? {
        Key::Shared(expr) => {
            let shares = companion(expr).map(|companion| quote!(.shares(#companion)));
            let retagged = calls(expr, "tag") || calls(expr, "tags_of");
            let retagged = retagged.then(|| quote!(.retagged()));
            (spelled(expr).into_token_stream(), quote!(#shares #retagged))
        }
        Key::Own(own) => {
            let (shape, function) = (shape(&own.pieces), function.name().to_string());
            // An item sees the generics of no block around it, so that only a free function's type
            // can be named.
            let ty = &model.flavor.output().ty;
            let nameable = own.home == Home::Function
                && !value::may_be_generic(ty, model)
                && !types::is_opaque(ty)
                && !types::borrows(ty);
            let typed = nameable.then(|| {
                let stored = value::stored(model, runtime);
                let typed = quote!(.typed(|| #private::core::any::type_name::<#stored>()));
                named = Some(quote!(, #stored));
                typed
            });
            let told = told(args.tags.get()?);
            let unseen = told.as_ref().is_some_and(Vec::is_empty);
            let unseen = unseen.then(|| quote!(.unseen_tags()));
            let told = told.into_iter().flatten();
            let tags: Vec<_> = own.tags.iter().map(|tag| self::shape(tag)).chain(told).collect();
            let tags = (!tags.is_empty()).then(|| quote!(.tags(&[#(#tags),*])));
            let companion = match args.companion.get()? {
                Some(Companion::Named(name)) => {
                    let name = name.unraw().to_string();
                    Some(quote!(.companion(#name)))
                }
                _ => None,
            };
            let entity = args.entry.get()?.and_then(|closure| self::companion(&closure.body));
            let entity = entity.map(|companion| quote!(.leads_to(#companion)));
            let here = quote!(#private::here!(#function));
            let key = quote!(.shape(#shape, #here) #tags #unseen #typed #companion #entity);
            (callsite::template(own, model, private), key)
        }
    };
    let ttl = match args.ttl.get()? {
        Some(Ttl::Fixed(ttl @ Duration::Millis(_))) => Some(duration("ttl", ttl)),
        _ => None,
    };
    let codec = args.codec.get()?.map(|codec| {
        let codec = codec.to_string();
        quote!(.codec(#codec))
    });
    let version = args.version.get()?.map(|&version| {
        let version = Literal::u32_unsuffixed(version);
        quote!(.version(#version))
    });
    let cache = cache(args.cache.get()?);
    Ok(quote! {
        #private::catalog! {
            #private::CachedSite::new(#name, #template, #stored, #options)
                #own #ttl #codec #version #cache
                #named
        }
    })
}

// Output:
//     __private::catalog! {
//         __private::WriteSite::new(
//             concat!(module_path!(), "::rename_user"), "invalidates",
//             "get_user(id), key = \"name:<id>\"",
//             &[
//                 __private::Target::Function("get_user"),
//                 __private::Target::Key("name:<id>", "name:<int>"),
//             ],
//         )
//     }
pub(super) fn write(
    attribute: &str,
    model: &Invalidates<'_>,
    values: &[Result<Value<'_>, Reported>],
    private: &Path,
) -> TokenStream {
    let function = model.scope.function;
    let name = callsite::origin(function, "", private);
    let options = &model.args.text;
    let stored = values.iter().flatten().map(|value| match value.entry {
        Entry::Function(call) => of_function(call, private),
        Entry::Method(call) => of_name(&call.method.unraw().to_string(), private),
        Entry::Key(key) => of_key(key, private),
    });
    let invalidated = model.targets.iter().flatten();
    let invalidated = invalidated.map(|target| target_of(&target.what, private));
    let targets = stored.chain(invalidated);
    let place = place(function, private);
    let cache = cache(model.args.cache.get().ok().flatten());
    quote! {
        #private::catalog! {
            #private::WriteSite::new(#name, #attribute, #options, &[#(#targets),*]) #place #cache
        }
    }
}

/// A sink, by its queue and by what it puts.
pub(super) fn sink(model: &WriteBehind<'_>, private: &Path) -> TokenStream {
    let name = callsite::origin(model.scope.function, "", private);
    let options = &model.args.text;
    let targets =
        model.args.puts.iter().flatten().flatten().map(|put| of_function(&put.target, private));
    let place = place(model.scope.function, private);
    let queue = model.args.queue.get().ok().flatten().map(|queue| quote!(.queue(#queue)));
    let cache = cache(model.args.cache.get().ok().flatten());
    quote! {
        #private::catalog! {
            #private::WriteSite::new(#name, "write_behind", #options, &[#(#targets),*])
                #place #queue #cache
        }
    }
}

/// Where the function is, for the placeholders that stand for its `Self`.
fn place(function: &Function, private: &Path) -> TokenStream {
    let name = function.name().to_string();
    quote!(.at(#private::here!(#name)))
}

/// The cache that an attribute names.
fn cache(cache: Option<&Expr>) -> Option<TokenStream> {
    cache.map(|cache| {
        let cache = spelled(cache);
        quote!(.cache(#cache))
    })
}

/// A template as it was written: `"user:<user.id>"`.
fn template(pieces: &[Piece<'_>]) -> String {
    described(pieces, |part| {
        let fields = part.fields.iter().map(|field| format!(".{}", field.to_token_stream()));
        let options = part.options();
        format!("<{}{}{options}>", part.subject.name(), fields.collect::<String>())
    })
}

/// The shapes of the tags that a closure makes of the value, as far as it shows them.
fn told(tags: Option<&Tags>) -> Option<Vec<String>> {
    let closure = tags?.of_value.as_ref()?;
    let mut shapes = Vec::new();
    tag_calls(closure.to_token_stream(), &mut shapes);
    Some(shapes)
}

/// Finds every `tag!("..")`.
fn tag_calls(tokens: TokenStream, shapes: &mut Vec<String>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let name = at.checked_sub(2).and_then(|at| tokens.get(at));
        let is_tag = matches!(name, Some(TokenTree::Ident(name)) if name == "tag");
        match syn::parse2::<LitStr>(group.stream()) {
            Ok(literal) if is_tag => shapes.extend(shape_of(literal)),
            _ => tag_calls(group.stream(), shapes),
        }
    }
}

/// A template with what a reader of the catalogue can tell of each value, which is nothing.
fn shape_of(literal: LitStr) -> Option<String> {
    let template = Template::parse(literal, Kind::Tag).ok()?;
    let segments = template.segments.iter().map(|segment| match segment {
        Segment::Text(text) => text.replace('<', "<<"),
        Segment::Placeholder(place) => match (place.hash, place.ambiguous_next()) {
            (true, _) => "<hash>".to_owned(),
            (false, Some(next)) => format!("<any before {next}>"),
            (false, None) => "<any>".to_owned(),
        },
    });
    Some(segments.collect())
}

/// As a reader would write it, without the spaces that tokens get between them.
fn spelled(syntax: &impl ToTokens) -> String {
    let mut text = syntax.to_token_stream().to_string();
    for (spaced, close) in [
        (" ::", "::"),
        (":: ", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" ;", ";"),
        (" .", "."),
        (". ", "."),
    ] {
        text = text.replace(spaced, close);
    }
    text
}

#[cfg(test)]
mod tests {
    use syn::{Type, parse_str};

    use super::*;

    #[test]
    fn types_look_as_they_are_written() {
        for ty in ["Option<User>", "std::vec::Vec<(i64, &'static str)>", "[u8; 4]"] {
            assert_eq!(spelled(&parse_str::<Type>(ty).unwrap()), ty);
        }
        assert_eq!(
            spelled(&parse_str::<Expr>("self.user_key(&id)").unwrap()),
            "self.user_key(&id)"
        );
    }

    #[test]
    fn companions_make_keys() {
        for (key, expected) in [
            ("get_user_key(&id)", Some("get_user_key")),
            ("users::get_user_key::<T>(&id)", Some("users::get_user_key")),
            ("self.get_user_key(&id)", Some("get_user_key")),
            ("&Self::find_key(&id)", Some("Self::find_key")),
            ("(find_key(&id).tag(\"a\")).ttl(TTL)", Some("find_key")),
            ("user_entry(&id)", Some("user_entry")),
            ("key", None),
        ] {
            assert_eq!(companion(&parse_str(key).unwrap()).as_deref(), expected, "{key}");
        }
    }
}
