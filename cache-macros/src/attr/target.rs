//! The targets of an invalidation.

use proc_macro2::{Group, TokenTree};
use quote::ToTokens as _;
use syn::parse::ParseStream;
use syn::{Error, Expr, ExprCall, ExprLit, ExprMethodCall, Ident, Lit, Path, Token};

use super::argument::Slot;
use super::each::Each;
use super::kept;
use super::key::KeyArg;
use super::name::Name;
use super::options::options;
use super::unknown::unnamed_text;
use crate::diagnostics::collect;
use crate::syntax;
use crate::template::{Kind, Template};

// How the targets are written that look like options.
pub(super) const KEY: &str = r#"key = "user:<id>""#;
pub(super) const TAG: &str = r#"tag = "org:<org_id>""#;
pub(super) const PATTERN: &str = r#"pattern = "user:<id>:*""#;

options! {
    /// A target that is written like an option.
    struct Named {
        target: Slot<Target> =
            ("key", KEY, Target::key),
            ("tag", TAG, Target::tag),
            ("pattern", PATTERN, Target::pattern);
    }
}

/// A target of an invalidation, as written.
pub(crate) enum Target {
    /// `get_user(id)`, `Self::get_user(id)`
    Function(ExprCall),
    /// `self.get_user(id)`
    Method(ExprMethodCall),
    /// `key = ..`
    Key(KeyArg),
    /// `tag = ..`
    Tag(KeyArg),
    /// `pattern = ".."`
    Pattern(Template),
    /// `each(id in ids) get_user(id)`
    Each(Each, Box<Target>),
    /// A target inside of `keep_stale(..)`; the word.
    KeptStale(Ident, Box<Target>),
}

impl Target {
    /// Parses a target that is not written like an option.
    pub(super) fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if Each::is_next(input) {
            let each: Each = input.parse()?;
            if input.is_empty() || input.peek(Token![,]) {
                let message = "each of what? write `each(id in ids) get_user(id)`";
                return Err(Error::new(each.word.span(), message));
            }
            return Ok(Self::Each(each, Box::new(Self::named_or_not(input)?)));
        }
        let looped = input.fork().parse::<Token![for]>().map(|word| word.span).ok();
        if let Some(span) = Each::meant(input).map(|word| word.span()).or(looped) {
            let message = "one target for each item is written `each(id in ids) get_user(id)`";
            return Err(Error::new(span, message));
        }
        let placeholder = placeholder(input);
        call(input.parse().map_err(|error| placeholder.unwrap_or(error))?).map(|call| match call {
            Call::Function(call) => Self::Function(call),
            Call::Method(call) => Self::Method(call),
        })
    }

    /// The target that stands behind `each(..)`, or in `keep_stale(..)`.
    pub(super) fn named_or_not(input: ParseStream<'_>) -> syn::Result<Self> {
        if kept::is_next(input) {
            return Err(input.error("write `keep_stale(each(..) ..)`, and once around all of it"));
        }
        if !Named::OPTIONS.is_next(input) {
            return Self::parse(input);
        }
        let (name, read) = Named::OPTIONS.name(input)?;
        let mut named = Named::default();
        let target = collect(|diagnostics| {
            read(&mut named, &name, input, diagnostics)?;
            named.target.into_value()
        });
        target?.ok_or_else(|| name.misused("names nothing"))
    }

    /// `key = ..`
    pub(super) fn key(name: &Name, input: ParseStream<'_>) -> syn::Result<Self> {
        KeyArg::key(name, input).map(Self::Key)
    }

    /// `tag = ..`
    pub(super) fn tag(name: &Name, input: ParseStream<'_>) -> syn::Result<Self> {
        KeyArg::parse(name, input, Kind::Tag).map(Self::Tag)
    }

    /// The pattern that it is, or that stands behind `each(..)`.
    pub(crate) fn pattern_in(&self) -> Option<&Template> {
        match self {
            Self::Pattern(pattern) => Some(pattern),
            Self::Each(_, target) | Self::KeptStale(_, target) => target.pattern_in(),
            Self::Function(_) | Self::Method(_) | Self::Key(_) | Self::Tag(_) => None,
        }
    }

    /// `pattern = ".."`
    pub(super) fn pattern(name: &Name, input: ParseStream<'_>) -> syn::Result<Self> {
        match KeyArg::parse(name, input, Kind::Pattern)? {
            KeyArg::Template(template) => Ok(Self::Pattern(template)),
            KeyArg::Expr(expr) => Err(Error::new_spanned(
                expr,
                "a pattern is a template in quotes, such as `\"user:<id>:*\"`",
            )),
        }
    }
}

/// Whether a target is written like the option `name`.
pub(super) fn is_named(name: &str) -> bool {
    Named::OPTIONS.has(name)
}

/// A target that is a call.
pub(super) enum Call {
    Function(ExprCall),
    Method(ExprMethodCall),
}

pub(super) fn call(expr: Expr) -> syn::Result<Call> {
    let expr = syntax::ungrouped(expr);
    let message = match expr {
        Expr::MethodCall(call) => return Ok(Call::Method(call)),
        Expr::Call(call) if matches!(*call.func, Expr::Path(_)) => {
            return Ok(Call::Function(call));
        }
        Expr::Lit(ExprLit { lit: Lit::Str(ref key), .. }) => return Err(unnamed_text("key", key)),
        Expr::Path(ref path) => {
            let name = path.to_token_stream();
            format!("a target is a call: write `{name}(..)`, with the arguments of the cached call")
        }
        _ => "expected a target: a call of a cached function, such as `get_user(id)`, \
              or `key = \"user:<id>\"`"
            .to_owned(),
    };
    Err(Error::new_spanned(expr, message))
}

/// `get_user(<id>)`
fn placeholder(input: ParseStream<'_>) -> Option<Error> {
    let ahead = input.fork();
    ahead.call(Path::parse_mod_style).ok()?;
    let arguments = ahead.parse::<Group>().ok()?.stream();
    let first = arguments.into_iter().next()?;
    let message = "placeholders belong in templates; a target takes the arguments of a call: \
                   write `get_user(id)`";
    matches!(&first, TokenTree::Punct(punct) if punct.as_char() == '<')
        .then(|| Error::new(first.span(), message))
}
