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
    /// Given if it uses `before`, and so is known only when that was read: the same.
    pub(crate) before: Option<Ident>,
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
    /// The same, whose value may still be served as a stale one; the word that says so.
    KeptStale(&'a Ident, Box<What<'a>>),
}

impl<'a> Invalidates<'a> {
    pub(crate) fn new(
        function: &'a Function,
        args: &'a InvalidatesArgs,
        diagnostics: &Diagnostics,
    ) -> Self {
        let scope = Scope::of_write(function, args.before.is_given());
        let flavor = Flavor::of(function);
        let targets = args.targets.iter().map(|target| {
            target
                .as_ref()
                .map_err(|&reported| reported)
                .and_then(|target| Invalidated::new(target, &scope, diagnostics))
        });
        let all = args.keep_stale.get().ok().flatten();
        let targets = targets.map(|target| target.map(|target| target.kept_by(all))).collect();
        Self { args, scope, flavor, targets }
    }
}

impl<'a> Invalidated<'a> {
    /// The same, whose value is kept where a word says so.
    fn kept_by(self, word: Option<&'a Ident>) -> Self {
        match (word, self.what) {
            (Some(word), what) if !matches!(what, What::KeptStale(..)) => {
                Self { what: What::KeptStale(word, Box::new(what)), ..self }
            }
            (_, what) => Self { what, ..self },
        }
    }

    fn new(
        target: &'a Target,
        scope: &Scope<'a>,
        diagnostics: &Diagnostics,
    ) -> Result<Self, Reported> {
        let template = |template: &Template| {
            let pieces = piece::resolve(template, scope, diagnostics)?;
            let span = template.literal.span();
            let uses = |name: &str| {
                let is_used = pieces.iter().any(|piece| piece.stands_for(name));
                is_used.then(|| Ident::new(name, span))
            };
            let (result, before) = (uses("result"), uses("before"));
            Ok((pieces, result, before.filter(|_| scope.sees_before())))
        };
        let of_template = |(pieces, result, before), what: fn(Vec<Piece<'a>>) -> What<'a>| Self {
            what: what(pieces),
            result,
            before,
        };
        let of_expr = |what, find: &dyn Fn(&str) -> Option<Ident>| Self {
            what,
            result: find("result"),
            before: find("before").filter(|_| scope.sees_before()),
        };
        Ok(match target {
            Target::Function(call) => {
                of_expr(What::Function(call), &|name| syntax::mention(&call.args, name))
            }
            Target::Method(call) => {
                of_expr(What::Method(call), &|name| syntax::mention(call, name))
            }
            Target::Key(KeyArg::Expr(expr)) => {
                of_expr(What::Key(expr), &|name| syntax::mention(expr, name))
            }
            Target::Key(KeyArg::Template(key)) => of_template(template(key)?, What::Template),
            Target::Tag(KeyArg::Expr(expr)) => {
                of_expr(What::TagExpr(expr), &|name| syntax::mention(expr, name))
            }
            Target::Tag(KeyArg::Template(tag)) => of_template(template(tag)?, What::Tag),
            Target::Pattern(pattern) => of_template(template(pattern)?, What::Pattern),
            Target::KeptStale(word, target) => {
                Self::new(target, scope, diagnostics)?.kept_by(Some(word))
            }
            Target::Each(each, target) => {
                let scope = scope.with(Item { name: &each.item, ty: None });
                let Self { what, result, before } = Self::new(target, &scope, diagnostics)?;
                let what = What::Each(each, Box::new(what));
                let items = of_expr(what, &|name| syntax::mention(&each.items, name));
                let (result, before) = (items.result.or(result), items.before.or(before));
                Self { what: items.what, result, before }
            }
        })
    }
}
