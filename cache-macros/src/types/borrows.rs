//! What a type borrows, and for how long.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Type, TypeReference};

use crate::syntax::peel;

/// Whether it holds a reference or a lifetime other than `'static`.
pub(crate) fn borrows(ty: &Type) -> bool {
    fn in_tokens(tokens: TokenStream) -> bool {
        let mut lifetime = false;
        tokens.into_iter().any(|token| match token {
            TokenTree::Punct(punct) => {
                lifetime = punct.as_char() == '\'';
                punct.as_char() == '&'
            }
            TokenTree::Ident(ident) => std::mem::take(&mut lifetime) && ident != "static",
            TokenTree::Group(group) => in_tokens(group.stream()),
            TokenTree::Literal(_) => false,
        })
    }
    in_tokens(ty.to_token_stream())
}

/// The type with `'static` for every lifetime, `Title<'static>` of `Title<'a>`, if it spells no
/// reference.
pub(crate) fn with_static(ty: &Type) -> Option<String> {
    fn spelled(tokens: TokenStream, text: &mut String) -> bool {
        let mut lifetime = false;
        tokens.into_iter().all(|token| {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '&' => return false,
                TokenTree::Punct(punct) if punct.as_char() == ',' => text.push_str(", "),
                TokenTree::Punct(punct) => {
                    lifetime = punct.as_char() == '\'';
                    text.push(punct.as_char());
                }
                TokenTree::Ident(_) if std::mem::take(&mut lifetime) => text.push_str("static"),
                TokenTree::Ident(ident) => text.push_str(&ident.to_string()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                    text.push('(');
                    let is_owned = spelled(group.stream(), text);
                    text.push(')');
                    return is_owned;
                }
                // Of an array, which nobody writes with a lifetime, or of none at all.
                TokenTree::Group(_) | TokenTree::Literal(_) => return false,
            }
            true
        })
    }
    let mut text = String::new();
    spelled(ty.to_token_stream(), &mut text).then_some(text)
}

/// Whether it may hold a reference that does not live for ever.
pub(crate) fn may_end(ty: &Type) -> bool {
    fn in_tokens(tokens: TokenStream) -> bool {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let next_is_lifetime =
                |next: &TokenTree| matches!(next, TokenTree::Punct(it) if it.as_char() == '\'');
            let ends = match token {
                TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                    tokens.next().is_some_and(|name| name.to_string() != "static")
                }
                TokenTree::Punct(punct) if punct.as_char() == '&' => {
                    !tokens.peek().is_some_and(next_is_lifetime)
                }
                TokenTree::Group(group) => in_tokens(group.stream()),
                _ => false,
            };
            if ends {
                return true;
            }
        }
        false
    }
    in_tokens(ty.to_token_stream())
}

/// What `ty` refers to, if it is a shared reference that may not live for ever: `T` of `&T`.
pub(crate) fn referent(ty: &Type) -> Option<&Type> {
    match peel(ty) {
        Type::Reference(reference) if reference.mutability.is_none() && !is_static(reference) => {
            Some(&*reference.elem)
        }
        _ => None,
    }
}

fn is_static(reference: &TypeReference) -> bool {
    reference.lifetime.as_ref().is_some_and(|it| it.ident == "static")
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::*;

    #[test]
    fn borrowed_values() {
        for ty in ["&str", "&'static str", "Cow<'_, str>", "Vec<&'a User>", "(User, &User)"] {
            assert!(borrows(&parse_str(ty).unwrap()), "{ty}");
        }
        for ty in ["String", "Cow<'static, str>", "Vec<User>"] {
            assert!(!borrows(&parse_str(ty).unwrap()), "{ty}");
        }
    }

    #[test]
    fn what_lives_for_ever() {
        for (ty, expected) in [
            ("Title<'a>", Some("Title<'static>")),
            ("Vec<(Cow<'_, str>, u8)>", Some("Vec<(Cow<'static, str>, u8)>")),
            ("a::Title<'_, T>", Some("a::Title<'static, T>")),
            ("Vec<&'a str>", None),
            ("[Title<'a>; 2]", None),
        ] {
            assert_eq!(with_static(&parse_str(ty).unwrap()).as_deref(), expected, "{ty}");
        }
    }

    #[test]
    fn what_a_worker_can_keep() {
        for ty in ["&str", "Cow<'_, str>", "Vec<&'a User>", "(User, &User)", "&&'static str"] {
            assert!(may_end(&parse_str(ty).unwrap()), "{ty}");
        }
        for ty in ["String", "Cow<'static, str>", "Vec<&'static User>", "&'static str"] {
            assert!(!may_end(&parse_str(ty).unwrap()), "{ty}");
        }
        for (ty, referred) in [("&Pool", Some("Pool")), ("&'a Pool", Some("Pool")), ("Pool", None)]
        {
            let ty = parse_str(ty).unwrap();
            let text = referent(&ty).map(|ty| ty.to_token_stream().to_string());
            assert_eq!(text.as_deref(), referred);
        }
        assert!(referent(&parse_str("&'static str").unwrap()).is_none());
        assert!(referent(&parse_str("&mut Pool").unwrap()).is_none());
    }
}
