//! What each parameter of a cached read has to do with its key.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::{Receiver, Type, parse_quote};

use super::{Cached, Flavor, Key};
use crate::parameter::Parameter;
use crate::{syntax, types};

/// Why calls that differ in a parameter may, or may not, share an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// They do not, or the user says that it makes no difference: it is in the key, in `skip(..)`
    /// or in `cache = ..`, or it has no content.
    Settled,
    /// Its name is that of a handle, such as a pool. The compiler is asked whether its type is data
    /// all the same.
    Handle,
    /// It is a connection or may be one: refused as a possible transaction, or with `pooled` as
    /// good as a pool.
    Connection,
    /// It may decide the result, and nothing says how.
    Unsettled,
}

impl<'a> Cached<'a> {
    /// The standing of a parameter, as far as the signature and the attribute tell.
    pub(crate) fn standing(&self, key: &Key<'_>, parameter: &Parameter<'_>) -> Standing {
        // Of a batch the key tells one item from another.
        let is_items = self.batch.is_some_and(|batch| batch.items.name == parameter.name);
        if is_items || self.is_settled(key, parameter.name) {
            return Standing::Settled;
        }
        let ty = parameter.ty.unwrap_or(parameter.whole);
        let connects = if self.args.pooled.is_given() {
            self.scope.is_lent(ty)
        } else {
            self.scope.open(ty).is_some()
        };
        match parameter.ty {
            _ if connects => Standing::Connection,
            Some(ty) if types::is_empty(ty) || self.is_dropped(parameter) => Standing::Settled,
            Some(ty) if types::is_handle(ty) && !self.is_generic_handle(ty) => Standing::Handle,
            None if types::is_handle_inside(ty) => Standing::Handle,
            _ => Standing::Unsettled,
        }
    }

    /// The parameters that are handles, if their names are right.
    pub(crate) fn handles(&self, key: &Key<'_>) -> impl Iterator<Item = Parameter<'a>> {
        let parameters = self.scope.parameters.iter().copied();
        parameters.filter(|it| self.standing(key, it) == Standing::Handle)
    }

    /// `self`, if the key does not tell calls on different values apart. Whether it is data, the
    /// compiler has to say.
    pub(crate) fn receiver_left_out(&self, key: &Key<'_>) -> Option<&'a Receiver> {
        let receiver = self.scope.function.sig.receiver();
        receiver.filter(|it| !self.is_settled(key, &it.self_token.into()))
    }

    /// The fields of `self` that the body uses, if nothing of it is in the key. `cache =
    /// self.cache` speaks for that field alone.
    pub(crate) fn fields_left_out(&self, key: &Key<'_>) -> Vec<Ident> {
        let Some(receiver) = self.scope.function.sig.receiver() else { return Vec::new() };
        let this = Ident::from(receiver.self_token);
        if key.uses("self") || self.skips(&this) {
            return Vec::new();
        }
        let body = &self.scope.function.body;
        let mut fields = syntax::fields_of(body, &this);
        // `#[async_trait]` has given it another name.
        fields.extend(syntax::fields_of(body, &Ident::new("__self", this.span())));
        fields
    }

    /// The type parameters and const parameters that may decide the result, and that nothing tells
    /// apart.
    pub(crate) fn unsettled_generics(&self, key: &Key<'_>) -> impl Iterator<Item = &'a Ident> {
        let stored = self.stored();
        let told = self.told_by_parameters();
        let types = self.scope.types.iter().copied();
        let types = types.filter(move |name| {
            syntax::mentions(stored, &name.to_string()) || !told.contains(name)
        });
        let generics = self.scope.consts.iter().copied().chain(types);
        generics.filter(|name| !key.names(&name.unraw().to_string()) && !self.skips(name))
    }

    /// The type parameters that belong to a parameter of the function, which has a standing of its
    /// own.
    fn told_by_parameters(&self) -> Vec<&'a Ident> {
        let parameters = self.scope.parameters.iter().map(|it| it.ty.unwrap_or(it.whole));
        let mut told: Vec<_> = parameters
            .filter(|ty| !types::is_empty(ty))
            .flat_map(|ty| self.type_parameters_in(ty))
            .collect();
        // `Fut` of `load: F` where `F: Fn(i64) -> Fut`.
        let mut next = 0;
        while let Some(name) = told.get(next) {
            let bounds = self.scope.bounds_of(name);
            let more = bounds.into_iter().flat_map(|bound| self.type_parameters_in(bound));
            let more: Vec<_> = more.filter(|name| !told.contains(name)).collect();
            told.extend(more);
            next += 1;
        }
        told
    }

    fn type_parameters_in(&self, syntax: &impl ToTokens) -> Vec<&'a Ident> {
        let names = syntax::idents(syntax.to_token_stream());
        self.scope.types.iter().copied().filter(|it| names.contains(it)).collect()
    }

    /// Whether the handle's name is that of a type parameter: `Pool` of `get<Pool: Db>(pool:
    /// &Pool)`.
    fn is_generic_handle(&self, ty: &Type) -> bool {
        let mut names = self.type_parameters_in(ty).into_iter();
        names.any(|name| types::is_handle(&parse_quote!(#name)))
    }

    fn is_settled(&self, key: &Key<'_>, name: &Ident) -> bool {
        let text = name.unraw().to_string();
        let cache = self.args.cache.get().ok().flatten();
        key.uses(&text) || self.skips(name) || cache.is_some_and(|it| syntax::uses(it, &text))
    }

    fn skips(&self, name: &Ident) -> bool {
        self.skipped().iter().any(|skipped| skipped.unraw() == name.unraw())
    }

    /// Whether the function has no name for it. `#[async_trait]` gives one to `_`: `let __arg1 =
    /// __arg1;`, and uses it once more where it is a pattern: `let (a, b) = { let __arg1 = __arg1;
    /// __arg1 };`.
    fn is_dropped(&self, parameter: &Parameter<'_>) -> bool {
        let body = self.scope.function.body.clone();
        let uses = || syntax::idents(body).iter().filter(|it| *it == parameter.name).count();
        self.is_unnamed(parameter) && uses() <= 2
    }

    /// Whether its name is one that `#[async_trait]` gave to a pattern.
    pub(crate) fn is_unnamed(&self, parameter: &Parameter<'_>) -> bool {
        let boxed = matches!(self.flavor, Flavor::Boxed { .. });
        boxed && parameter.name.to_string().starts_with("__arg")
    }
}
