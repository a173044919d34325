//! The name of an option, and what may follow it.

use std::fmt::Display;

use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, ExprPath, Ident, Path, Token};

use crate::syntax;

/// An option's name, with what a message about its misuse needs.
pub(super) struct Name {
    pub(super) ident: Ident,
    pub(super) text: String,
    /// How the option is written.
    pub(super) example: &'static str,
}

impl Name {
    pub(super) fn error(&self, message: impl Display) -> Error {
        Error::new(self.ident.span(), message)
    }

    /// `= value`
    pub(super) fn value<T>(
        &self,
        input: ParseStream<'_>,
        parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
    ) -> syn::Result<T> {
        if input.parse::<Token![=]>().is_err() || input.is_empty() || input.peek(Token![,]) {
            return Err(self.misused("needs a value"));
        }
        parse(input)
    }

    /// `= expression`
    pub(super) fn expr(&self, input: ParseStream<'_>) -> syn::Result<Expr> {
        self.value(input, Expr::parse).map(syntax::ungrouped)
    }

    /// `= literal`
    pub(super) fn literal<T: Parse>(
        &self,
        input: ParseStream<'_>,
        message: &str,
    ) -> syn::Result<T> {
        self.value(input, |input| {
            let start = input.fork();
            input.parse().map_err(|_| start.error(message))
        })
    }

    /// Nothing: naming the option sets it.
    pub(super) fn flag(&self, input: ParseStream<'_>) -> syn::Result<()> {
        if input.is_empty() || input.peek(Token![,]) {
            Ok(())
        } else {
            Err(self.misused("takes no value"))
        }
    }

    /// `= path`
    pub(super) fn path(&self, input: ParseStream<'_>) -> syn::Result<Path> {
        // Parses a whole expression, so that no part of it is taken for the next option.
        match self.expr(input) {
            Ok(Expr::Path(ExprPath { qself: None, path, .. })) => Ok(path),
            _ => Err(self.misused("is a path")),
        }
    }

    pub(super) fn misused(&self, how: &str) -> Error {
        self.error(format!("`{}` {how}: write `{}`", self.text, self.example))
    }
}
