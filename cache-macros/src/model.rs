//! What an attribute and its function come to together. Facts only: rules are in `check`, tokens in
//! `expand`.

use proc_macro2::{Ident, Span};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprCall, ExprMethodCall, LitStr, Path, ReturnType, Type, parse_quote};

use crate::attr::KeyArg;
use crate::attr::cached::CachedArgs;
use crate::attr::invalidates::{InvalidatesArgs, Target};
use crate::diagnostics::{Diagnostics, Reported};
use crate::function::Function;
use crate::scope::{Part, Piece, Scope, Subject};
use crate::template::Template;
use crate::types;

/// A cached read.
pub(crate) struct Cached<'a> {
    pub(crate) args: &'a CachedArgs,
    pub(crate) scope: Scope<'a>,
    pub(crate) flavor: Flavor<'a>,
    pub(crate) key: Result<Key<'a>, Reported>,
}

/// Where the key of a cached read comes from.
pub(crate) enum Key<'a> {
    /// `key = expression`
    Shared(&'a Expr),
    /// A template, or nothing: every parameter.
    Own(OwnKey<'a>),
}

pub(crate) struct OwnKey<'a> {
    pub(crate) pieces: Vec<Piece<'a>>,
    /// As written; `None` for the automatic key.
    pub(crate) template: Option<&'a LitStr>,
    pub(crate) home: Home,
}

/// Where the code that makes the key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// In a companion that is called `name_key(..)`.
    Function,
    /// In a companion that is called `Self::name_key(..)`.
    Associated,
    /// In a companion that is called `self.name_key(..)`, since the key uses `self`.
    Method,
    /// In the function itself: there is no place for a companion in the implementation of a trait.
    Inline,
}

/// A write that invalidates.
pub(crate) struct Invalidates<'a> {
    pub(crate) args: &'a InvalidatesArgs,
    pub(crate) scope: Scope<'a>,
    pub(crate) flavor: Flavor<'a>,
    pub(crate) targets: Vec<Result<Invalidated<'a>, Reported>>,
}

/// One target of a write.
pub(crate) struct Invalidated<'a> {
    pub(crate) what: What<'a>,
    /// It uses `result`, so that it is known after the body only. The name as the user wrote it.
    pub(crate) result: Option<Ident>,
}

pub(crate) enum What<'a> {
    /// The key of a cached function.
    Function(&'a ExprCall),
    /// The key of a cached method.
    Method(&'a ExprMethodCall),
    /// An expression that makes a key.
    Key(&'a Expr),
    /// `key = ".."`
    Template(Vec<Piece<'a>>),
    /// `pattern = ".."`
    Pattern(Vec<Piece<'a>>),
}

/// How the function is asynchronous.
pub(crate) enum Flavor<'a> {
    /// `async fn`, or a plain one, which `check` refuses.
    Async(Output),
    /// What `#[async_trait]` makes of one: it returns a boxed future. `boxed` is the path to `Box`.
    Boxed { boxed: Path, returns: &'a Type, output: Output },
}

/// What the function returns once it is awaited.
pub(crate) struct Output {
    pub(crate) ty: Type,
    /// The `->`: helper tokens stand there, so that rustc underlines the type but an editor does not
    /// take them for it.
    pub(crate) arrow: Span,
}

impl Output {
    pub(crate) fn is_unit(&self) -> bool {
        matches!(types::peel(&self.ty), Type::Tuple(tuple) if tuple.elems.is_empty())
    }
}

impl Flavor<'_> {
    pub(crate) fn output(&self) -> &Output {
        match self {
            Self::Async(output) | Self::Boxed { output, .. } => output,
        }
    }
}

impl<'a> Flavor<'a> {
    fn of(function: &'a Function) -> Self {
        let (arrow, ty) = match &function.sig.output {
            ReturnType::Default => {
                let arrow = function.sig.paren_token.span.close();
                return Self::Async(Output { ty: parse_quote!(()), arrow });
            }
            ReturnType::Type(arrow, ty) => (arrow.span(), &**ty),
        };
        match types::boxed_output(ty) {
            Some((boxed, output)) if function.sig.asyncness.is_none() => {
                Self::Boxed { boxed, returns: ty, output: Output { ty: output.clone(), arrow } }
            }
            _ => Self::Async(Output { ty: ty.clone(), arrow }),
        }
    }
}

impl<'a> Cached<'a> {
    pub(crate) fn new(
        function: &'a Function,
        args: &'a CachedArgs,
        diagnostics: &Diagnostics,
    ) -> Self {
        let scope = Scope::of_read(function);
        let flavor = Flavor::of(function);
        let key = Key::new(args, &scope, &flavor, diagnostics);
        Self { args, scope, flavor, key }
    }

    /// The names in `skip(..)`.
    pub(crate) fn skipped(&self) -> &'a [Ident] {
        skipped(self.args)
    }
}

impl<'a> Key<'a> {
    fn new(
        args: &'a CachedArgs,
        scope: &Scope<'a>,
        flavor: &Flavor<'a>,
        diagnostics: &Diagnostics,
    ) -> Result<Self, Reported> {
        let (pieces, template) = match args.key.get()? {
            Some(KeyArg::Expr(expr)) => return Ok(Self::Shared(expr)),
            Some(KeyArg::Template(template)) => {
                (scope.resolve(template, diagnostics)?, Some(&template.literal))
            }
            None => (automatic(scope, flavor, skipped(args)), None),
        };
        let home = Home::of(args, scope, flavor, &pieces);
        Ok(Self::Own(OwnKey { pieces, template, home }))
    }

    /// Whether two calls that differ in `name` have different keys.
    pub(crate) fn uses(&self, name: &str) -> bool {
        match self {
            Self::Shared(expr) => types::mentions(expr, name),
            Self::Own(own) => own.uses(name),
        }
    }
}

impl OwnKey<'_> {
    /// Whether a placeholder starts at `name`.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.pieces.iter().any(|piece| piece.stands_for(name))
    }
}

/// The key of a function that names none: where it is, what it is called, and all it is given.
fn automatic<'a>(scope: &Scope<'a>, flavor: &Flavor<'a>, skipped: &[Ident]) -> Vec<Piece<'a>> {
    let mut pieces = if scope.in_impl() {
        // Two types in one module may have functions of the same name.
        let name = format!("::{}", scope.function.name());
        vec![Piece::Part(Part::plain(Subject::SelfType, Span::call_site())), Piece::Text(name)]
    } else {
        vec![Piece::Origin]
    };
    let types =
        scope.types.iter().filter(|name| types::mentions(&flavor.output().ty, &name.to_string()));
    let types = types.map(|name| (*name, Subject::Type(name)));
    let consts = scope.consts.iter().map(|name| (*name, Subject::Const(name)));
    let parameters = scope.parameters.iter().map(|it| (it.name, Subject::Parameter(*it)));
    for (name, subject) in types.chain(consts).chain(parameters) {
        if !skipped.contains(name) {
            pieces.push(Piece::Text(":".to_owned()));
            pieces.push(Piece::Part(Part::plain(subject, name.span())));
        }
    }
    pieces
}

fn skipped(args: &CachedArgs) -> &[Ident] {
    args.skip.get().ok().flatten().map_or(&[], Vec::as_slice)
}

impl Home {
    fn of(args: &CachedArgs, scope: &Scope<'_>, flavor: &Flavor<'_>, pieces: &[Piece<'_>]) -> Self {
        let refused = matches!(args.companion.get(), Ok(Some(false)));
        if refused || matches!(flavor, Flavor::Boxed { .. }) {
            return Self::Inline;
        }
        let ttl = args.ttl.get().ok().flatten();
        let uses_self = pieces.iter().any(|piece| piece.stands_for("self"))
            || ttl.is_some_and(|ttl| ttl.mentions("self"));
        if uses_self {
            Self::Method
        } else if scope.in_impl() {
            Self::Associated
        } else {
            Self::Function
        }
    }
}

impl<'a> Invalidates<'a> {
    pub(crate) fn new(
        function: &'a Function,
        args: &'a InvalidatesArgs,
        diagnostics: &Diagnostics,
    ) -> Self {
        let scope = Scope::of_write(function);
        let flavor = Flavor::of(function);
        let targets = args.targets.iter().map(|target| {
            target
                .as_ref()
                .map_err(|&reported| reported)
                .and_then(|target| Invalidated::new(target, &scope, diagnostics))
        });
        let targets = targets.collect();
        Self { args, scope, flavor, targets }
    }
}

impl<'a> Invalidated<'a> {
    fn new(
        target: &'a Target,
        scope: &Scope<'a>,
        diagnostics: &Diagnostics,
    ) -> Result<Self, Reported> {
        let template = |template: &Template| {
            let pieces = scope.resolve(template, diagnostics)?;
            let result = pieces.iter().any(|piece| piece.stands_for("result"));
            Ok((pieces, result.then(|| Ident::new("result", template.literal.span()))))
        };
        Ok(match target {
            Target::Function(call) => {
                Self { what: What::Function(call), result: types::mention(&call.args, "result") }
            }
            Target::Method(call) => {
                Self { what: What::Method(call), result: types::mention(call, "result") }
            }
            Target::Key(KeyArg::Expr(expr)) => {
                Self { what: What::Key(expr), result: types::mention(expr, "result") }
            }
            Target::Key(KeyArg::Template(key)) => {
                let (pieces, result) = template(key)?;
                Self { what: What::Template(pieces), result }
            }
            Target::Pattern(pattern) => {
                let (pieces, result) = template(pattern)?;
                Self { what: What::Pattern(pieces), result }
            }
        })
    }
}
