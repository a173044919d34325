//! The annotated function, as it was written.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Ident, Signature, Token, Visibility, braced, token};

/// A function with a body.
///
/// The body stays unparsed: that is faster, no second parser can disagree with rustc, and a
/// half-typed body does no harm.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The braces of the body, whose spans rustc uses for "mismatched types".
    pub(crate) brace: token::Brace,
    /// `#![..]` at the beginning of the body; they are allowed nowhere else.
    pub(crate) inner_attrs: Vec<Attribute>,
    pub(crate) body: TokenStream,
}

impl Function {
    /// The name without `r#`, as it appears in texts.
    pub(crate) fn name(&self) -> Ident {
        self.sig.ident.unraw()
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !starts_function(input) {
            return Err(input.error("this attribute belongs on an `async fn`"));
        }
        let sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            let message = "a function without a body has nothing to run; \
                           put the attribute on its implementation";
            return Err(Error::new(sig.ident.span(), message));
        }
        let content;
        let brace = braced!(content in input);
        let inner_attrs = content.call(Attribute::parse_inner)?;
        let body = content.parse()?;
        Ok(Self { attrs, vis, sig, brace, inner_attrs, body })
    }
}

fn starts_function(input: ParseStream<'_>) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![unsafe])
        || input.peek(Token![extern])
        || (input.peek(Token![const]) && !input.peek2(Ident) && !input.peek2(Token![_]))
}
