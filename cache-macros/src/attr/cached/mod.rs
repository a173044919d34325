//! The options of `#[cached]`.

#[cfg(test)]
mod tests;

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprClosure, Ident, LitBool, Path, Token, parenthesized, token};

use super::argument::Slot;
use super::batch::BatchArg;
use super::duration::Duration;
use super::entry::entry;
use super::key::KeyArg;
use super::name::Name;
use super::options::options;
use super::pieces::{all_pieces, each_piece};
use super::tags::{Tags, tags};
use super::value::{cache, codec, count, duration, function, number, version};
use crate::diagnostics::{Diagnostics, collect};
use crate::syntax;

options! {
    /// The options of `#[cached]`.
    struct CachedArgs {
        key: Slot<KeyArg> = ("key", r#"key = "user:<id>""#, KeyArg::key);
        ttl: Slot<Ttl> = ("ttl", r#"ttl = "1h""#, ttl);
        batch: Slot<BatchArg> = ("batch", "batch(id in ids)", BatchArg::after);
        lock: Slot<Lock> = ("lock", r#"lock`, or `lock(wait = "5s", lease = "10s")"#, lock);
        tags: Slot<Tags> = ("tags", r#"tags = ["org:<org_id>"]"#, tags);
        entry: Slot<ExprClosure> =
            ("entry", "entry = |user: &User| get_user_key(&user.id)", entry);
        skip: Slot<Vec<Ident>> = ("skip", "skip(db)", skip);
        pooled: Slot<()> = ("pooled", "pooled", Name::flag);
        none_ttl: Slot<Duration> = ("none_ttl", r#"none_ttl = "30s""#, duration, setting);
        when: Slot<Expr> = ("when", "when = !fresh", when);
        unless: Slot<Expr> = ("unless", "unless = |user: &User| user.is_guest", function);
        jitter: Slot<f64> = ("jitter", "jitter = 0.1", jitter, setting);
        cache: Slot<Expr> = ("cache", "cache = self.cache", cache);
        codec: Slot<Ident> = ("codec", "codec = MessagePack", codec, setting);
        version: Slot<u32> = ("version", "version = 2", version, setting);
        max_concurrent_loads: Slot<u32> =
            ("max_concurrent_loads", "max_concurrent_loads = 8", loads, setting);
        shed_after: Slot<Duration> = ("shed_after", r#"shed_after = "1s""#, duration, setting);
        budget: Slot<Duration> = ("budget", r#"budget = "50ms""#, duration, setting);
        stale_while_revalidate: Slot<Duration> =
            ("stale_while_revalidate", r#"stale_while_revalidate = "10m""#, duration, setting);
        stale_if_error: Slot<Duration> =
            ("stale_if_error", r#"stale_if_error = "1h""#, duration, setting);
        early: Slot<f64> = ("early", "early = 1.0", early, setting);
        load_timeout: Slot<Duration> =
            ("load_timeout", r#"load_timeout = "2s""#, duration, setting);
        error_ttl: Slot<Expr> = (
            "error_ttl",
            "error_ttl = |error: &Error| error.is_missing().then_some(Duration::from_secs(5))",
            function
        );
        strict_values: Slot<()> = ("strict_values", "strict_values", Name::flag, setting);
        /// Where it stands.
        lossy_values: Slot<Span> = ("lossy_values", "lossy_values", place, setting);
        companion: Slot<Companion> = ("companion", "companion = false", companion);
        runtime: Slot<Path> = ("crate", "crate = path::to::cache_runtime", Name::path);
        /// Something could not be parsed and was skipped. It may have held an option that now seems
        /// to be missing.
        skipped: bool;
        /// All options, as written: for the catalogue.
        text: String;
    }
}

/// The function that makes the key.
pub(crate) enum Companion {
    /// None is generated.
    None,
    /// `get_user_key` for `get_user`.
    Usual,
    /// It has a name of its own, where another item has the usual one.
    Named(Ident),
}

pub(crate) enum Ttl {
    /// The same for every value.
    Fixed(Duration),
    /// `|value| ..`
    Of(ExprClosure),
}

impl Ttl {
    /// Whether its expression uses the variable `name`. The modules of a path are none:
    /// `self::config::TTL`.
    pub(crate) fn uses(&self, name: &str) -> bool {
        matches!(self, Self::Fixed(Duration::Expr(expr)) if syntax::uses(expr, name))
    }
}

options! {
    /// `lock(wait = .., lease = ..)`
    struct Lock {
        wait: Slot<Duration> = ("wait", r#"lock(wait = "5s")"#, duration, setting);
        lease: Slot<Duration> = ("lease", r#"lock(lease = "10s")"#, duration, setting);
    }
}

impl CachedArgs {
    /// Parses as much as possible, and reports the rest to `diagnostics`.
    pub(crate) fn parse(tokens: TokenStream, diagnostics: &Diagnostics) -> Self {
        let mut args = Self { text: tokens.to_string(), ..Self::default() };
        args.skipped = all_pieces(tokens, diagnostics, |input| {
            Self::OPTIONS.read(&mut args, input, diagnostics)
        });
        args
    }
}

fn lock(name: &Name, input: ParseStream<'_>) -> syn::Result<Lock> {
    if !input.peek(token::Paren) {
        return name.flag(input).map(|()| Lock::default());
    }
    let inside;
    parenthesized!(inside in input);
    collect(|diagnostics| {
        let mut lock = Lock::default();
        each_piece(&inside, diagnostics, |input| Lock::OPTIONS.read(&mut lock, input, diagnostics));
        Ok(lock)
    })
}

fn ttl(name: &Name, input: ParseStream<'_>) -> syn::Result<Ttl> {
    match name.expr(input)? {
        Expr::Closure(of) => Ok(Ttl::Of(of)),
        expr => Duration::new(expr, &name.text).map(Ttl::Fixed),
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

/// A flag whose place a message about it needs.
fn place(name: &Name, input: ParseStream<'_>) -> syn::Result<Span> {
    name.flag(input).map(|()| name.ident.span())
}

fn loads(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    count(name, input, "how many bodies run at once", u32::MAX)
}

fn jitter(name: &Name, input: ParseStream<'_>) -> syn::Result<f64> {
    let message = "`jitter` is a fraction of the ttl, a number from 0.0 to 1.0";
    number(name, input, message, |fraction| (0.0..=1.0).contains(&fraction))
}

fn early(name: &Name, input: ParseStream<'_>) -> syn::Result<f64> {
    let message = "`early` is a factor, a number above 0.0: with 1.0 a value is refreshed about \
                   one load's time before its end, with 2.0 two";
    number(name, input, message, |beta| beta > 0.0 && beta.is_finite())
}
