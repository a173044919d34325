//! Whole expansions, formatted for reading.

mod batch;
mod cached;
mod catalog;
mod methods;
mod named;
mod writes;

use proc_macro2::TokenStream;
use quote::quote;

use crate::{expand_cached, expand_invalidates};

fn without_whitespace(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

/// Without whitespace, since that is printed in more ways than one, and without what is for the
/// catalogue, what is for the comparison of functions, the name of a write, and what shows a type
/// to the compiler, which are everywhere the same and have tests of their own.
pub(super) fn text(tokens: &TokenStream) -> String {
    let mut text = without_whitespace(tokens);
    while let Some((before, after)) = text.split_once("__private::catalog!{") {
        let start = before.rfind(['{', ';', '}']).map_or(0, |at| at + 1);
        let mut depth = 1;
        let end = after.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        text = [&before[..start], &after[end.unwrap() + 1..]].concat();
    }
    while let Some(start) = text.find(".key(\"") {
        let length = text[start..].find("\"))").unwrap() + 3;
        text.replace_range(start..start + length, "");
    }
    for checked in ["__private::unnamed!(", "__private::owned!("] {
        while let Some(at) = text.find(checked) {
            let start = text[..at].rfind(['{', ';', '}']).map_or(0, |at| at + 1);
            let end = at + text[at..].find(");").unwrap() + 1;
            text.replace_range(start..=end, "");
        }
    }
    if let Some((before, after)) = text.split_once("write().at({") {
        let (_, after) = after.split_once("})").unwrap();
        text = [before, "write()", after].concat();
    }
    text
}

/// The body as the runtime is given it, for a function that returns `output`.
fn load(output: &TokenStream) -> TokenStream {
    quote! {
        move || async move {
            #[allow(unreachable_code)]
            if false {
                let edge: #output = loop {};
                return edge;
            }
            BODY
        }
    }
}

#[track_caller]
fn assert_cached(args: TokenStream, item: TokenStream, expected: &TokenStream) {
    assert_eq!(text(&expand_cached(args, item).unwrap()), text(expected));
}

#[track_caller]
fn assert_invalidates(args: TokenStream, item: TokenStream, expected: &TokenStream) {
    assert_eq!(text(&expand_invalidates(args, item).unwrap()), text(expected));
}
