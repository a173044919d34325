//! `each(id in ids)` and `batch(id in ids)`: a name for each item of a collection.

use proc_macro2::{Group, TokenStream};
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Error, Expr, Ident, Token, token};

use crate::syntax;

/// What is wrong with anything else.
pub(super) const MALFORMED: &str = "expected a name, `in` and a collection, such as `(id in ids)`";

/// `each(id in ids)`, `batch(id in ids)`
pub(crate) struct Each {
    /// The word itself, at which helper tokens stand.
    pub(crate) word: Ident,
    pub(crate) item: Ident,
    pub(crate) items: Expr,
}

impl Each {
    /// Whether `each(..)` comes next, and not a call of a function of that name.
    pub(super) fn is_next(input: ParseStream<'_>) -> bool {
        let ahead = input.fork();
        let named = ahead.parse::<Ident>().is_ok_and(|name| name == "each");
        if !named || !ahead.peek(token::Paren) {
            return false;
        }
        let ahead = input.fork();
        let call = ahead.parse::<Expr>().is_ok_and(|expr| matches!(expr, Expr::Call(_)));
        !(call && (ahead.is_empty() || ahead.peek(Token![,])))
    }
}

impl Each {
    /// The word of `each(id in ids)` or `batch(id in ids)`, if something of this form comes next.
    pub(super) fn meant(input: ParseStream<'_>) -> Option<Ident> {
        let ahead = input.fork();
        let word = ahead.parse().ok()?;
        let inside = ahead.parse::<Group>().ok()?.stream();
        let item = |inside: ParseStream<'_>| {
            inside.parse::<Ident>()?;
            inside.parse::<Token![in]>()?;
            inside.parse::<TokenStream>()
        };
        item.parse2(inside).is_ok().then_some(word)
    }
}

impl Parse for Each {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word = input.parse()?;
        Self::after(word, input)
    }
}

impl Each {
    /// What follows the word.
    pub(super) fn after(word: Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(token::Paren) {
            return Err(Error::new(word.span(), MALFORMED));
        }
        let inside: Group = input.parse()?;
        let span = inside.span();
        let parser = |inside: ParseStream<'_>| Self::inside(word, inside);
        parser.parse2(inside.stream()).map_err(|_| Error::new(span, MALFORMED))
    }

    /// What follows in parentheses.
    pub(super) fn inside(word: Ident, inside: ParseStream<'_>) -> syn::Result<Self> {
        let item = inside.parse()?;
        inside.parse::<Token![in]>()?;
        Ok(Self { word, item, items: syntax::ungrouped(inside.parse()?) })
    }
}
