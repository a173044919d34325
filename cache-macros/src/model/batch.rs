//! A read of many entries in one call.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::{Expr, Type};

use crate::attr::batch::BatchArg;
use crate::diagnostics::{Diagnostics, Reported, did_you_mean};
use crate::parameter::Parameter;
use crate::scope::{Item, Scope};
use crate::syntax;

/// Many entries read in one call: one for each item of a parameter.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// `batch`, at which helper tokens stand.
    pub(crate) word: &'a Ident,
    pub(crate) item: Item<'a>,
    /// The parameter that holds all of them.
    pub(crate) items: Parameter<'a>,
    /// Its type.
    pub(crate) ty: &'a Type,
    /// How many ids a run of the body is given at most, and how many runs there are at once.
    pub(crate) chunks: Option<(u32, u32)>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        BatchArg { each, chunk, concurrent }: &'a BatchArg,
        scope: &Scope<'a>,
        diagnostics: &Diagnostics,
    ) -> Result<Self, Reported> {
        let Expr::Path(path) = &each.items else {
            let message = "a batch is read for the ids in a parameter: write `batch(id in ids)`";
            return Err(diagnostics.error_at(&each.items, message));
        };
        let name = path.path.get_ident().map(|name| name.unraw().to_string()).unwrap_or_default();
        let Some(items) = scope.parameter(&name) else {
            let function = scope.function.name();
            let hint = did_you_mean(&name, &scope.names());
            let message = format!("`{function}` has no parameter `{name}`{hint}");
            return Err(diagnostics.error_at(path, message));
        };
        let Some(ty) = items.ty else {
            let message = format!(
                "the type of `{name}` is not written here; give the parameter a name and take it \
                 apart in the body"
            );
            return Err(diagnostics.error(items.name.span(), message));
        };
        let item = Item { name: &each.item, ty: element(ty) };
        let missing = "`concurrent` is how many chunks are loaded at once, and without \
                       `chunk = 500` there is only one";
        match (*chunk, *concurrent) {
            (None, Some(_)) => Err(diagnostics.error(each.word.span(), missing)),
            (chunk, concurrent) => {
                let chunks = chunk.map(|chunk| (chunk, concurrent.unwrap_or(1)));
                Ok(Self { word: &each.word, item, items, ty, chunks })
            }
        }
    }

    /// The item in place of the collection, for the companion, which takes a single item.
    pub(crate) fn single(&self, parameter: Parameter<'a>) -> Parameter<'a> {
        if parameter.name == self.items.name {
            Parameter { name: self.item.name, ty: self.item.ty, whole: self.ty, is_mut: false }
        } else {
            parameter
        }
    }
}

/// The element type of a collection, as far as its spelling shows.
fn element(ty: &Type) -> Option<&Type> {
    match syntax::peel(ty) {
        Type::Reference(reference) => element(&reference.elem),
        Type::Slice(slice) => Some(&slice.elem),
        other => syntax::last_segment(other)
            .filter(|it| ["Vec", "HashSet", "BTreeSet"].iter().any(|name| it.ident == name))
            .and_then(|it| syntax::arguments(it).next()),
    }
}
