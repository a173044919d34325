//! Placeholders of a function's key.

use syn::LitStr;

use super::{Part, Piece};
use crate::braces;
use crate::diagnostics::{Diagnostics, Reported, did_you_mean};
use crate::scope::{Scope, Subject};
use crate::template::{Change, Placeholder, Segment, Template};
use crate::types;

/// Binds the placeholders of `template`.
pub(crate) fn resolve<'a>(
    template: &Template,
    scope: &Scope<'a>,
    diagnostics: &Diagnostics,
) -> Result<Vec<Piece<'a>>, Reported> {
    let piece = |segment: &Segment| match segment {
        Segment::Text(text) => Ok(Piece::Text(text.clone())),
        Segment::Placeholder(placeholder) => {
            part(placeholder, &template.literal, scope, diagnostics).map(Piece::Part)
        }
    };
    let braces = braces::spell_nothing(
        template,
        &scope.names_of_types_too(),
        &scope.names_of_data(),
        diagnostics,
    );
    // Every piece is resolved, so that every mistake is reported; one is enough to fail.
    let pieces: Vec<_> = template.segments.iter().map(piece).collect();
    braces.and(pieces.into_iter().collect())
}

fn part<'a>(
    placeholder: &Placeholder,
    literal: &LitStr,
    scope: &Scope<'a>,
    diagnostics: &Diagnostics,
) -> Result<Part<'a>, Reported> {
    let root = &placeholder.root;
    let Some(subject) = scope.subject(root) else {
        let message = if root == "result" && !scope.sees_result() {
            "`result` is there when the body has run; the keys and tags of a cached function are \
             needed before, so they are made of its parameters"
                .to_owned()
        } else if root == "before" && scope.sees_result() {
            "`before` is what the write has read before its body; say how to read it: write \
             `before = find(db, id)` beside the targets"
                .to_owned()
        } else {
            let hint = did_you_mean(root, &scope.names());
            format!("`{}` has no parameter `{root}`{hint}", scope.function.name())
        };
        return Err(diagnostics.error(literal.span(), message));
    };
    let next = placeholder.ambiguous_next();
    if let Subject::Type(_) | Subject::SelfType = subject {
        let name = root;
        // The name of a type may hold nearly any character.
        if let Some(next) = next {
            let message = format!("write `<{name}>:{next}`, to mark where the type's name ends");
            return Err(diagnostics.error(literal.span(), message));
        }
        if placeholder.hash || !placeholder.changes.is_empty() || !placeholder.fields.is_empty() {
            let message =
                format!("`{name}` is a type; only its name can be part of a key: `<{name}>`");
            return Err(diagnostics.error(literal.span(), message));
        }
    }
    let change = placeholder.changes.iter().find(|&&change| change != Change::Display);
    if let (Some(change), true) = (change, is_without_letters(placeholder, subject)) {
        let (change, name) = (change.option(), placeholder.name());
        let message =
            format!("`:{change}` changes nothing in `{name}`, which is no text; write `<{root}>`");
        return Err(diagnostics.error(literal.span(), message));
    }
    Ok(Part::new(placeholder, subject, literal.span()))
}

/// Whether a value has no case and no white space, so far as its type is spelt out.
fn is_without_letters(placeholder: &Placeholder, subject: Subject<'_>) -> bool {
    let ty = match subject {
        Subject::Parameter(parameter) => parameter.ty,
        Subject::Item(item) => item.ty,
        _ => None,
    };
    placeholder.fields.is_empty() && ty.is_some_and(|ty| types::kind(ty) != "any")
}
