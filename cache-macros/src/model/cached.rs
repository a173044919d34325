//! A cached read and its key.

use proc_macro2::Ident;
use syn::{Expr, LitStr, Type};

use super::{Batch, Flavor};
use crate::attr::KeyArg;
use crate::attr::cached::{CachedArgs, Companion};
use crate::diagnostics::{Diagnostics, Reported};
use crate::function::Function;
use crate::piece::{self, Part, Piece};
use crate::scope::{Scope, Subject};
use crate::{syntax, types};

/// A cached read.
pub(crate) struct Cached<'a> {
    pub(crate) args: &'a CachedArgs,
    pub(crate) scope: Scope<'a>,
    pub(crate) flavor: Flavor<'a>,
    /// Given if it reads many entries at once.
    pub(crate) batch: Option<Batch<'a>>,
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
    /// Those of the entry go with its key.
    pub(crate) tags: Vec<Vec<Piece<'a>>>,
}

/// Where the code that builds the key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// In the function and in a companion, which is `name_key` for a function outside of any `impl`
    /// block, and `Type::name_key` for one that does not say that it is inside.
    Function,
    /// In a companion that is called `Self::name_key(..)`.
    Associated,
    /// In a companion that is called `self.name_key(..)`, since the key uses `self`.
    Method,
    /// In the function alone: the implementation of a trait has no place for a companion.
    Inline,
}

impl<'a> Cached<'a> {
    pub(crate) fn new(
        function: &'a Function,
        args: &'a CachedArgs,
        diagnostics: &Diagnostics,
    ) -> Self {
        let mut scope = Scope::of_read(function);
        let flavor = Flavor::of(function);
        let each = args.batch.get().transpose();
        let batch = each.map(|each| each.and_then(|each| Batch::new(each, &scope, diagnostics)));
        let (batch, key) = match batch.transpose() {
            Ok(batch) => {
                if let Some(batch) = &batch {
                    scope = scope.with(batch.item);
                }
                let key = Key::new(args, &scope, &flavor, batch.as_ref(), diagnostics);
                (batch, key)
            }
            Err(reported) => (None, Err(reported)),
        };
        Self { args, scope, flavor, batch, key }
    }

    /// The type that is stored, as far as its spelling shows: for a batch, that of one id's value.
    pub(crate) fn stored(&self) -> &Type {
        let all = types::stored(&self.flavor.output().ty);
        self.batch.and_then(|_| types::of_each(all)).unwrap_or(all)
    }

    /// Whether the body may run in the background, after the call.
    pub(crate) fn is_detached(&self) -> bool {
        self.args.stale_while_revalidate.is_given() || self.args.load_timeout.is_given()
    }

    /// Whether a lookup takes the age of a value into account.
    pub(crate) fn is_by_age(&self) -> bool {
        self.is_detached() || self.args.stale_if_error.is_given() || self.args.early.is_given()
    }

    /// `unless`, if it needs nothing but the value. Then it belongs to the key, and applies to
    /// everybody who stores one.
    pub(crate) fn unless_of_value(&self) -> Option<&'a Expr> {
        let unless = self.args.unless.get().ok()??;
        let plain = matches!(unless, Expr::Closure(_) | Expr::Path(_));
        let taken = |name: &String| syntax::uses(unless, name) && !syntax::binds(unless, name);
        let alone = !self.scope.names().iter().any(taken);
        (matches!(self.key, Ok(Key::Own(_))) && plain && alone).then_some(unless)
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
        batch: Option<&Batch<'a>>,
        diagnostics: &Diagnostics,
    ) -> Result<Self, Reported> {
        let (pieces, template) = match args.key.get()? {
            Some(KeyArg::Expr(expr)) => return Ok(Self::Shared(expr)),
            Some(KeyArg::Template(template)) => {
                (piece::resolve(template, scope, diagnostics)?, Some(&template.literal))
            }
            None => (automatic(scope, flavor, batch, skipped(args)), None),
        };
        let tags = args.tags.get()?.map_or(&[][..], |tags| &tags.templates);
        // All of them first, so that every mistake is reported.
        let tags: Vec<_> = tags.iter().map(|tag| piece::resolve(tag, scope, diagnostics)).collect();
        let tags = tags.into_iter().collect::<Result<Vec<_>, _>>()?;
        let home = Home::of(args, scope, flavor, pieces.iter().chain(tags.iter().flatten()));
        Ok(Self::Own(OwnKey { pieces, template, home, tags }))
    }

    /// Whether two calls that differ in `name` have different keys.
    pub(crate) fn uses(&self, name: &str) -> bool {
        match self {
            Self::Shared(expr) => syntax::uses(expr, name),
            Self::Own(own) => own.uses(name),
        }
    }

    /// Whether two calls whose type parameter or const parameter of this name differs have
    /// different keys.
    pub(crate) fn names(&self, generic: &str) -> bool {
        match self {
            Self::Shared(expr) => syntax::mentions(expr, generic),
            Self::Own(own) => own.uses(generic),
        }
    }
}

impl<'a> OwnKey<'a> {
    /// Whether a placeholder of the key starts at `name`.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.pieces.iter().any(|piece| piece.stands_for(name))
    }

    /// The placeholders of the key and of the tags.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part<'a>> {
        self.pieces.iter().chain(self.tags.iter().flatten()).filter_map(|piece| match piece {
            Piece::Part(part) => Some(part),
            Piece::Text(_) | Piece::Origin => None,
        })
    }
}

/// The key of a function that declares none: its path and name, and all its parameters.
fn automatic<'a>(
    scope: &Scope<'a>,
    flavor: &Flavor<'a>,
    batch: Option<&Batch<'a>>,
    skipped: &[Ident],
) -> Vec<Piece<'a>> {
    let mut pieces = vec![Piece::Origin];
    let all = types::stored(&flavor.output().ty);
    let stored = batch.and_then(|_| types::of_each(all)).unwrap_or(all);
    let decides = |name: &&Ident| {
        syntax::mentions(stored, &name.to_string()) || is_told_by_no_argument(name, scope, skipped)
    };
    let types = scope.types.iter().filter(|name| decides(name));
    let types = types.map(|name| (*name, Subject::Type(name)));
    let consts = scope.consts.iter().map(|name| (*name, Subject::Const(name)));
    let parameters = scope.parameters.iter().map(|it| match batch {
        Some(batch) if batch.items.name == it.name => (batch.item.name, Subject::Item(batch.item)),
        _ => (it.name, Subject::Parameter(*it)),
    });
    for (name, subject) in types.chain(consts).chain(parameters) {
        if !skipped.contains(name) {
            pieces.push(Piece::Text(":".to_owned()));
            pieces.push(Piece::Part(Part::argument(subject, name.span())));
        }
    }
    pieces
}

/// Whether calls that differ in a type parameter may look the same in a key: `count::<User>()` and
/// `count::<Org>()`, or `find(id)` of ids of two types. An argument whose whole type is the
/// parameter tells them apart by itself, and must alone: an invalidation may have a `String` where
/// the read had a `&str`.
fn is_told_by_no_argument(name: &Ident, scope: &Scope<'_>, skipped: &[Ident]) -> bool {
    let name = name.to_string();
    let taken = || scope.parameters.iter().filter(|it| syntax::mentions(it.whole, &name));
    let bound =
        scope.function.sig.generics.type_params().any(|it| {
            it.ident != name && it.bounds.iter().any(|bound| syntax::mentions(bound, &name))
        });
    if taken().next().is_none() {
        return !bound && !scope.is_in_clause(&name);
    }
    let mut kept = taken().filter(|it| !skipped.contains(it.name));
    kept.any(|it| it.ty.is_some_and(|ty| types::is_marked_by(ty, &name)))
}

fn skipped(args: &CachedArgs) -> &[Ident] {
    args.skip.get().ok().flatten().map_or(&[], Vec::as_slice)
}

impl Home {
    fn of<'p, 'a: 'p>(
        args: &CachedArgs,
        scope: &Scope<'_>,
        flavor: &Flavor<'_>,
        mut pieces: impl Iterator<Item = &'p Piece<'a>> + Clone,
    ) -> Self {
        let refused = matches!(args.companion.get(), Ok(Some(Companion::None)));
        if refused || flavor.may_be_in_trait(scope) {
            return Self::Inline;
        }
        let ttl = args.ttl.get().ok().flatten();
        let uses_self = pieces.clone().any(|piece| piece.stands_for("self"))
            || ttl.is_some_and(|ttl| ttl.uses("self"));
        if uses_self {
            Self::Method
        } else if scope.in_impl() || pieces.any(|piece| piece.stands_for("Self")) {
            Self::Associated
        } else {
            Self::Function
        }
    }
}
