//! The attribute macros of `cache-runtime`, which re-exports them: depend on that crate instead.
//!
//! An attribute passes through these stages, one module each: parsing what the user wrote (`attr`,
//! `function`), resolving it against the signature (`model`), applying the rules (`check`), and
//! generating code (`expand`). If a rule is violated, the function is emitted unchanged, together
//! with every error that was found (`fallback`). The one derive (`derive`) has nothing to do with
//! them.

// A panic in a macro would hide the compiler's own messages.
#![cfg_attr(
    not(test),
    deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod attr;
mod braces;
mod check;
mod derive;
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
use quote::quote;

use crate::attr::cached::CachedArgs;
use crate::attr::invalidates::InvalidatesArgs;
use crate::attr::write_behind::WriteBehindArgs;
use crate::attr::write_through::WriteThroughArgs;
use crate::model::{Cached, Invalidates, WriteBehind, WriteThrough};

/// Answers calls of an `async fn` from the cache, and runs its body only when needed.
///
#[doc = include_str!("doc/cached.md")]
#[proc_macro_attribute]
pub fn cached(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(args, item, expand_cached)
}

/// Invalidates the entries that a write makes outdated, so that no older value is served or stored
/// afterwards.
///
#[doc = include_str!("doc/invalidates.md")]
#[proc_macro_attribute]
pub fn invalidates(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(args, item, expand_invalidates)
}

/// Stores the new value that a write knows in the cache, in place of the one that it makes
/// outdated.
///
#[doc = include_str!("doc/write_through.md")]
#[proc_macro_attribute]
pub fn write_through(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(args, item, expand_write_through)
}

/// Makes a function the sink of a durable queue: items pushed to the queue reach the function in
/// batches.
///
#[doc = include_str!("doc/write_behind.md")]
#[proc_macro_attribute]
pub fn write_behind(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(args, item, |args, item| expand_write_behind(args, &item))
}

/// Implements `KeyPart` for a struct or an enum, in terms of its fields.
///
#[doc = include_str!("doc/key_part.md")]
#[proc_macro_derive(KeyPart, attributes(key_part))]
pub fn key_part(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive::key_part(item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// What `cache_runtime::tag!` expands to.
#[doc(hidden)]
#[proc_macro]
pub fn tag(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let call = syn::parse::<expand::TagCall>(tokens);
    call.map_or_else(|error| error.to_compile_error(), |call| expand::tag(&call)).into()
}

/// What `expand` makes of the function; if it fails, the function unchanged and the errors.
fn attribute(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
    expand: fn(TokenStream, TokenStream) -> syn::Result<TokenStream>,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let expanded = expand(args.into(), item.clone());
    expanded.unwrap_or_else(|errors| fallback::original(&item, &errors)).into()
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

fn expand_write_through(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function = syn::parse2(item)?;
    diagnostics::collect(|diagnostics| {
        let args = WriteThroughArgs::parse(args, diagnostics);
        let model = WriteThrough::new(&function, &args, diagnostics);
        check::write_through(&model, diagnostics);
        expand::write_through(&model)
    })
}

fn expand_write_behind(args: TokenStream, item: &TokenStream) -> syn::Result<TokenStream> {
    let function = syn::parse2(item.clone())?;
    let companions = diagnostics::collect(|diagnostics| {
        let args = WriteBehindArgs::parse(args, diagnostics);
        let model = WriteBehind::new(&function, &args, diagnostics);
        check::write_behind(&model, diagnostics);
        expand::write_behind(&model)
    })?;
    Ok(quote!(#item #companions))
}
