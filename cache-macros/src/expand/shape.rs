//! What the texts that a template makes can look like: `"user:<int>"` of `"user:<id>"`.

use crate::piece::{Form, Part, Piece};
use crate::scope::Subject;
use crate::types;

/// A template with the kind of each placeholder in place of its name. The runtime decides with it
/// whether two functions can make the same key.
pub(super) fn shape(pieces: &[Piece<'_>]) -> String {
    let origin = matches!(pieces.first(), Some(Piece::Origin));
    let text = described(pieces, |part| format!("<{}>", kind(part)));
    if origin { format!("<origin>{text}") } else { text }
}

/// `int`, `wide` (an integer of 128 bits), `bool`, `uuid`, `hash`, `type`, `self`, `any`, or `any
/// before /`.
fn kind(part: &Part<'_>) -> String {
    let whole = part.fields.is_empty();
    let kind = match (part.form, part.subject) {
        (Form::Hash, _) => "hash",
        (_, Subject::Type(_)) => "type",
        (_, Subject::SelfType) => "self",
        (_, Subject::Parameter(parameter)) if whole => parameter.ty.map_or("any", types::kind),
        (_, Subject::Item(item)) if whole => item.ty.map_or("any", types::kind),
        _ => "any",
    };
    match (part.form, kind) {
        // A hyphen in a value would be escaped.
        (Form::Before('-'), "uuid") => "any before -".to_owned(),
        (Form::Before(next), "any") => format!("any before {next}"),
        _ => kind.to_owned(),
    }
}

/// The text of a key, with a description in place of each value; without where its function is.
pub(super) fn described(pieces: &[Piece<'_>], describe: impl Fn(&Part<'_>) -> String) -> String {
    let show = |piece: &Piece<'_>| match piece {
        Piece::Text(text) => text.replace('<', "<<"),
        Piece::Origin => String::new(),
        Piece::Part(part) => describe(part),
    };
    pieces.iter().map(show).collect()
}
