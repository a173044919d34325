//! What the user wrote in the attribute, with its spans. Nothing here looks at two options together.

pub(crate) mod batch;
pub(crate) mod cached;
#[cfg(test)]
mod documented;
pub(crate) mod duration;
pub(crate) mod each;
pub(crate) mod invalidates;
pub(crate) mod put;
pub(crate) mod target;
mod value;
pub(crate) mod write_behind;
pub(crate) mod write_through;

use std::fmt::Display;

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Error, Expr, ExprLit, ExprMacro, ExprPath, Ident, Lit, LitStr, Path, Token};

use crate::diagnostics::{Diagnostics, Reported, did_you_mean, nearest};
use crate::syntax;
use crate::template::{Kind, Template};

/// The options of one attribute: each name, with an example of how it is written.
type Known = [(&'static str, &'static str)];

/// The value of an option that can be given once.
///
/// A malformed value is remembered as such, so that the option does not count as missing.
pub(crate) struct Slot<T>(Option<Result<T, Reported>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Slot<T> {
    fn fill(
        &mut self,
        name: &Name,
        value: syn::Result<T>,
        diagnostics: &Diagnostics,
    ) -> Result<(), Reported> {
        if self.0.is_some() {
            let twice = format!("`{}` is given twice; keep one", name.text);
            return Err(diagnostics.report(name.error(twice)));
        }
        let value = value.map_err(|error| diagnostics.report(error));
        let read = value.as_ref().map(drop).map_err(|&reported| reported);
        self.0 = Some(value);
        read
    }

    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// The value, if the option is given.
    pub(crate) fn get(&self) -> Result<Option<&T>, Reported> {
        self.0.as_ref().map(Result::as_ref).transpose().map_err(|&reported| reported)
    }
}

/// Parses the arguments of an attribute, piece by piece. Returns whether anything was skipped.
fn all_pieces(
    tokens: TokenStream,
    diagnostics: &Diagnostics,
    piece: impl FnMut(ParseStream<'_>) -> Result<(), Reported>,
) -> bool {
    let parser = |input: ParseStream<'_>| Ok(each_piece(input, diagnostics, piece));
    parser.parse2(tokens).unwrap_or_else(|error| {
        // Tokens that a rejected piece left unread inside its parentheses are not a mistake of their own.
        if diagnostics.is_empty() {
            diagnostics.report(error);
        }
        true
    })
}

/// Parses comma-separated pieces; after a malformed one it continues behind the next comma.
///
/// Returns whether anything was skipped: it may have held an option that now seems to be missing.
fn each_piece(
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

/// An option's name, with what a message about its misuse needs.
struct Name {
    ident: Ident,
    text: String,
    /// How the option is written.
    example: &'static str,
}

impl Name {
    fn parse(input: ParseStream<'_>, known: &Known) -> syn::Result<Self> {
        let Ok(ident) = input.call(Ident::parse_any) else {
            return Err(unnamed(input, known));
        };
        let text = ident.unraw().to_string();
        match known.iter().find(|&&(name, _)| name == text) {
            Some(&(_, example)) => Ok(Self { ident, text, example }),
            None => Err(unknown(&ident, &text, known)),
        }
    }

    fn error(&self, message: impl Display) -> Error {
        Error::new(self.ident.span(), message)
    }

    /// `= value`
    fn value<T>(
        &self,
        input: ParseStream<'_>,
        parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
    ) -> syn::Result<T> {
        if input.parse::<Token![=]>().is_err() || input.is_empty() || input.peek(Token![,]) {
            return Err(self.misused("needs a value"));
        }
        parse(input)
    }

    /// `= expression`
    fn expr(&self, input: ParseStream<'_>) -> syn::Result<Expr> {
        self.value(input, Expr::parse).map(syntax::ungrouped)
    }

    /// `= literal`
    fn literal<T: Parse>(&self, input: ParseStream<'_>, message: &str) -> syn::Result<T> {
        self.value(input, |input| {
            let start = input.fork();
            input.parse().map_err(|_| start.error(message))
        })
    }

    /// Nothing: naming the option sets it.
    fn flag(&self, input: ParseStream<'_>) -> syn::Result<()> {
        if input.is_empty() || input.peek(Token![,]) {
            Ok(())
        } else {
            Err(self.misused("takes no value"))
        }
    }

    /// `= path`
    fn path(&self, input: ParseStream<'_>) -> syn::Result<Path> {
        // Parses a whole expression, so that no part of it is taken for the next option.
        match self.expr(input) {
            Ok(Expr::Path(ExprPath { qself: None, path, .. })) => Ok(path),
            _ => Err(self.misused("is a path")),
        }
    }

    fn misused(&self, how: &str) -> Error {
        self.error(format!("`{}` {how}: write `{}`", self.text, self.example))
    }
}

/// Whether an option follows: `name = ..`, or a lone name that is a flag or looks like one misspelt.
fn is_option(input: ParseStream<'_>, known: &Known) -> bool {
    let ahead = input.fork();
    let Ok(name) = ahead.call(Ident::parse_any) else {
        return false;
    };
    let alone = ahead.is_empty() || ahead.peek(Token![,]);
    let names: Vec<_> = known.iter().map(|&(name, _)| name).collect();
    (alone && nearest(&name.to_string(), &names).is_some())
        || (ahead.peek(Token![=]) && !ahead.peek(Token![==]))
}

/// `key = ..`, `tag = ..` or `pattern = ..`: a literal is a template, anything else an expression.
pub(crate) enum KeyArg {
    Template(Template),
    Expr(Expr),
}

impl KeyArg {
    fn parse(name: &Name, input: ParseStream<'_>, kind: Kind) -> syn::Result<Self> {
        match name.expr(input)? {
            Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => {
                Template::parse(literal, kind).map(Self::Template)
            }
            Expr::Lit(literal) => {
                let message =
                    format!("`{}` is text in quotes: write `{}`", name.text, name.example);
                Err(Error::new_spanned(literal, message))
            }
            Expr::Macro(ExprMacro { mac, .. })
                if kind == Kind::Key && mac.path.is_ident("format") =>
            {
                let message = format!(
                    "a key is a template of its own, which keeps arguments apart, and no `format!`: write `{}`",
                    name.example
                );
                Err(Error::new_spanned(mac, message))
            }
            Expr::Macro(ExprMacro { mac, .. }) if kind != Kind::Tag && makes_text(&mac.path) => {
                let message = format!(
                    "a template is read before any macro in it runs, so its text is in quotes: write `{}`",
                    name.example
                );
                Err(Error::new_spanned(mac, message))
            }
            Expr::Path(path) if kind != Kind::Tag && is_constant(&path.path) => {
                Err(Error::new_spanned(&path, of_constant(name, kind)))
            }
            expr => Ok(Self::Expr(expr)),
        }
    }
}

/// Whether it is a macro whose value is text.
fn makes_text(path: &Path) -> bool {
    const MACROS: &[&str] = &["concat", "concatcp", "env", "formatcp", "include_str", "stringify"];
    path.segments.last().is_some_and(|it| MACROS.iter().any(|name| it.ident == name))
}

/// Whether it is written like a constant: `USER_KEY`.
fn is_constant(path: &Path) -> bool {
    path.segments.last().is_some_and(|it| {
        let name = it.ident.unraw().to_string();
        name.len() > 1 && !name.contains(char::is_lowercase) && name.contains(char::is_uppercase)
    })
}

fn of_constant(name: &Name, kind: Kind) -> String {
    let text = format!(
        "a template is read before the value of a constant is known, so its text is in quotes: write `{}`",
        name.example
    );
    match kind {
        Kind::Key => format!(
            "{text}; where several functions share entries, one has the template, and the others say `key = get_user_key(&id)`"
        ),
        Kind::Tag | Kind::Pattern => text,
    }
}

/// A value without the name of its option.
fn unnamed(input: ParseStream<'_>, known: &Known) -> Error {
    let (first, example) = known.first().copied().unwrap_or_default();
    match input.fork().parse::<LitStr>() {
        Ok(text) if matches!(first, "key" | "queue") => unnamed_text(first, &text),
        _ => input.error(format!("expected an option, such as `{example}`")),
    }
}

/// What to do instead of an option that other crates have, and this one needs none for.
fn instead_of(text: &str) -> Option<&'static str> {
    Some(match text {
        "result" => {
            "leave it out; of a `Result` only `Ok` is stored, and `error_ttl` remembers errors too"
        }
        "option" => {
            "leave it out; of an `Option` only `Some` is stored, and `none_ttl = \"30s\"` stores `None` too"
        }
        "size" | "max_size" | "max_capacity" | "unbound" | "unbounded" => {
            "the store is bounded as a whole: by `maxmemory` of Redis, or by `Cache::builder().capacity(..)` in memory"
        }
        "convert" => "the key is a template over the parameters: write `key = \"user:<id>\"`",
        "time" | "time_to_live" => {
            "for how long a value is served is `ttl`: write `ttl = \"1h\"`, or `ttl = 3600` for seconds"
        }
        "timeout" => {
            "for how long a value is served is `ttl`; how long a stale one waits for its load is `load_timeout`, and how \
             long Redis may keep a call waiting is `budget`"
        }
        "ty" | "create" | "redis" | "disk" | "map_error" => {
            "leave it out; entries are in the installed `Cache`, or the one that `cache = ..` names, and a store that \
             fails is no error of the call"
        }
        "with_cached_flag" => "leave it out; hits and loads are counted in `cache.stats()`",
        _ => return None,
    })
}

fn unnamed_text(name: &str, text: &LitStr) -> Error {
    let message = format!("a {name} is given by name: write `{name} = {}`", text.token());
    Error::new(text.span(), message)
}

fn unknown(ident: &Ident, text: &str, known: &Known) -> Error {
    // Of reads alone: elsewhere these words mean nothing.
    if known.iter().any(|&(name, _)| name == "none_ttl")
        && let Some(instead) = instead_of(text)
    {
        return Error::new(ident.span(), format!("there is no option `{text}`: {instead}"));
    }
    // What other libraries call the same thing.
    let elsewhere = match text {
        "expire" | "expires" | "expiry" | "ex" | "time" | "timeout" | "duration" | "seconds" => {
            "ttl"
        }
        "name" | "prefix" | "template" | "id" => "key",
        "cache_none" | "cache_null" | "negative_ttl" | "null_ttl" => "none_ttl",
        "cache_err" | "cache_error" => "error_ttl",
        "group" | "groups" => "tags",
        "grace" | "stale" | "swr" | "refresh" => "stale_while_revalidate",
        "beta" | "xfetch" => "early",
        "ignore" | "exclude" | "except" => "skip",
        "condition" | "cond" | "if" => "when",
        "mutex" | "sync" | "single_flight" | "sync_writes" => "lock",
        "serializer" | "serialize" | "format" => "codec",
        "store" | "client" | "connection" => "cache",
        "stream" | "topic" | "list" => "queue",
        "interval" | "delay" | "window" => "linger",
        "capacity" | "max_length" => "max_len",
        "retries" => "max_attempts",
        "shards" => "partitions",
        _ => text,
    };
    let names: Vec<_> = known.iter().map(|&(name, _)| name).collect();
    let hint = did_you_mean(elsewhere, &names);
    Error::new(ident.span(), format!("there is no option `{text}`{hint}"))
}
