//! `id in ids`: one thing for every item of a collection.

use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Ident, Token, parenthesized, token};

/// `each(id in ids)`
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

impl Parse for Each {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word = input.parse()?;
        let inside;
        let parentheses = parenthesized!(inside in input);
        let malformed = || {
            let message = "expected a name, `in` and a collection, such as `(id in ids)`";
            Error::new(parentheses.span.join(), message)
        };
        let item = inside.parse().map_err(|_| malformed())?;
        inside.parse::<Token![in]>().map_err(|_| malformed())?;
        let items = inside.parse().map_err(|_| malformed())?;
        if inside.is_empty() { Ok(Self { word, item, items }) } else { Err(malformed()) }
    }
}
