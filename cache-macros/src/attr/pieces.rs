//! The pieces of an attribute's arguments, which commas separate.

use proc_macro2::{TokenStream, TokenTree};
use syn::Token;
use syn::parse::{ParseStream, Parser as _};

use crate::diagnostics::{Diagnostics, Reported};

/// Parses the arguments of an attribute, piece by piece. Returns whether anything was skipped.
pub(super) fn all_pieces(
    tokens: TokenStream,
    diagnostics: &Diagnostics,
    piece: impl FnMut(ParseStream<'_>) -> Result<(), Reported>,
) -> bool {
    let parser = |input: ParseStream<'_>| Ok(each_piece(input, diagnostics, piece));
    parser.parse2(tokens).unwrap_or_else(|error| {
        // What a rejected piece left unread inside its parentheses is no mistake of its own.
        if diagnostics.is_empty() {
            diagnostics.report(error);
        }
        true
    })
}

/// Parses comma-separated pieces; after a malformed one it continues behind the next comma.
///
/// Returns whether anything was skipped: it may have held an option that now seems to be missing.
pub(super) fn each_piece(
    input: ParseStream<'_>,
    diagnostics: &Diagnostics,
    mut piece: impl FnMut(ParseStream<'_>) -> Result<(), Reported>,
) -> bool {
    let ended = |input: ParseStream<'_>| input.is_empty() || input.peek(Token![,]);
    let mut skipped = false;
    while !input.is_empty() {
        if piece(input).is_ok() && !ended(input) {
            diagnostics.report(input.error("expected `,` before this"));
        }
        while !ended(input) && input.parse::<TokenTree>().is_ok() {
            skipped = true;
        }
        if input.parse::<Option<Token![,]>>().is_err() {
            break;
        }
    }
    skipped
}
