//! A write and what it invalidates.

use proc_macro2::Ident;
use syn::{Expr, ExprCall, ExprMethodCall};

use super::Flavor;
use crate::attr::KeyArg;
use crate::attr::each::Each;
use crate::attr::invalidates::InvalidatesArgs;
use crate::attr::target::Target;
use crate::diagnostics::{Diagnostics, Reported};
use crate::function::Function;
use crate::piece::{self, Piece};
use crate::scope::{Item, Scope};
use crate::syntax;
use crate::template::Template;

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
    /// Given if it uses `result`, and so is known only after the body: the name, as the user wrote
    /// it.
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
    /// An expression that makes a tag.
    TagExpr(&'a Expr),
    /// `tag = ".."`
    Tag(Vec<Piece<'a>>),
    /// `pattern = ".."`
    Pattern(Vec<Piece<'a>>),
    /// The same for every item of a collection.
    Each(&'a Each, Box<What<'a>>),
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
            let pieces = piece::resolve(template, scope, diagnostics)?;
            let result = pieces.iter().any(|piece| piece.stands_for("result"));
            Ok((pieces, result.then(|| Ident::new("result", template.literal.span()))))
        };
        Ok(match target {
            Target::Function(call) => {
                Self { what: What::Function(call), result: syntax::mention(&call.args, "result") }
            }
            Target::Method(call) => {
                Self { what: What::Method(call), result: syntax::mention(call, "result") }
            }
            Target::Key(KeyArg::Expr(expr)) => {
                Self { what: What::Key(expr), result: syntax::mention(expr, "result") }
            }
            Target::Key(KeyArg::Template(key)) => {
                let (pieces, result) = template(key)?;
                Self { what: What::Template(pieces), result }
            }
            Target::Tag(KeyArg::Expr(expr)) => {
                Self { what: What::TagExpr(expr), result: syntax::mention(expr, "result") }
            }
            Target::Tag(KeyArg::Template(tag)) => {
                let (pieces, result) = template(tag)?;
                Self { what: What::Tag(pieces), result }
            }
            Target::Pattern(pattern) => {
                let (pieces, result) = template(pattern)?;
                Self { what: What::Pattern(pieces), result }
            }
            Target::Each(each, target) => {
                let scope = scope.with(Item { name: &each.item, ty: None });
                let Self { what, result } = Self::new(target, &scope, diagnostics)?;
                let result = syntax::mention(&each.items, "result").or(result);
                Self { what: What::Each(each, Box::new(what)), result }
            }
        })
    }
}
