//! Braces in a template that were meant as those of `format!`: `"user:{id}"`.

use crate::diagnostics::{Diagnostics, Reported};
use crate::template::{Segment, Template};

/// Refuses a template in which `{..}` spells one of `names`, or a path that begins with one, or the
/// position of one of `parameters`: `{id}`, `{user.id:?}`, `{0}`. For Redis these are letters, the
/// same in every key.
pub(crate) fn spell_nothing(
    template: &Template,
    names: &[String],
    parameters: &[String],
    diagnostics: &Diagnostics,
) -> Result<(), Reported> {
    let texts = template.segments.iter().filter_map(|segment| match segment {
        Segment::Text(text) => Some(text.as_str()),
        Segment::Placeholder(_) => None,
    });
    // A template has at most one pair of braces.
    let meant = texts
        .filter_map(inside)
        .find_map(|inside| path(inside, names, parameters).map(|path| (inside, path)));
    let Some((inside, path)) = meant else { return Ok(()) };
    let message = format!(
        "`{{{inside}}}` is a hash tag of these letters, the same for every call, and not the \
         value: write `<{path}>` (or `{{<{path}>}}`, if the value is to be the hash tag)"
    );
    Err(diagnostics.error(template.literal.span(), message))
}

/// What stands in braces, if there is no placeholder between them.
fn inside(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('{')?;
    rest.split_once('}').map(|(inside, _)| inside)
}

/// What a placeholder would hold: `user.id` of `user.id:?`.
fn path(inside: &str, names: &[String], parameters: &[String]) -> Option<String> {
    let inside = inside.trim_start_matches(['&', '*']);
    let inside = inside.strip_prefix("r#").unwrap_or(inside);
    let end = inside.find(|c: char| c != '_' && c != '.' && !c.is_alphanumeric());
    let (path, rest) = inside.split_at(end.unwrap_or(inside.len()));
    // `{user-data}` is a word of its own.
    if !rest.is_empty() && !rest.starts_with([':', '(', '[', '?', '!', '=']) {
        return None;
    }
    let path = path.trim_end_matches('.');
    let (root, fields) = path.split_once('.').map_or((path, ""), |(root, fields)| (root, fields));
    if names.iter().any(|name| name == root) {
        return Some(path.to_owned());
    }
    let position: usize = root.parse().ok()?;
    let name = parameters.get(position).filter(|_| fields.is_empty());
    name.cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_of_format() {
        let names = ["db", "id", "user", "self", "Self", "T"].map(str::to_owned);
        for (text, meant) in [
            ("user:{id}", Some("id")),
            ("user:{id:?}:x", Some("id")),
            ("user:{id:>8}", Some("id")),
            ("user:{user.id}", Some("user.id")),
            ("user:{user.ids.0}", Some("user.ids.0")),
            ("user:{user.name()}", Some("user.name")),
            ("user:{self.tenant}", Some("self.tenant")),
            ("user:{&id}", Some("id")),
            ("user:{r#id}", Some("id")),
            ("user:{Self}", Some("Self")),
            ("user:{T}", Some("T")),
            ("user:{1}", Some("id")),
            ("user:{1:?}", Some("id")),
            ("user:{id[0]}", Some("id")),
            ("user:{7}", None),
            ("user:{identity}", None),
            ("{users}:x", None),
            ("{user-data}:x", None),
            ("{user:", None),
            ("x}:y", None),
        ] {
            let path = inside(text).and_then(|inside| path(inside, &names, &names));
            assert_eq!(path.as_deref(), meant, "{text}");
        }
    }
}
