//! A write and the values that it stores.

use proc_macro2::Ident;
use syn::Expr;
use syn::ext::IdentExt as _;

use super::Invalidates;
use crate::attr::write_through::{Entry, Stored, WriteThroughArgs};
use crate::diagnostics::{Diagnostics, Reported};
use crate::function::Function;
use crate::parameter::Parameter;
use crate::syntax;

/// A write that stores the new values.
pub(crate) struct WriteThrough<'a> {
    /// The function, its options, and the targets that it only invalidates.
    pub(crate) write: Invalidates<'a>,
    pub(crate) values: Vec<Result<Value<'a>, Reported>>,
}

/// A value that is stored.
pub(crate) struct Value<'a> {
    pub(crate) entry: &'a Entry,
    /// The success value if there is none.
    pub(crate) expr: Option<&'a Expr>,
    /// Given if the key uses `result`: the name, as the user wrote it.
    pub(crate) key_uses: Option<Ident>,
    /// The same for the value.
    pub(crate) uses: Option<Ident>,
    /// Given if the key or the value uses `before`, where that is read.
    pub(crate) before: Option<Ident>,
    /// The parameters that the value uses, with the names it uses.
    pub(crate) parameters: Vec<(Ident, Parameter<'a>)>,
    /// Given if the value uses `self`.
    pub(crate) receiver: Option<Ident>,
}

impl<'a> WriteThrough<'a> {
    pub(crate) fn new(
        function: &'a Function,
        args: &'a WriteThroughArgs,
        diagnostics: &Diagnostics,
    ) -> Self {
        let write = Invalidates::new(function, &args.write, diagnostics);
        let value = |stored: &'a Result<Stored, Reported>| {
            stored.as_ref().map(|stored| Value::new(stored, &write)).map_err(|&reported| reported)
        };
        let values = args.stored.iter().map(value).collect();
        Self { write, values }
    }
}

impl<'a> Value<'a> {
    fn new(stored: &'a Stored, write: &Invalidates<'a>) -> Self {
        let mention = |name: &str| match &stored.entry {
            Entry::Function(call) => syntax::mention(&call.args, name),
            Entry::Method(call) => syntax::mention(call, name),
            Entry::Key(key) => syntax::mention(key, name),
        };
        let names = stored.value.as_ref().map(syntax::variables).unwrap_or_default();
        let find = |name: &str| names.iter().find(|it| it.unraw() == name).cloned();
        let parameters = write.scope.parameters.iter();
        let parameters =
            parameters.filter_map(|it| Some((find(&it.name.unraw().to_string())?, *it))).collect();
        Self {
            entry: &stored.entry,
            expr: stored.value.as_ref(),
            key_uses: mention("result"),
            uses: find("result"),
            before: mention("before")
                .or_else(|| find("before"))
                .filter(|_| write.scope.sees_before()),
            parameters,
            receiver: find("self"),
        }
    }
}
