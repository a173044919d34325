//! The options of `#[write_behind]`.

use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::{Error, Expr, Ident, LitStr, Path};

use super::duration::Duration;
use super::put::Put;
use super::value::{cache, choice, codec, count, duration};
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
    ("on_unavailable", r#"on_unavailable = "error""#),
    ("replicas", "replicas = 1"),
    ("lease", r#"lease = "5s""#),
    ("codec", "codec = MessagePack"),
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
    pub(crate) on_unavailable: Slot<WhenUnavailable>,
    pub(crate) replicas: Slot<u32>,
    pub(crate) lease: Slot<Duration>,
    pub(crate) codec: Slot<Ident>,
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
            "on_unavailable" => {
                self.on_unavailable.fill(&name, on_unavailable(&name, input), diagnostics)
            }
            "replicas" => self.replicas.fill(&name, replicas(&name, input), diagnostics),
            "lease" => self.lease.fill(&name, duration(&name, input), diagnostics),
            "codec" => self.codec.fill(&name, codec(&name, input), diagnostics),
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

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::diagnostics::collect;

    fn parse(tokens: TokenStream) -> Result<WriteBehindArgs, Vec<String>> {
        collect(|diagnostics| Ok(WriteBehindArgs::parse(tokens, diagnostics)))
            .map_err(|errors| errors.into_iter().map(|error| error.to_string()).collect())
    }

    #[test]
    fn every_known_option_is_read() {
        for (name, example) in KNOWN {
            for example in example.split("`, or `") {
                assert!(parse(example.parse().unwrap()).is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn all_options_together() {
        let args = parse(quote! {
            queue = "page-views", key = "<view.page>", batch = 500, linger = "1s", partitions = 8,
            merge = PageView::add, put(get_views(view.page) = view.count),
            put(api::get(view.a) = Some(view.b), Self::get(view.c) = 1,), max_len = 100_000,
            push_timeout = TIMEOUT, max_attempts = 5, on_unavailable = "error", replicas = 1,
            lease = "10s", codec = Json, cache = CACHE.get(), crate = crate::cache,
        })
        .unwrap();
        assert_eq!(args.puts.len(), 3);
        assert_eq!(args.partitions.get().unwrap(), Some(&8));
        assert_eq!(args.on_unavailable.get().unwrap(), Some(&WhenUnavailable::Error));
        let args = parse(quote!(queue = "a", merge = none)).unwrap();
        assert!(matches!(args.merge.get(), Ok(Some(Merge::None))));
    }

    #[test]
    fn mistakes() {
        for (tokens, message) in [
            (quote!(qeue = "a"), "there is no option `qeue`; did you mean `queue`?"),
            (quote!(stream = "a"), "there is no option `stream`; did you mean `queue`?"),
            (quote!(queue), "`queue` needs a value: write `queue = \"page-views\"`"),
            (
                quote!(queue = views),
                "`queue` is a name in quotes, such as `queue = \"page-views\"`",
            ),
            (quote!(queue = ""), "the name of a queue cannot be empty"),
            (quote!(queue = "page views"), "' ' cannot be part of a queue's name"),
            (quote!(queue = "{page}"), "'{' cannot be part of a queue's name"),
            (quote!(queue = "a", queue = "b"), "`queue` is given twice; keep one"),
            (quote!(key = view.page), "the key of an item is a template in quotes"),
            (quote!(key = "<view.page"), "`<` is never closed"),
            (
                quote!(batch = 0),
                "`batch` is how many items the sink is given at most: a number from 1 to 100000",
            ),
            (
                quote!(batch = "500"),
                "`batch` is how many items the sink is given at most: a number",
            ),
            (
                quote!(partitions = 1_000),
                "`partitions` is how many workers can share the queue: a number from 1 to 256",
            ),
            (quote!(linger = 0), "`linger` cannot be zero"),
            (quote!(max_len = -1), "`max_len` is how many items wait at most: a number from 1"),
            (quote!(max_attempts = 0), "`max_attempts` is how often the sink is given an item"),
            (quote!(replicas = 0), "`replicas` is how many replicas must have an item"),
            (
                quote!(merge = "add"),
                "`merge` is a path: write `merge = PageView::add`, or `merge = none`",
            ),
            (quote!(put = 1), "`put` takes a call and a value in parentheses: write `put("),
            (quote!(put()), "`put` names nothing: write `put("),
            (quote!(put(get_views(1))), "expected a call of a cached function and what it returns"),
            (
                quote!(put(get_views = 1)),
                "expected a call of a cached function and what it returns",
            ),
            (quote!(on_unavailable = error), "expected `\"direct\"` or `\"error\"`"),
            (
                quote!(on_unavailable = "sync"),
                "there is no choice `sync`; there are `direct` and `error`",
            ),
        ] {
            let text = tokens.to_string();
            let errors = parse(tokens).err().unwrap();
            assert_eq!(errors.len(), 1, "{text}: {errors:?}");
            assert!(errors[0].starts_with(message), "{text}: {errors:?}");
        }
    }

    #[test]
    fn reading_goes_on_after_a_mistake() {
        let tokens = quote!(queue = , merge, put(a, b = 1), partitions = x, batch = 7);
        assert_eq!(parse(tokens).err().unwrap().len(), 5);
    }
}
