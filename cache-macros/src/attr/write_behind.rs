//! The options of `#[write_behind]`.

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::{Error, Expr, Ident, LitStr, Path};

use super::duration::Duration;
use super::put::Put;
use super::value::{cache, choice, codec, count, duration, version};
use super::{KeyArg, Known, Name, Slot, all_pieces};
use crate::diagnostics::{Diagnostics, Reported};
use crate::template::{Kind, Template};

pub(super) const KNOWN: &Known = &[
    ("queue", r#"queue = "page-views""#),
    ("key", r#"key = "<view.page>""#),
    ("batch", "batch = 500"),
    ("linger", r#"linger = "1s""#),
    ("partitions", "partitions = 8"),
    ("merge", "merge = PageView::add`, or `merge = none"),
    ("put", "put(get_views(view.page) = view.count)"),
    ("max_len", "max_len = 100_000"),
    ("push_timeout", r#"push_timeout = "1s""#),
    ("max_attempts", "max_attempts = 5"),
    ("max_deliveries", "max_deliveries = 10"),
    ("on_unavailable", r#"on_unavailable = "error""#),
    ("replicas", "replicas = 1"),
    ("lease", r#"lease = "5s""#),
    ("sink_timeout", r#"sink_timeout = "30s""#),
    ("error_kind", "error_kind = kind_of"),
    ("codec", "codec = MessagePack"),
    ("version", "version = 2"),
    ("lossy_values", "lossy_values"),
    ("pooled", "pooled"),
    ("cache", "cache = CACHE.get()"),
    ("crate", "crate = path::to::cache_runtime"),
];

/// The longest name of a queue, which is part of every key that belongs to it.
const LONGEST_NAME: usize = 128;

/// The most partitions. Each is a stream with an owner of its own.
const MOST_PARTITIONS: u32 = 256;

/// The largest batch. A larger one would gain nothing, and is held in memory twice.
const LARGEST_BATCH: u32 = 100_000;

#[derive(Default)]
pub(crate) struct WriteBehindArgs {
    pub(crate) queue: Slot<LitStr>,
    pub(crate) key: Slot<Template>,
    pub(crate) batch: Slot<u32>,
    pub(crate) linger: Slot<Duration>,
    pub(crate) partitions: Slot<u32>,
    pub(crate) merge: Slot<Merge>,
    /// A malformed one counts as one.
    pub(crate) puts: Vec<Result<Put, Reported>>,
    pub(crate) max_len: Slot<u64>,
    pub(crate) push_timeout: Slot<Duration>,
    pub(crate) max_attempts: Slot<u32>,
    pub(crate) max_deliveries: Slot<u32>,
    pub(crate) on_unavailable: Slot<WhenUnavailable>,
    pub(crate) replicas: Slot<u32>,
    pub(crate) lease: Slot<Duration>,
    pub(crate) sink_timeout: Slot<Duration>,
    /// A function from the sink's error to its kind.
    pub(crate) error_kind: Slot<Path>,
    pub(crate) codec: Slot<Ident>,
    pub(crate) version: Slot<u32>,
    pub(crate) lossy_values: Slot<()>,
    pub(crate) pooled: Slot<()>,
    pub(crate) cache: Slot<Expr>,
    pub(crate) runtime: Slot<Path>,
    /// Something could not be parsed and was skipped. It may have held an option that now seems to be missing.
    pub(crate) skipped: bool,
    /// All options, as written: for the catalogue.
    pub(crate) text: String,
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
        args.skipped = all_pieces(tokens, diagnostics, |input| args.option(input, diagnostics));
        args
    }

    fn option(
        &mut self,
        input: ParseStream<'_>,
        diagnostics: &Diagnostics,
    ) -> Result<(), Reported> {
        let name = Name::parse(input, KNOWN).map_err(|error| diagnostics.report(error))?;
        match name.text.as_str() {
            "queue" => self.queue.fill(&name, queue(&name, input), diagnostics),
            "key" => self.key.fill(&name, key(&name, input), diagnostics),
            "batch" => self.batch.fill(&name, batch(&name, input), diagnostics),
            "linger" => self.linger.fill(&name, duration(&name, input), diagnostics),
            "partitions" => self.partitions.fill(&name, partitions(&name, input), diagnostics),
            "merge" => self.merge.fill(&name, merge(&name, input), diagnostics),
            "put" => Put::parse_all(&name, input, &mut self.puts, diagnostics),
            "max_len" => self.max_len.fill(&name, max_len(&name, input), diagnostics),
            "push_timeout" => self.push_timeout.fill(&name, duration(&name, input), diagnostics),
            "max_attempts" => self.max_attempts.fill(&name, attempts(&name, input), diagnostics),
            "max_deliveries" => {
                self.max_deliveries.fill(&name, deliveries(&name, input), diagnostics)
            }
            "on_unavailable" => {
                self.on_unavailable.fill(&name, on_unavailable(&name, input), diagnostics)
            }
            "replicas" => self.replicas.fill(&name, replicas(&name, input), diagnostics),
            "lease" => self.lease.fill(&name, duration(&name, input), diagnostics),
            "sink_timeout" => self.sink_timeout.fill(&name, duration(&name, input), diagnostics),
            "error_kind" => self.error_kind.fill(&name, name.path(input), diagnostics),
            "version" => self.version.fill(&name, version(&name, input), diagnostics),
            "lossy_values" => self.lossy_values.fill(&name, name.flag(input), diagnostics),
            "codec" => self.codec.fill(&name, codec(&name, input), diagnostics),
            "pooled" => self.pooled.fill(&name, name.flag(input), diagnostics),
            "cache" => self.cache.fill(&name, cache(&name, input), diagnostics),
            _ => self.runtime.fill(&name, name.path(input), diagnostics),
        }
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
    match KeyArg::parse(name, input, Kind::Key)? {
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
