//! A batch sink and the queue in front of it.

use proc_macro2::{Ident, Span};
use syn::{FnArg, Pat, Type};

use super::Flavor;
use crate::attr::write_behind::WriteBehindArgs;
use crate::diagnostics::{Diagnostics, Reported};
use crate::function::Function;
use crate::piece::{self, Piece};
use crate::scope::Scope;
use crate::{syntax, types};

/// A sink, and the description of its queue.
pub(crate) struct WriteBehind<'a> {
    pub(crate) args: &'a WriteBehindArgs,
    pub(crate) scope: Scope<'a>,
    pub(crate) flavor: Flavor<'a>,
    /// What the worker keeps, and passes to the sink with each batch: all parameters but the last.
    pub(crate) environment: Vec<Kept<'a>>,
    /// The last parameter, if it is a batch.
    pub(crate) batch: Option<Taken<'a>>,
    pub(crate) key: Result<Option<ItemKey<'a>>, Reported>,
}

/// A parameter of the sink that is the same for every batch.
pub(crate) struct Kept<'a> {
    /// `None` if it is a pattern.
    pub(crate) name: Option<&'a Ident>,
    pub(crate) ty: &'a Type,
    /// The `:`, which gives helper tokens their span: rustc then underlines the type, but an editor
    /// does not take them for it.
    pub(crate) colon: Span,
    /// The type behind the reference, if it is one: that is what the worker keeps. It keeps any
    /// other parameter as it is.
    pub(crate) referent: Option<&'a Type>,
}

/// The parameter that receives the items.
pub(crate) struct Taken<'a> {
    /// `None` if it is a pattern.
    pub(crate) name: Option<&'a Ident>,
    pub(crate) item: &'a Type,
    pub(crate) form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `Vec<T>`
    Items,
    /// `Batch<T>`
    Batch,
}

/// The key of an item.
pub(crate) struct ItemKey<'a> {
    /// What the template calls the item.
    pub(crate) item: &'a str,
    pub(crate) pieces: Vec<Piece<'a>>,
    pub(crate) span: Span,
}

impl<'a> WriteBehind<'a> {
    pub(crate) fn new(
        function: &'a Function,
        args: &'a WriteBehindArgs,
        diagnostics: &Diagnostics,
    ) -> Self {
        let scope = Scope::of_read(function);
        let flavor = Flavor::of(function);
        let mut environment = arguments(function);
        let batch = environment.last().and_then(Taken::of);
        if batch.is_some() {
            environment.pop();
        }
        let key = ItemKey::new(args, &scope, diagnostics);
        Self { args, scope, flavor, environment, batch, key }
    }
}

fn arguments(function: &Function) -> Vec<Kept<'_>> {
    let typed = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(input),
        FnArg::Receiver(_) => None,
    });
    let kept = typed.map(|input| {
        let name = match &*input.pat {
            Pat::Ident(pat) => Some(&pat.ident),
            _ => None,
        };
        let colon = input.colon_token.span;
        Kept { name, ty: &input.ty, colon, referent: types::referent(&input.ty) }
    });
    kept.collect()
}

impl<'a> Taken<'a> {
    fn of(last: &Kept<'a>) -> Option<Self> {
        let segment = syntax::last_segment(last.ty)?;
        let form = match segment.ident.to_string().as_str() {
            "Vec" => Form::Items,
            "Batch" => Form::Batch,
            _ => return None,
        };
        Some(Self { name: last.name, item: syntax::arguments(segment).next()?, form })
    }
}

impl<'a> ItemKey<'a> {
    fn new(
        args: &'a WriteBehindArgs,
        scope: &Scope<'_>,
        diagnostics: &Diagnostics,
    ) -> Result<Option<Self>, Reported> {
        let Some(template) = args.key.get()? else { return Ok(None) };
        let (item, pieces) = piece::resolve_item(template, scope, diagnostics)?;
        Ok(Some(Self { item, pieces, span: template.literal.span() }))
    }
}
