//! Collects errors, so that the user sees all of them at once.

use std::cell::RefCell;
use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;
use syn::Error;

/// The errors of one attribute.
///
/// There is no constructor: a sink exists only inside [`collect`], which looks at what was
/// reported before it hands anything on. So an error cannot be forgotten.
pub(crate) struct Diagnostics(RefCell<Vec<Error>>);

/// Proof that an error was reported; only a [`Diagnostics`] makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reported(());

/// Runs `stage`; its result counts only if no error was reported.
pub(crate) fn collect<T>(
    stage: impl FnOnce(&Diagnostics) -> Result<T, Reported>,
) -> Result<T, Error> {
    let diagnostics = Diagnostics(RefCell::default());
    let made = stage(&diagnostics);
    let errors = diagnostics.0.into_inner().into_iter().reduce(|mut all, next| {
        all.combine(next);
        all
    });
    match (made, errors) {
        (Ok(made), None) => Ok(made),
        (_, Some(errors)) => Err(errors),
        (Err(Reported(())), None) => Err(Error::new(Span::call_site(), "refused without a reason")),
    }
}

impl Diagnostics {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Records `message` at `span`.
    pub(crate) fn error(&self, span: Span, message: impl Display) -> Reported {
        self.report(Error::new(span, message))
    }

    /// Records `message` at all of `syntax`.
    pub(crate) fn error_at(&self, syntax: &impl ToTokens, message: impl Display) -> Reported {
        self.report(Error::new_spanned(syntax, message))
    }

    /// Records an error that a parser made.
    pub(crate) fn report(&self, error: Error) -> Reported {
        self.0.borrow_mut().push(error);
        Reported(())
    }
}

/// The end of a message about an unknown name: the one that was probably meant, or else all that
/// exist. Empty if none do.
pub(crate) fn did_you_mean(wrong: &str, known: &[impl AsRef<str>]) -> String {
    if let Some(name) = nearest(wrong, known) {
        return format!("; did you mean `{name}`?");
    }
    let names: Vec<_> = known.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => format!("; there is only {only}"),
        [rest @ .., last] => format!("; there are {} and {last}", rest.join(", ")),
    }
}

/// The known name that is most like the wrong one, if any is like it.
pub(crate) fn nearest<'a>(wrong: &str, known: &'a [impl AsRef<str>]) -> Option<&'a str> {
    let distances = known.iter().map(AsRef::as_ref).map(|name| (distance(wrong, name), name));
    let near = distances.filter(|&(distance, name)| distance <= tolerance(wrong, name));
    near.min_by_key(|&(distance, _)| distance).map(|(_, name)| name)
}

/// A third of the letters may be wrong. A name that is a word of the other, as `id` is of
/// `user_id`, is near too.
fn tolerance(wrong: &str, name: &str) -> usize {
    let contained = |long: &str, short: &str| long.split('_').any(|word| word == short);
    if contained(wrong, name) || contained(name, wrong) {
        usize::MAX
    } else {
        (wrong.chars().count().max(name.chars().count()) / 3).max(1)
    }
}

/// The edit distance: how many letters must be inserted, removed, replaced, or swapped with a
/// neighbour.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<_>, Vec<_>) = (from.chars().collect(), to.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (i, &letter) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &other) in to.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&above, j) + usize::from(letter != other);
            let moved = at(&above, j + 1).min(at(&row, j)) + 1;
            let swapped = match (i.checked_sub(1), j.checked_sub(1)) {
                (Some(i), Some(j)) if from.get(i) == Some(&other) && to.get(j) == Some(&letter) => {
                    at(&before, j) + 1
                }
                _ => usize::MAX,
            };
            row.push(replaced.min(moved).min(swapped));
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reported_error_fails_the_stage() {
        let made = collect(|diagnostics| {
            diagnostics.error(Span::call_site(), "one");
            diagnostics.error(Span::call_site(), "two");
            Ok(())
        });
        let messages: Vec<_> = made.unwrap_err().into_iter().map(|e| e.to_string()).collect();
        assert_eq!(messages, ["one", "two"]);
    }

    #[test]
    fn near_names_are_offered() {
        let known = ["key", "ttl", "lock", "none_ttl"];
        assert_eq!(did_you_mean("tll", &known), "; did you mean `ttl`?");
        assert_eq!(did_you_mean("lokc", &known), "; did you mean `lock`?");
        assert_eq!(did_you_mean("user_id", &["db", "id"]), "; did you mean `id`?");
        assert_eq!(
            did_you_mean("colour", &known),
            "; there are `key`, `ttl`, `lock` and `none_ttl`"
        );
        assert_eq!(did_you_mean("colour", &["id"]), "; there is only `id`");
        assert_eq!(did_you_mean("colour", &[""; 0]), "");
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("idx", "id"), 1);
        assert_eq!(distance("tagged", "tagged"), 0);
    }
}
