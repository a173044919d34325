//! What an attribute and its function mean together. Facts only: the rules are in `check`, the
//! generated code is in `expand`.

mod batch;
mod cached;
mod invalidates;
mod standing;
mod write_behind;
mod write_through;

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Path, ReturnType, Type, parse_quote};

pub(crate) use self::batch::Batch;
pub(crate) use self::cached::{Cached, Home, Key, OwnKey};
pub(crate) use self::invalidates::{Invalidated, Invalidates, What};
pub(crate) use self::standing::Standing;
pub(crate) use self::write_behind::{Form, ItemKey, Kept, WriteBehind};
pub(crate) use self::write_through::{Value, WriteThrough};
use crate::function::Function;
use crate::scope::Scope;
use crate::{syntax, types};

/// How the function is asynchronous.
pub(crate) enum Flavor<'a> {
    /// `async fn`, or a plain `fn`, which `check` rejects.
    Async(Output),
    /// What `#[async_trait]` makes of one: it returns a boxed future. `boxed` is the path to `Box`.
    Boxed { boxed: Path, returns: &'a Type, output: Output },
}

/// What the function returns once it is awaited.
pub(crate) struct Output {
    pub(crate) ty: Type,
    /// The `->`, which gives helper tokens their span: rustc then underlines the type, but an
    /// editor does not take them for it.
    pub(crate) arrow: Span,
}

impl Output {
    /// `()`, or `!`.
    pub(crate) fn is_nothing(&self) -> bool {
        match syntax::peel(&self.ty) {
            Type::Tuple(tuple) => tuple.elems.is_empty(),
            ty => matches!(ty, Type::Never(_)),
        }
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
    /// Whether it may be in the implementation of a trait, which is what futures are boxed for: by
    /// `#[async_trait]`, with a lifetime of that name, or by hand. Those of `#[async_recursion]`
    /// and of free functions are boxed for other reasons.
    pub(crate) fn may_be_in_trait(&self, scope: &Scope<'_>) -> bool {
        let Self::Boxed { returns, .. } = self else { return false };
        let of = |attribute| syntax::mentions(returns, attribute);
        of("async_trait") || (scope.in_impl() && !of("async_recursion"))
    }

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
