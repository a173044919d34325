//! The options of `#[cached]`.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{
    Error, Expr, ExprClosure, ExprLit, Ident, Lit, LitBool, Path, Token, parenthesized, token,
};

use super::batch::BatchArg;
use super::duration::Duration;
use super::value::{cache, codec, count, duration, function, number, version};
use super::{KeyArg, Known, Name, Slot, all_pieces, each_piece};
use crate::diagnostics::{Diagnostics, Reported};
use crate::syntax;
use crate::template::{Kind, Template};

pub(super) const KNOWN: &Known = &[
    ("key", r#"key = "user:<id>""#),
    ("ttl", r#"ttl = "1h""#),
    ("batch", "batch(id in ids)"),
    ("lock", r#"lock`, or `lock(wait = "5s", lease = "10s")"#),
    ("tags", r#"tags = ["org:<org_id>"]"#),
    ("skip", "skip(db)"),
    ("pooled", "pooled"),
    ("none_ttl", r#"none_ttl = "30s""#),
    ("when", "when = !fresh"),
    ("unless", "unless = |user: &User| user.is_guest"),
    ("jitter", "jitter = 0.1"),
    ("cache", "cache = self.cache"),
    ("codec", "codec = MessagePack"),
    ("version", "version = 2"),
    ("max_concurrent_loads", "max_concurrent_loads = 8"),
    ("shed_after", r#"shed_after = "1s""#),
    ("budget", r#"budget = "50ms""#),
    ("stale_while_revalidate", r#"stale_while_revalidate = "10m""#),
    ("stale_if_error", r#"stale_if_error = "1h""#),
    ("early", "early = 1.0"),
    ("load_timeout", r#"load_timeout = "2s""#),
    (
        "error_ttl",
        "error_ttl = |error: &Error| error.is_missing().then_some(Duration::from_secs(5))",
    ),
    ("strict_values", "strict_values"),
    ("lossy_values", "lossy_values"),
    ("companion", "companion = false"),
    ("crate", "crate = path::to::cache_runtime"),
];

const KNOWN_TO_LOCK: &Known =
    &[("wait", r#"lock(wait = "5s")"#), ("lease", r#"lock(lease = "10s")"#)];

#[derive(Default)]
pub(crate) struct CachedArgs {
    pub(crate) key: Slot<KeyArg>,
    pub(crate) ttl: Slot<Ttl>,
    pub(crate) batch: Slot<BatchArg>,
    pub(crate) lock: Slot<Lock>,
    pub(crate) tags: Slot<Vec<Template>>,
    pub(crate) skip: Slot<Vec<Ident>>,
    pub(crate) pooled: Slot<()>,
    pub(crate) none_ttl: Slot<Duration>,
    pub(crate) when: Slot<Expr>,
    pub(crate) unless: Slot<Expr>,
    pub(crate) jitter: Slot<f64>,
    pub(crate) cache: Slot<Expr>,
    pub(crate) codec: Slot<Ident>,
    pub(crate) version: Slot<u32>,
    pub(crate) max_concurrent_loads: Slot<u32>,
    pub(crate) shed_after: Slot<Duration>,
    pub(crate) budget: Slot<Duration>,
    pub(crate) stale_while_revalidate: Slot<Duration>,
    pub(crate) stale_if_error: Slot<Duration>,
    pub(crate) early: Slot<f64>,
    pub(crate) load_timeout: Slot<Duration>,
    pub(crate) error_ttl: Slot<Expr>,
    pub(crate) strict_values: Slot<()>,
    /// Where it stands.
    pub(crate) lossy_values: Slot<Span>,
    pub(crate) companion: Slot<Companion>,
    pub(crate) runtime: Slot<Path>,
    /// Something could not be parsed and was skipped. It may have held an option that now seems to be missing.
    pub(crate) skipped: bool,
    /// All options, as written: for the catalogue.
    pub(crate) text: String,
}

/// The function that makes the key.
pub(crate) enum Companion {
    /// None is generated.
    None,
    /// `get_user_key` for `get_user`.
    Usual,
    /// It has a name of its own, since somebody else has the usual one.
    Named(Ident),
}

pub(crate) enum Ttl {
    /// The same for every value.
    Fixed(Duration),
    /// `|value| ..`
    Of(ExprClosure),
}

impl Ttl {
    /// Whether its expression uses the variable `name`. The modules of a path are none: `self::config::TTL`.
    pub(crate) fn uses(&self, name: &str) -> bool {
        matches!(self, Self::Fixed(Duration::Expr(expr)) if syntax::uses(expr, name))
    }
}

/// `lock(wait = .., lease = ..)`
#[derive(Default)]
pub(crate) struct Lock {
    pub(crate) wait: Slot<Duration>,
    pub(crate) lease: Slot<Duration>,
}

impl CachedArgs {
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
            "key" => self.key.fill(&name, KeyArg::parse(&name, input, Kind::Key), diagnostics),
            "ttl" => self.ttl.fill(&name, ttl(&name, input), diagnostics),
            "batch" => self.batch.fill(&name, BatchArg::after(&name, input), diagnostics),
            "lock" => self.lock.fill(&name, Lock::parse(&name, input, diagnostics), diagnostics),
            "tags" => self.tags.fill(&name, tags(&name, input), diagnostics),
            "skip" => self.skip.fill(&name, skip(&name, input), diagnostics),
            "pooled" => self.pooled.fill(&name, name.flag(input), diagnostics),
            "none_ttl" => self.none_ttl.fill(&name, duration(&name, input), diagnostics),
            "when" => self.when.fill(&name, when(&name, input), diagnostics),
            "unless" => self.unless.fill(&name, function(&name, input), diagnostics),
            "jitter" => self.jitter.fill(&name, jitter(&name, input), diagnostics),
            "cache" => self.cache.fill(&name, cache(&name, input), diagnostics),
            "codec" => self.codec.fill(&name, codec(&name, input), diagnostics),
            "version" => self.version.fill(&name, version(&name, input), diagnostics),
            "max_concurrent_loads" => {
                self.max_concurrent_loads.fill(&name, loads(&name, input), diagnostics)
            }
            "shed_after" => self.shed_after.fill(&name, duration(&name, input), diagnostics),
            "budget" => self.budget.fill(&name, duration(&name, input), diagnostics),
            "stale_while_revalidate" => {
                self.stale_while_revalidate.fill(&name, duration(&name, input), diagnostics)
            }
            "stale_if_error" => {
                self.stale_if_error.fill(&name, duration(&name, input), diagnostics)
            }
            "early" => self.early.fill(&name, early(&name, input), diagnostics),
            "load_timeout" => self.load_timeout.fill(&name, duration(&name, input), diagnostics),
            "error_ttl" => self.error_ttl.fill(&name, function(&name, input), diagnostics),
            "strict_values" => self.strict_values.fill(&name, name.flag(input), diagnostics),
            "lossy_values" => {
                let place = name.flag(input).map(|()| name.ident.span());
                self.lossy_values.fill(&name, place, diagnostics)
            }
            "companion" => self.companion.fill(&name, companion(&name, input), diagnostics),
            _ => self.runtime.fill(&name, name.path(input), diagnostics),
        }
    }
}

impl Lock {
    fn parse(name: &Name, input: ParseStream<'_>, diagnostics: &Diagnostics) -> syn::Result<Self> {
        let mut lock = Self::default();
        if input.peek(token::Paren) {
            let inside;
            parenthesized!(inside in input);
            each_piece(&inside, diagnostics, |input| {
                let name =
                    Name::parse(input, KNOWN_TO_LOCK).map_err(|error| diagnostics.report(error))?;
                let slot = if name.text == "wait" { &mut lock.wait } else { &mut lock.lease };
                slot.fill(&name, duration(&name, input), diagnostics)
            });
        } else {
            name.flag(input)?;
        }
        Ok(lock)
    }
}

fn ttl(name: &Name, input: ParseStream<'_>) -> syn::Result<Ttl> {
    match name.expr(input)? {
        Expr::Closure(of) => Ok(Ttl::Of(of)),
        expr => Duration::new(expr, &name.text).map(Ttl::Fixed),
    }
}

fn tags(name: &Name, input: ParseStream<'_>) -> syn::Result<Vec<Template>> {
    let Expr::Array(list) = name.expr(input)? else {
        return Err(name.misused("takes a list"));
    };
    if list.elems.is_empty() {
        return Err(name.misused("names nothing"));
    }
    let (mut templates, mut mistakes) = (Vec::new(), None::<Error>);
    for tag in list.elems {
        match (tag_template(tag), &mut mistakes) {
            (Ok(template), _) => templates.push(template),
            (Err(mistake), Some(mistakes)) => mistakes.combine(mistake),
            (Err(mistake), none) => *none = Some(mistake),
        }
    }
    mistakes.map_or(Ok(templates), Err)
}

fn tag_template(tag: Expr) -> syn::Result<Template> {
    match syntax::ungrouped(tag) {
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => Template::parse(literal, Kind::Tag),
        tag => Err(Error::new_spanned(
            tag,
            "a tag is a template in quotes, such as `\"org:<org_id>\"`",
        )),
    }
}

fn skip(name: &Name, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    if !input.peek(token::Paren) {
        return Err(name.misused("takes names in parentheses"));
    }
    let inside;
    parenthesized!(inside in input);
    let names = Punctuated::<Ident, Token![,]>::parse_terminated_with(&inside, Ident::parse_any)
        .map_err(|_| name.misused("takes names in parentheses"))?;
    if names.is_empty() {
        return Err(name.misused("names nothing"));
    }
    Ok(names.into_iter().collect())
}

fn when(name: &Name, input: ParseStream<'_>) -> syn::Result<Expr> {
    match name.expr(input)? {
        Expr::Closure(closure) => {
            let message = format!(
                "`when` is a `bool` over the parameters, not a closure: write `{}`",
                name.example
            );
            Err(Error::new_spanned(closure, message))
        }
        condition => Ok(condition),
    }
}

fn companion(name: &Name, input: ParseStream<'_>) -> syn::Result<Companion> {
    name.value(input, |input| {
        if input.peek(LitBool) {
            let LitBool { value, .. } = input.parse()?;
            return Ok(if value { Companion::Usual } else { Companion::None });
        }
        let start = input.fork();
        input.parse().map(Companion::Named).map_err(|_| {
            start.error(
                "`companion` is `false`, or the name of the function that makes the key: write \
                         `companion = user_entry`",
            )
        })
    })
}

fn loads(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    count(name, input, "how many bodies run at once", u32::MAX)
}

fn jitter(name: &Name, input: ParseStream<'_>) -> syn::Result<f64> {
    let message = "`jitter` is a fraction of the ttl, a number from 0.0 to 1.0";
    number(name, input, message, |fraction| (0.0..=1.0).contains(&fraction))
}

fn early(name: &Name, input: ParseStream<'_>) -> syn::Result<f64> {
    let message = "`early` is a factor, a number above 0.0: with 1.0 a value is refreshed about one load's time \
                   before its end, with 2.0 two";
    number(name, input, message, |beta| beta > 0.0 && beta.is_finite())
}

#[cfg(test)]
mod tests;
