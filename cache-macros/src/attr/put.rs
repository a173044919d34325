//! `put(get_views(view.page) = view.count)`: what a push stores immediately.

use syn::parse::{ParseBuffer, ParseStream};
use syn::{Error, Expr, ExprAssign, ExprCall, parenthesized, token};

use super::name::Name;
use super::pieces::each_piece;
use crate::diagnostics::collect;

/// `get_views(view.page) = view.count`
pub(crate) struct Put {
    /// The cached function and its arguments.
    pub(crate) target: ExprCall,
    pub(crate) value: Expr,
}

impl Put {
    /// What follows `put`.
    pub(super) fn parse_all(name: &Name, input: ParseStream<'_>) -> syn::Result<Vec<Self>> {
        let inside = in_parentheses(name, input)?;
        let mut puts = Vec::new();
        collect(|diagnostics| {
            each_piece(&inside, diagnostics, |input| {
                let put = Self::parse(name, input).map_err(|error| diagnostics.report(error))?;
                puts.push(put);
                Ok(())
            });
            Ok(puts)
        })
    }

    fn parse(name: &Name, input: ParseStream<'_>) -> syn::Result<Self> {
        let wrong = |at: &Expr| {
            let message = "expected a call of a cached function and what it returns from now on";
            Error::new_spanned(at, format!("{message}: write `{}`", name.example))
        };
        match input.parse()? {
            Expr::Assign(ExprAssign { left, right, .. }) => match *left {
                Expr::Call(target) if matches!(*target.func, Expr::Path(_)) => {
                    Ok(Self { target, value: *right })
                }
                other => Err(wrong(&other)),
            },
            other => Err(wrong(&other)),
        }
    }
}

fn in_parentheses<'a>(name: &Name, input: ParseStream<'a>) -> syn::Result<ParseBuffer<'a>> {
    if !input.peek(token::Paren) {
        return Err(name.misused("takes a call and a value in parentheses"));
    }
    let inside;
    parenthesized!(inside in input);
    if inside.is_empty() {
        return Err(name.misused("names nothing"));
    }
    Ok(inside)
}
