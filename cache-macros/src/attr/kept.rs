//! `keep_stale(list_users(org))`: targets whose values may still be served as stale ones.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Error, Ident, token};

use super::argument::List;
use super::pieces::all_pieces;
use super::target::Target;
use crate::diagnostics::{Diagnostics, Reported};

/// What is wrong with the lone word where it would say it of too much.
pub(super) const NAMELESS: &str = "`keep_stale` names here what it is said of: write \
                                   `invalidates(keep_stale(list_users(org)))`";

/// Whether `keep_stale(..)` comes next.
pub(super) fn is_next(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.call(Ident::parse_any).is_ok_and(|word| word == "keep_stale") && ahead.peek(token::Paren)
}

/// Parses the targets inside of it.
pub(super) fn all(
    input: ParseStream<'_>,
    targets: &mut List<Target>,
    diagnostics: &Diagnostics,
) -> Result<(), Reported> {
    let (word, inside) = inside(input).map_err(|error| diagnostics.report(error))?;
    if inside.is_empty() {
        let message =
            "nothing whose stale value is to be kept: write `keep_stale(list_users(org))`";
        return targets.push(Err(Error::new(word.span(), message)), diagnostics);
    }
    all_pieces(inside, diagnostics, |input| {
        let target = Target::named_or_not(input).and_then(|target| target.kept(&word));
        targets.push(target, diagnostics)
    });
    Ok(())
}

fn inside(input: ParseStream<'_>) -> syn::Result<(Ident, TokenStream)> {
    let word = input.call(Ident::parse_any)?;
    let inside;
    syn::parenthesized!(inside in input);
    Ok((word, inside.parse()?))
}

impl Target {
    /// The same target, whose value is kept.
    fn kept(self, word: &Ident) -> syn::Result<Self> {
        match self.pattern_in() {
            Some(pattern) => Err(Error::new(pattern.literal.span(), OF_PATTERN)),
            None => Ok(Self::KeptStale(word.clone(), Box::new(self))),
        }
    }
}

/// What is wrong with a pattern.
pub(crate) const OF_PATTERN: &str = "a pattern removes what it matches; to keep stale values, name \
                                     the entries, or a tag that they have";
