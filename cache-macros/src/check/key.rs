//! Rules for the key of a `#[cached]` function, and for the tags that go with it.

use proc_macro2::Span;
use syn::Expr;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned;

use super::parameters::tells_calls_apart;
use crate::attr::cached::Companion;
use crate::attr::tags::Tags;
use crate::diagnostics::Diagnostics;
use crate::model::{Cached, Home, Key};
use crate::parameter::Parameter;
use crate::piece::Form;
use crate::scope::Subject;
use crate::types;

/// Each costs a hit one key more to read.
const MOST_TAGS: usize = 16;

pub(super) fn key(model: &Cached<'_>, diagnostics: &Diagnostics) {
    tags_are_few_and_different(model, diagnostics);
    if let Ok(key) = &model.key {
        is_no_parameter(model, key, diagnostics);
        leaves_out_what_is_skipped(model, key, diagnostics);
        tells_calls_apart(model, key, diagnostics);
        companion_can_name_types(key, diagnostics);
        tags_go_with_it(model, key, diagnostics);
        has_a_place_for_its_companion(model, key, diagnostics);
    }
}

/// ```text
/// #[cached(key = id, ttl = 60)]
///                ^^ an `i64`, and no `Key<User>`
/// ```
fn is_no_parameter(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
    let Key::Shared(expr) = key else { return };
    let name = match expr {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    };
    let parameter = name.and_then(|name| model.scope.parameter(&name.unraw().to_string()));
    if let Some(Parameter { name, ty: Some(ty), .. }) = parameter
        && types::is_data(ty)
    {
        let name = name.unraw();
        let message = format!("`{name}` is a parameter, not a `Key`: write `key = \"<{name}>\"`");
        diagnostics.error_at(expr, message);
    }
}

/// ```text
/// #[cached(key = "user:<id>", ttl = 60, skip(id))]
///                                            ^^ is it, or is it not?
/// ```
fn leaves_out_what_is_skipped(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
    for name in model.skipped() {
        if key.uses(&name.unraw().to_string()) {
            diagnostics
                .error(name.span(), format!("`{name}` is part of the key; take it out of `skip`"));
        }
    }
}

/// ```text
/// #[cached(key = "page:<page.number>", ttl = 60)]
/// async fn get_page(Query(page): Query<Page>) -> Result<Page, Error>
///                         ^^^^ of which type?
/// ```
fn companion_can_name_types(key: &Key<'_>, diagnostics: &Diagnostics) {
    let Key::Own(own) = key else { return };
    for part in own.parts() {
        let Subject::Parameter(Parameter { name, ty: None, .. }) = part.subject else {
            continue;
        };
        let whole = part.fields.is_empty() && !matches!(part.form, Form::Hash);
        if own.home != Home::Inline && !whole {
            diagnostics.error(
                name.span(),
                format!(
                    "the type of `{name}` is not written here, so the companion that makes the key \
                     cannot take it; give the parameter a name and take it apart in the body"
                ),
            );
        }
    }
}

/// ```text
/// #[cached(key = "user:<id>", ttl = 60, tags = ["users", "users"])]
///                                                        ^^^^^^^ what for?
/// ```
fn tags_are_few_and_different(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let Ok(Some(Tags { templates: tags, .. })) = model.args.tags.get() else { return };
    for (at, tag) in tags.iter().enumerate() {
        let text = tag.literal.value();
        if tags.iter().take(at).any(|before| before.literal.value() == text) {
            diagnostics.error(tag.literal.span(), format!("`{text}` is given twice; keep one"));
        }
    }
    if let Some(tag) = tags.get(MOST_TAGS) {
        diagnostics.error(
            tag.literal.span(),
            format!(
                "an entry has at most {MOST_TAGS} tags, since every hit reads one key more for \
                 each; leave out those that others imply"
            ),
        );
    }
}

/// ```text
/// #[cached(key = user_key(&id), ttl = 60, tags = ["users"])]
///                                                 ^^^^^^^ others have the same key without it
/// ```
fn tags_go_with_it(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
    if let (Key::Shared(_), Ok(Some(tags))) = (key, model.args.tags.get()) {
        let first = tags.templates.first().map(|tag| tag.literal.span());
        let closure = tags.of_value.as_ref().map(Spanned::span);
        diagnostics.error(
            first.or(closure).unwrap_or_else(Span::call_site),
            "the tags of an entry go with its key, so that all functions that share it agree on \
             them; give them where the key is made: in `tags` of the function that has the \
             template, or with `.tag(..)` and `.tags_of(..)`",
        );
    }
}

/// ```text
/// #[cached(key = user_key(&id), ttl = 60, companion = user_entry)]
///                                                     ^^^^^^^^^^ `user_key` makes the key
/// ```
fn has_a_place_for_its_companion(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
    let Ok(Some(Companion::Named(name))) = model.args.companion.get() else { return };
    let message = match key {
        Key::Shared(_) => {
            "a function whose `key` is an expression has no companion: what makes its key is in \
             that expression; leave out `companion`, and use that"
        }
        Key::Own(own) if own.home == Home::Inline => {
            "in the implementation of a trait there is no place for a companion; leave out \
             `companion`, and write a function outside that makes the key, for `key = ..` here"
        }
        Key::Own(_) if *name == model.scope.function.sig.ident => {
            "this is the function itself; give its companion a name of its own"
        }
        Key::Own(_) => return,
    };
    diagnostics.error(name.span(), message);
}
