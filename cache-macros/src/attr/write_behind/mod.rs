//! The options of `#[write_behind]`.

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::{Error, Expr, Ident, LitStr, Path};

use super::argument::{List, Slot};
use super::duration::Duration;
use super::key::KeyArg;
use super::name::Name;
use super::options::options;
use super::pieces::all_pieces;
use super::put::Put;
use super::value::{cache, choice, codec, count, duration, version};
use crate::diagnostics::Diagnostics;
use crate::template::Template;

/// The longest name of a queue, which is part of every key that belongs to it.
const LONGEST_NAME: usize = 128;

/// The most partitions. Each is a stream with an owner of its own.
const MOST_PARTITIONS: u32 = 256;

/// The largest batch. A larger one would gain nothing, and is held in memory twice.
const LARGEST_BATCH: u32 = 100_000;

options! {
    /// The options of `#[write_behind]`.
    struct WriteBehindArgs {
        queue: Slot<LitStr> = ("queue", r#"queue = "page-views""#, queue);
        key: Slot<Template> = ("key", r#"key = "<view.page>""#, key);
        batch: Slot<u32> = ("batch", "batch = 500", batch, setting);
        linger: Slot<Duration> = ("linger", r#"linger = "1s""#, duration, setting);
        partitions: Slot<u32> = ("partitions", "partitions = 8", partitions, setting);
        merge: Slot<Merge> = ("merge", "merge = PageView::add`, or `merge = none", merge);
        /// Each `put(..)`, of which there may be several.
        puts: List<Vec<Put>> = ("put", "put(get_views(view.page) = view.count)", Put::parse_all);
        max_len: Slot<u64> = ("max_len", "max_len = 100_000", max_len, setting);
        push_timeout: Slot<Duration> =
            ("push_timeout", r#"push_timeout = "1s""#, duration, setting);
        max_attempts: Slot<u32> = ("max_attempts", "max_attempts = 5", attempts, setting);
        max_deliveries: Slot<u32> =
            ("max_deliveries", "max_deliveries = 10", deliveries, setting);
        on_unavailable: Slot<WhenUnavailable> =
            ("on_unavailable", r#"on_unavailable = "error""#, on_unavailable);
        replicas: Slot<u32> = ("replicas", "replicas = 1", replicas, setting);
        lease: Slot<Duration> = ("lease", r#"lease = "5s""#, duration, setting);
        sink_timeout: Slot<Duration> =
            ("sink_timeout", r#"sink_timeout = "30s""#, duration, setting);
        /// A function from the sink's error to its kind.
        error_kind: Slot<Path> = ("error_kind", "error_kind = kind_of", Name::path);
        codec: Slot<Ident> = ("codec", "codec = MessagePack", codec, setting);
        version: Slot<u32> = ("version", "version = 2", version, setting);
        lossy_values: Slot<()> = ("lossy_values", "lossy_values", Name::flag, setting);
        pooled: Slot<()> = ("pooled", "pooled", Name::flag);
        cache: Slot<Expr> = ("cache", "cache = CACHE.get()", cache);
        runtime: Slot<Path> = ("crate", "crate = path::to::cache_runtime", Name::path);
        /// Something could not be parsed and was skipped. It may have held an option that now seems
        /// to be missing.
        skipped: bool;
        /// All options, as written: for the catalogue.
        text: String;
    }
}

options! {
    /// An option of `#[invalidates]` that does not exist here.
    const OF_INVALIDATES of WriteBehindArgs {
        [lossy_values] = ("before", "#[invalidates(.., before = find(db, id))]", no_before);
    }
}

/// What happens to items of one key in a batch.
pub(crate) enum Merge {
    /// `merge = none`: all are kept.
    None,
    /// `merge = path`: this function combines two into one.
    By(Path),
}

/// What a push does if the store cannot take the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenUnavailable {
    /// Passes it to the sink immediately.
    Direct,
    /// Returns the error.
    Error,
}

impl WriteBehindArgs {
    /// Parses as much as possible, and reports the rest to `diagnostics`.
    pub(crate) fn parse(tokens: TokenStream, diagnostics: &Diagnostics) -> Self {
        let mut args = Self { text: tokens.to_string(), ..Self::default() };
        args.skipped = all_pieces(tokens, diagnostics, |input| {
            let misplaced = OF_INVALIDATES.name(&input.fork());
            match misplaced.or_else(|_| Self::OPTIONS.name(input)) {
                Ok((name, read)) => read(&mut args, &name, input, diagnostics),
                Err(error) => Err(diagnostics.report(error)),
            }
        });
        args
    }
}

fn queue(name: &Name, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let message = "`queue` is a name in quotes, such as `queue = \"page-views\"`";
    let queue: LitStr = name.literal(input, message)?;
    let text = queue.value();
    let error = |message: String| Err(Error::new(queue.span(), message));
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if text.is_empty() {
        error("the name of a queue cannot be empty; write `queue = \"page-views\"`".to_owned())
    } else if let Some(wrong) = text.chars().find(|&c| !allowed(c)) {
        error(format!(
            "{wrong:?} cannot be part of a queue's name; it consists of ASCII letters, digits, \
             `-`, `_`, `.` and `:`"
        ))
    } else if text.len() > LONGEST_NAME {
        error(format!("the name of a queue has at most {LONGEST_NAME} characters"))
    } else {
        Ok(queue)
    }
}

fn key(name: &Name, input: ParseStream<'_>) -> syn::Result<Template> {
    match KeyArg::key(name, input)? {
        KeyArg::Template(template) => Ok(template),
        KeyArg::Expr(expr) => Err(Error::new_spanned(
            expr,
            "the key of an item is a template in quotes over one item, such as \
             `key = \"<view.page>\"`",
        )),
    }
}

fn batch(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    let what = "how many items the sink is given at most";
    count(name, input, what, LARGEST_BATCH)
}

fn partitions(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    let what = "how many workers can share the queue";
    count(name, input, what, MOST_PARTITIONS)
}

fn max_len(name: &Name, input: ParseStream<'_>) -> syn::Result<u64> {
    count(name, input, "how many items wait at most", u64::MAX)
}

fn attempts(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    let what = "how often the sink is given an item before it is put aside";
    count(name, input, what, u32::MAX)
}

fn deliveries(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    let what = "how many workers in a row may end while the sink has an item";
    count(name, input, what, u32::MAX)
}

fn replicas(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    let what = "how many replicas must have an item before `push` returns";
    count(name, input, what, u16::MAX).map(u32::from)
}

fn no_before(name: &Name, _: ParseStream<'_>) -> syn::Result<()> {
    Err(name.error(
        "a push invalidates nothing, so there is nothing that the old state could name; write \
         `#[invalidates(.., before = ..)]` at a function that writes one row, and call that",
    ))
}

fn merge(name: &Name, input: ParseStream<'_>) -> syn::Result<Merge> {
    let path = name.path(input)?;
    Ok(if path.is_ident("none") { Merge::None } else { Merge::By(path) })
}

fn on_unavailable(name: &Name, input: ParseStream<'_>) -> syn::Result<WhenUnavailable> {
    choice(
        name,
        input,
        "choice",
        &[("direct", WhenUnavailable::Direct), ("error", WhenUnavailable::Error)],
    )
}
