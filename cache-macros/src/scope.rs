//! The names that a template or an option can refer to.

use syn::ext::IdentExt as _;
use syn::{GenericParam, Ident, ReceiverKind, Type, TypeParamBound, WherePredicate};

use crate::function::Function;
use crate::parameter::{self, Parameter};
use crate::types::Open;
use crate::{syntax, types};

/// The names that a template or `skip` can use.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    pub(crate) function: &'a Function,
    pub(crate) parameters: Vec<Parameter<'a>>,
    /// Type parameters.
    pub(crate) types: Vec<&'a Ident>,
    /// Const parameters.
    pub(crate) consts: Vec<&'a Ident>,
    /// What stands for an item of a collection.
    pub(crate) items: Vec<Item<'a>>,
    /// Whether `result` stands for the success value.
    sees_result: bool,
    /// Whether `before` stands for what a write has read before its body.
    sees_before: bool,
}

/// A name for each item of a collection, bound to a reference to the item.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) name: &'a Ident,
    /// As far as the signature shows.
    pub(crate) ty: Option<&'a Type>,
}

/// What the first name of a placeholder refers to.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    Parameter(Parameter<'a>),
    Item(Item<'a>),
    Receiver,
    /// The success value of a write.
    Result,
    /// What a write has read before its body.
    Before,
    /// The item of a queue, under the name that the template gives it.
    Pushed(&'a str),
    Const(&'a Ident),
    /// A type parameter, which contributes its name.
    Type(&'a Ident),
    /// `Self`
    SelfType,
}

impl Subject<'_> {
    /// As a template spells it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Parameter(parameter) => parameter.name.unraw().to_string(),
            Self::Item(item) => item.name.unraw().to_string(),
            Self::Const(name) | Self::Type(name) => name.unraw().to_string(),
            Self::Receiver => "self".to_owned(),
            Self::Result => "result".to_owned(),
            Self::Before => "before".to_owned(),
            Self::Pushed(name) => (*name).to_owned(),
            Self::SelfType => "Self".to_owned(),
        }
    }
}

impl<'a> Scope<'a> {
    /// The scope of a read: its parameters.
    pub(crate) fn of_read(function: &'a Function) -> Self {
        Self::new(function, false, false)
    }

    /// The scope of a write: its parameters and `result`, and `before` if the write reads that.
    pub(crate) fn of_write(function: &'a Function, reads_before: bool) -> Self {
        Self::new(function, true, reads_before)
    }

    fn new(function: &'a Function, sees_result: bool, sees_before: bool) -> Self {
        let parameters = parameter::all(&function.sig.inputs);
        let (types, consts, items) = (Vec::new(), Vec::new(), Vec::new());
        let mut scope =
            Self { function, parameters, types, consts, items, sees_result, sees_before };
        for parameter in &function.sig.generics.params {
            match parameter {
                GenericParam::Type(parameter) => scope.types.push(&parameter.ident),
                GenericParam::Const(parameter) => scope.consts.push(&parameter.ident),
                GenericParam::Lifetime(_) => {}
            }
        }
        scope
    }

    /// This scope with one more name, which shadows others.
    pub(crate) fn with(&self, item: Item<'a>) -> Self {
        let mut scope = self.clone();
        scope.items.push(item);
        scope
    }

    /// Whether templates may use what the function returns.
    pub(crate) fn sees_result(&self) -> bool {
        self.sees_result
    }

    /// Whether targets may use what a write has read before its body.
    pub(crate) fn sees_before(&self) -> bool {
        self.sees_before
    }

    pub(crate) fn has_receiver(&self) -> bool {
        self.function.sig.receiver().is_some()
    }

    /// Whether the receiver is a shared reference: `&self`.
    pub(crate) fn is_shared_receiver(&self) -> bool {
        self.function.sig.receiver().is_some_and(|receiver| match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
            ReceiverKind::Typed(_, ty) => {
                matches!(syntax::peel(ty), Type::Reference(ty) if ty.mutability.is_none())
            }
            _ => false,
        })
    }

    /// Whether the function is certain to be inside an `impl` block, where `Self` exists.
    pub(crate) fn in_impl(&self) -> bool {
        self.has_receiver()
            || syntax::mentions(&self.function.sig, "Self")
            || syntax::mentions_self(&self.function.body)
    }

    /// The bounds of `ty`, or of what it refers to, if it is a type parameter.
    pub(crate) fn bounds(&self, ty: &Type) -> Option<Vec<&'a TypeParamBound>> {
        named(ty).filter(|name| self.types.contains(name)).map(|name| self.bounds_of(name))
    }

    /// The bounds of a type parameter, and of references to it.
    pub(crate) fn bounds_of(&self, name: &Ident) -> Vec<&'a TypeParamBound> {
        let generics = &self.function.sig.generics;
        let params = generics.type_params().filter(|param| param.ident == *name);
        let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let predicates = clause.filter_map(|predicate| match predicate {
            WherePredicate::Type(it) if named(&it.bounded_ty) == Some(name) => Some(it),
            _ => None,
        });
        params.flat_map(|param| &param.bounds).chain(predicates.flat_map(|it| &it.bounds)).collect()
    }

    /// Whether a `where` clause relates another type to the type parameter `name`.
    pub(crate) fn is_in_clause(&self, name: &str) -> bool {
        let clause = self.function.sig.generics.where_clause.iter();
        clause.flat_map(|clause| &clause.predicates).any(|predicate| match predicate {
            WherePredicate::Type(it) => {
                syntax::as_ident(&it.bounded_ty).is_none_or(|ty| ty != name)
                    && syntax::mentions(it, name)
            }
            _ => false,
        })
    }

    /// How a parameter of this type may be inside an open transaction.
    pub(crate) fn open(&self, ty: &Type) -> Option<Open> {
        types::open(ty, &|ty| self.bounds(ty).unwrap_or_default())
    }

    /// Whether a parameter of this type is one connection, or whatever a caller passes for one.
    pub(crate) fn is_lent(&self, ty: &Type) -> bool {
        types::is_lent(ty, &|ty| self.bounds(ty).unwrap_or_default())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<Parameter<'a>> {
        self.parameters.iter().find(|parameter| parameter.name.unraw() == name).copied()
    }

    /// Every name that a template or `skip` can use.
    pub(crate) fn names(&self) -> Vec<String> {
        let parameters = self.parameters.iter().map(|parameter| parameter.name.unraw().to_string());
        let generics = self.types.iter().chain(&self.consts).map(ToString::to_string);
        let receiver = self.has_receiver().then(|| "self".to_owned());
        let result = self.sees_result.then(|| "result".to_owned());
        let before = self.sees_before.then(|| "before".to_owned());
        let items = self.items.iter().map(|item| item.name.unraw().to_string());
        let known = items.chain(parameters).chain(generics).chain(receiver);
        known.chain(result).chain(before).collect()
    }

    /// The same with `Self`, which `skip` has no use for.
    pub(crate) fn names_of_types_too(&self) -> Vec<String> {
        let mut names = self.names();
        names.push("Self".to_owned());
        names
    }

    /// The names of the parameters that are no handles, in their order.
    pub(crate) fn names_of_data(&self) -> Vec<String> {
        let data = self.parameters.iter().filter(|it| !it.ty.is_some_and(types::is_handle));
        data.map(|parameter| parameter.name.unraw().to_string()).collect()
    }

    /// What `name` stands for at the beginning of a placeholder.
    pub(crate) fn subject(&self, name: &str) -> Option<Subject<'a>> {
        match name {
            "self" => self.has_receiver().then_some(Subject::Receiver),
            "Self" => Some(Subject::SelfType),
            "result" if self.sees_result => Some(Subject::Result),
            "before" if self.sees_before => Some(Subject::Before),
            _ => {
                if let Some(item) = self.items.iter().rfind(|item| item.name.unraw() == name) {
                    return Some(Subject::Item(*item));
                }
                if let Some(parameter) = self.parameter(name) {
                    return Some(Subject::Parameter(parameter));
                }
                let find = |names: &[&'a Ident]| names.iter().find(|it| **it == name).copied();
                let ty = find(&self.types).map(Subject::Type);
                ty.or_else(|| find(&self.consts).map(Subject::Const))
            }
        }
    }
}

/// `E` of `E`, `&E` and `&mut E`.
fn named(ty: &Type) -> Option<&Ident> {
    match syntax::peel(ty) {
        Type::Reference(reference) => named(&reference.elem),
        ty => syntax::as_ident(ty),
    }
}
