//! The pieces of a key: text, and placeholders resolved to what they stand for.

mod item;
mod resolve;
#[cfg(test)]
mod tests;

use proc_macro2::{Ident, Span};
use syn::{Index, Member};

pub(crate) use self::item::resolve_item;
pub(crate) use self::resolve::resolve;
use crate::scope::Subject;
use crate::template::{Change, Placeholder, options};

/// A piece of a key.
pub(crate) enum Piece<'a> {
    Text(String),
    /// Where the function is, and its name: what an automatic key begins with.
    Origin,
    Part(Part<'a>),
}

/// A placeholder, resolved.
pub(crate) struct Part<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) fields: Vec<Member>,
    /// What is done to the value and its text, in order.
    pub(crate) changes: Vec<Change>,
    pub(crate) form: Form,
    /// Where rustc shows a value that cannot be part of a key: the template, else the parameter.
    pub(crate) span: Span,
    /// Where the code around it stands: there too, but never where an editor would take it for the
    /// parameter.
    pub(crate) helper: Span,
}

#[derive(Clone, Copy)]
pub(crate) enum Form {
    Plain,
    /// A parameter in an automatic key.
    Argument,
    /// This character follows, and must not occur in the value.
    Before(char),
    Hash,
}

impl Piece<'_> {
    /// Whether it is a placeholder that starts at `name`.
    pub(crate) fn stands_for(&self, name: &str) -> bool {
        matches!(self, Self::Part(part) if part.subject.name() == name)
    }
}

impl<'a> Part<'a> {
    pub(crate) fn new(placeholder: &Placeholder, subject: Subject<'a>, span: Span) -> Self {
        let form = match placeholder.ambiguous_next() {
            _ if placeholder.hash => Form::Hash,
            Some(next) => Form::Before(next),
            None => Form::Plain,
        };
        let fields = placeholder.fields.iter().map(|field| member(field, span)).collect();
        let changes = placeholder.changes.clone();
        Self { subject, fields, changes, form, span, helper: span }
    }

    /// All of `subject`, in an automatic key.
    pub(crate) fn argument(subject: Subject<'a>, span: Span) -> Self {
        let (fields, changes, helper) = (Vec::new(), Vec::new(), Span::call_site());
        Self { subject, fields, changes, form: Form::Argument, span, helper }
    }

    /// `:trim:lower:hash`
    pub(crate) fn options(&self) -> String {
        options(&self.changes, matches!(self.form, Form::Hash))
    }
}

fn member(field: &str, span: Span) -> Member {
    match field.parse() {
        Ok(index) => Member::Unnamed(Index { index, span }),
        Err(_) => Member::Named(ident(field, span)),
    }
}

/// `name`, raw if it is a keyword.
pub(crate) fn ident(name: &str, span: Span) -> Ident {
    let mut ident = syn::parse_str::<Ident>(name).unwrap_or_else(|_| Ident::new_raw(name, span));
    ident.set_span(span);
    ident
}
