//! The attribute macros of `cache-runtime`.

#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod attr;
mod check;
mod diagnostics;
mod expand;
mod fallback;
mod function;
mod model;
mod parameter;
mod piece;
mod scope;
mod syntax;
mod template;
mod types;

use proc_macro2::TokenStream;

use crate::attr::cached::CachedArgs;
use crate::attr::invalidates::InvalidatesArgs;
use crate::model::{Cached, Invalidates};

/// Cached.
#[proc_macro_attribute]
pub fn cached(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let expanded = expand_cached(args.into(), item.clone());
    expanded
        .unwrap_or_else(|errors| fallback::original(&item, &errors))
        .into()
}

/// Invalidates.
#[proc_macro_attribute]
pub fn invalidates(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let expanded = expand_invalidates(args.into(), item.clone());
    expanded
        .unwrap_or_else(|errors| fallback::original(&item, &errors))
        .into()
}

fn expand_cached(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function = syn::parse2(item)?;
    diagnostics::collect(|diagnostics| {
        let args = CachedArgs::parse(args, diagnostics);
        let model = Cached::new(&function, &args, diagnostics);
        check::cached(&model, diagnostics);
        expand::cached(&model)
    })
}

fn expand_invalidates(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function = syn::parse2(item)?;
    diagnostics::collect(|diagnostics| {
        let args = InvalidatesArgs::parse(args, diagnostics);
        let model = Invalidates::new(&function, &args, diagnostics);
        check::invalidates(&model, diagnostics);
        expand::invalidates(&model)
    })
}
