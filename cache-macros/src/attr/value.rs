//! Kinds of values that several options take.

use std::str::FromStr;

use syn::parse::ParseStream;
use syn::{Error, Expr, ExprLit, ExprUnary, Ident, Lit, LitInt, LitStr, UnOp};

use super::duration::Duration;
use super::name::Name;
use crate::diagnostics::did_you_mean;

const CODECS: &[&str] = &["Json", "MessagePack", "Postcard"];

pub(super) fn duration(name: &Name, input: ParseStream<'_>) -> syn::Result<Duration> {
    Duration::new(name.expr(input)?, &name.text)
}

/// An expression that is, or refers to, a `Cache`.
pub(super) fn cache(name: &Name, input: ParseStream<'_>) -> syn::Result<Expr> {
    match name.expr(input)? {
        Expr::Lit(literal) => {
            let message = format!("`cache` is a `Cache`: write `{}`", name.example);
            Err(Error::new_spanned(literal, message))
        }
        cache => Ok(cache),
    }
}

/// A closure, or an expression that evaluates to a function.
pub(super) fn function(name: &Name, input: ParseStream<'_>) -> syn::Result<Expr> {
    match name.expr(input)? {
        value @ (Expr::Lit(_)
        | Expr::Binary(_)
        | Expr::Unary(ExprUnary { op: UnOp::Not(_), .. })) => {
            let message = format!("`{}` is a closure: write `{}`", name.text, name.example);
            Err(Error::new_spanned(value, message))
        }
        function => Ok(function),
    }
}

/// A future: a call of an async function, or anything else that makes one.
pub(super) fn before(name: &Name, input: ParseStream<'_>) -> syn::Result<Expr> {
    match name.expr(input)? {
        Expr::Lit(literal) => {
            let message =
                format!("`before` is a call of an async function: write `{}`", name.example);
            Err(Error::new_spanned(literal, message))
        }
        Expr::Await(awaited) => {
            let message = "the write awaits `before` itself: leave `.await` out, or write \
                           `before = async { .. }` around more than one call";
            Err(Error::new(awaited.await_token.span, message))
        }
        before => Ok(before),
    }
}

/// A literal number that satisfies `holds`; otherwise the error is `message`.
pub(super) fn number(
    name: &Name,
    input: ParseStream<'_>,
    message: &str,
    holds: impl Fn(f64) -> bool,
) -> syn::Result<f64> {
    let expr = name.expr(input)?;
    let number = match &expr {
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        _ => None,
    };
    number.filter(|&number| holds(number)).ok_or_else(|| Error::new_spanned(expr, message))
}

/// A literal number from 1 to `most`: how many of `what` there are.
pub(super) fn count<N>(name: &Name, input: ParseStream<'_>, what: &str, most: N) -> syn::Result<N>
where
    N: Copy + FromStr<Err: std::fmt::Display> + Into<u64>,
{
    let range = match most.into() {
        // The only limit is that of the type.
        u64::MAX | 0xFFFF_FFFF => "a number from 1".to_owned(),
        most => format!("a number from 1 to {most}"),
    };
    let message = format!("`{}` is {what}: {range}", name.text);
    let number: LitInt = name.literal(input, &message)?;
    let count = number.base10_parse().ok();
    let count = count.filter(|&count: &N| (1..=most.into()).contains(&count.into()));
    count.ok_or_else(|| Error::new(number.span(), message))
}

/// The version of a type whose values are stored.
pub(super) fn version(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    let message = "`version` is a number; count it up when the stored type changes its meaning";
    let number: LitInt = name.literal(input, message)?;
    number.base10_parse().map_err(|_| Error::new(number.span(), message))
}

/// One of several words in quotes.
pub(super) fn choice<T: Copy>(
    name: &Name,
    input: ParseStream<'_>,
    what: &str,
    choices: &[(&str, T)],
) -> syn::Result<T> {
    let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
    let expected: Vec<_> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
    let expected = match expected.as_slice() {
        [rest @ .., last] => format!("expected {} or {last}", rest.join(", ")),
        [] => String::new(),
    };
    let choice: LitStr = name.literal(input, &expected)?;
    let wrong = choice.value();
    choices.iter().find(|(word, _)| *word == wrong).map(|&(_, stands_for)| stands_for).ok_or_else(
        || {
            let hint = did_you_mean(&wrong, &words);
            Error::new(choice.span(), format!("there is no {what} `{wrong}`{hint}"))
        },
    )
}

pub(super) fn codec(name: &Name, input: ParseStream<'_>) -> syn::Result<Ident> {
    let path = name.path(input)?;
    let codec = path.segments.last().map(|segment| segment.ident.clone());
    codec.clone().filter(|codec| CODECS.iter().any(|known| codec == known)).ok_or_else(|| {
        let wrong = codec.map(|codec| codec.to_string()).unwrap_or_default();
        let hint = did_you_mean(&wrong, CODECS);
        Error::new_spanned(path, format!("there is no codec `{wrong}`{hint}"))
    })
}
