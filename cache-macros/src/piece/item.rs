//! Placeholders of the key of an item in a queue.

use super::{Part, Piece};
use crate::braces;
use crate::diagnostics::{Diagnostics, Reported, did_you_mean};
use crate::scope::{Scope, Subject};
use crate::template::{Segment, Template};

/// Binds the placeholders of `template` to one item of a batch, which it names as it likes.
pub(crate) fn resolve_item<'a>(
    template: &'a Template,
    scope: &Scope<'_>,
    diagnostics: &Diagnostics,
) -> Result<(&'a str, Vec<Piece<'a>>), Reported> {
    let span = template.literal.span();
    let mut roots = template.segments.iter().filter_map(|segment| match segment {
        Segment::Text(_) => None,
        Segment::Placeholder(placeholder) => Some(placeholder.root.as_str()),
    });
    let item = roots.next();
    let mut names = scope.names_of_types_too();
    names.extend(item.map(str::to_owned));
    braces::spell_nothing(template, &names, &[], diagnostics)?;
    let Some(item) = item else {
        return Err(diagnostics.error(
            span,
            "nothing of an item is in the key, so all items would have the same; write something \
             like `<view.page>`, or leave `key` out (for one order of all items, \
             write `partitions = 1`)",
        ));
    };
    if scope.subject(item).is_some() {
        let message = format!(
            "`{item}` is not an item: a key is made of one item, which you name as you like, \
             as in `<view.page>`"
        );
        return Err(diagnostics.error(span, message));
    }
    if let Some(other) = roots.find(|&root| root != item) {
        let hint = did_you_mean(other, &[item]);
        let message = format!("a key is made of one item, so `{other}` cannot be used{hint}");
        return Err(diagnostics.error(span, message));
    }
    let piece = |segment: &'a Segment| match segment {
        Segment::Text(text) => Piece::Text(text.clone()),
        Segment::Placeholder(placeholder) => {
            Piece::Part(Part::new(placeholder, Subject::Pushed(&placeholder.root), span))
        }
    };
    Ok((item, template.segments.iter().map(piece).collect()))
}
