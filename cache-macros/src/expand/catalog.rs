//! The entry of a function in the catalogue. It is always emitted; the runtime discards it without the feature.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::{Expr, ExprCall, Path};

use super::{Runtime, key, value};
use crate::attr::cached::Ttl;
use crate::attr::duration::Duration;
use crate::attr::write_through::Entry;
use crate::diagnostics::Reported;
use crate::function::Function;
use crate::model::{Cached, Home, Invalidates, Key, Value, What, WriteBehind};
use crate::piece::{Form, Piece};
use crate::scope::Subject;
use crate::types;

// Output:
//     __private::catalog! {
//         __private::CachedSite::new(
//             concat!(module_path!(), "::get_user"), "user:<id>", "User", "key = \"user:<id>\", ttl = 3600",
//         )
//         .shape("user:<int>").ttl_ms(3_600_000).typed(|| core::any::type_name::<User>())
//     }
pub(super) fn cached(model: &Cached<'_>, runtime: &Runtime) -> Result<TokenStream, Reported> {
    let (args, function, private) = (model.args, model.scope.function, &runtime.private);
    let name = key::origin(function, "", private);
    let options = &args.text;
    let stored = spelled(model.stored());

    let (template, own) = match model.key.as_ref().map_err(|&reported| reported)? {
        Key::Shared(expr) => {
            let shares = owner(expr).map(|owner| quote!(.shares(#owner)));
            (spelled(expr).into_token_stream(), shares)
        }
        Key::Own(own) => {
            let shape = shape(&own.pieces, function, private);
            // An item sees the generics of no block around it, so that only a free function's type can be named.
            let ty = &model.flavor.output().ty;
            let nameable = own.home == Home::Function
                && !value::may_be_generic(ty, model)
                && !types::is_opaque(ty)
                && !types::borrows(ty);
            let typed = nameable.then(|| {
                let stored = value::stored(model, runtime);
                quote!(.typed(|| #private::core::any::type_name::<#stored>()))
            });
            let tags = own.tags.iter().map(|tag| self::shape(tag, function, private));
            let tags = (!own.tags.is_empty()).then(|| quote!(.tags(&[#(#tags),*])));
            (key::template(own, function, private), Some(quote!(.shape(#shape) #tags #typed)))
        }
    };
    let ttl = match args.ttl.get()? {
        Some(Ttl::Fixed(ttl @ Duration::Millis(_))) => Some(super::duration("ttl", ttl)),
        _ => None,
    };
    let cache = args.cache.get()?.map(|cache| {
        let cache = spelled(cache);
        quote!(.cache(#cache))
    });
    Ok(quote! {
        #private::catalog! {
            #private::CachedSite::new(#name, #template, #stored, #options) #own #ttl #cache
        }
    })
}

// Output:
//     __private::catalog! {
//         __private::WriteSite::new(
//             concat!(module_path!(), "::rename_user"), "invalidates", "get_user(id), key = \"name:<id>\"",
//             &[__private::Target::Function("get_user"), __private::Target::Key("name:<id>", "name:<int>")],
//         )
//     }
pub(super) fn write(
    attribute: &str,
    model: &Invalidates<'_>,
    values: &[Result<Value<'_>, Reported>],
    private: &Path,
) -> TokenStream {
    let function = model.scope.function;
    let name = key::origin(function, "", private);
    let options = &model.args.text;
    let stored = values.iter().flatten().map(|value| match value.entry {
        Entry::Function(call) => of_function(call, private),
        Entry::Method(call) => of_name(&call.method.unraw().to_string(), private),
        Entry::Key(key) => of_key(key, private),
    });
    let invalidated = model.targets.iter().flatten();
    let invalidated = invalidated.map(|target| target_of(&target.what, function, private));
    let targets = stored.chain(invalidated);
    quote! {
        #private::catalog! {
            #private::WriteSite::new(#name, #attribute, #options, &[#(#targets),*])
        }
    }
}

/// A sink, by what it puts.
pub(super) fn sink(model: &WriteBehind<'_>, private: &Path) -> TokenStream {
    let name = key::origin(model.scope.function, "", private);
    let options = &model.args.text;
    let targets = model.args.puts.iter().flatten().map(|put| of_function(&put.target, private));
    quote! {
        #private::catalog! {
            #private::WriteSite::new(#name, "write_behind", #options, &[#(#targets),*])
        }
    }
}

fn target_of(what: &What<'_>, function: &Function, private: &Path) -> TokenStream {
    let named = |kind: TokenStream, pieces: &[Piece<'_>]| {
        let (template, shape) =
            (template(pieces, function, private), shape(pieces, function, private));
        quote!(#private::Target::#kind(#template, #shape))
    };
    match what {
        What::Function(call) => of_function(call, private),
        What::Method(call) => of_name(&call.method.unraw().to_string(), private),
        What::Key(key) => of_key(key, private),
        What::Template(pieces) => named(quote!(Key), pieces),
        What::Tag(pieces) => named(quote!(Tag), pieces),
        What::TagExpr(tag) => of_unknown(tag, private),
        What::Pattern(pieces) => named(quote!(Pattern), pieces),
        What::Each(_, what) => target_of(what, function, private),
    }
}

fn of_function(call: &ExprCall, private: &Path) -> TokenStream {
    path(&call.func).map_or_else(|| of_unknown(call, private), |path| of_name(&path, private))
}

/// `get_user_key(&id)` is the key of `get_user`.
fn of_key(key: &Expr, private: &Path) -> TokenStream {
    owner(key).map_or_else(|| of_unknown(key, private), |owner| of_name(&owner, private))
}

fn of_name(name: &str, private: &Path) -> TokenStream {
    quote!(#private::Target::Function(#name))
}

fn of_unknown(expr: &impl ToTokens, private: &Path) -> TokenStream {
    let expr = spelled(expr);
    quote!(#private::Target::Unknown(#expr))
}

/// The function whose key an expression is, if it calls its companion.
pub(super) fn owner(key: &Expr) -> Option<String> {
    let companion = match key {
        Expr::Call(call) => path(&call.func)?,
        Expr::MethodCall(call) => call.method.unraw().to_string(),
        Expr::Reference(reference) => return owner(&reference.expr),
        _ => return None,
    };
    companion.strip_suffix("_key").map(ToOwned::to_owned)
}

/// `users::get_user`, without generics.
fn path(function: &Expr) -> Option<String> {
    let Expr::Path(path) = function else { return None };
    let names = path.path.segments.iter().map(|segment| segment.ident.unraw().to_string());
    Some(names.collect::<Vec<_>>().join("::"))
}

/// A template with the kind of each placeholder for its name: `"user:<int>"`.
fn shape(pieces: &[Piece<'_>], function: &Function, private: &Path) -> TokenStream {
    key::described(pieces, function, private, |part| {
        let kind = match (part.form, part.subject) {
            (Form::Hash, _) => "hex",
            (_, Subject::Parameter(parameter)) if part.fields.is_empty() => {
                parameter.ty.map_or("any", types::kind)
            }
            (_, Subject::Item(item)) if part.fields.is_empty() => {
                item.ty.map_or("any", types::kind)
            }
            _ => "any",
        };
        format!("<{kind}>")
    })
}

/// A template as it was written: `"user:<user.id>"`.
fn template(pieces: &[Piece<'_>], function: &Function, private: &Path) -> TokenStream {
    key::described(pieces, function, private, |part| {
        let fields = part.fields.iter().map(|field| format!(".{}", field.to_token_stream()));
        let hash = if matches!(part.form, Form::Hash) { ":hash" } else { "" };
        format!("<{}{}{hash}>", part.subject.name(), fields.collect::<String>())
    })
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
    fn companions_have_an_owner() {
        for (key, expected) in [
            ("get_user_key(&id)", Some("get_user")),
            ("users::get_user_key::<T>(&id)", Some("users::get_user")),
            ("self.get_user_key(&id)", Some("get_user")),
            ("&Self::find_key(&id)", Some("Self::find")),
            ("user(&id)", None),
            ("key", None),
        ] {
            assert_eq!(owner(&parse_str(key).unwrap()).as_deref(), expected, "{key}");
        }
    }
}
