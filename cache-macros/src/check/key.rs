//! Rules for the key of a `#[cached]` function, and for the tags that go with it.

use syn::Expr;
use syn::ext::IdentExt as _;

use crate::diagnostics::Diagnostics;
use crate::model::{Cached, Home, Key};
use crate::parameter::Parameter;
use crate::piece::Form;
use crate::scope::{Scope, Subject};
use crate::{syntax, types};

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
/// #[cached(key = "user:<id>", ttl = 60)]
/// async fn get_user(org: i64, id: i64) -> Result<User, Error>
///                   ^^^ users of all organisations would share one entry
/// ```
fn tells_calls_apart(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
    let scope = &model.scope;
    // Of a batch the key tells one item from another.
    let items = model.batch.map(|batch| batch.items.name);
    let parameters = scope.parameters.iter().filter(|it| Some(it.name) != items);
    let parameters = parameters.filter(|it| is_data(it, scope)).map(|it| it.name);
    let stored = model.stored();
    let types = scope.types.iter().copied();
    let types = types.filter(|name| syntax::mentions(stored, &name.to_string()));
    for name in parameters.chain(scope.consts.iter().copied()).chain(types) {
        let text = name.unraw().to_string();
        if key.uses(&text) || model.skipped().contains(name) {
            continue;
        }
        let mend = match key {
            Key::Own(own) if own.spells(&format!("{{{text}}}")) => {
                format!(
                    "write `<{text}>` in the key (`{{{text}}}` is a hash tag, of these letters)"
                )
            }
            Key::Own(_) => format!("put `<{text}>` into the key"),
            Key::Shared(_) => "use it in the key".to_owned(),
        };
        diagnostics.error(
            name.span(),
            format!(
                "`{text}` is not part of the key, so calls that differ only in `{text}` would share \
                 one value; {mend}, or write `skip({text})` if that is right"
            ),
        );
    }
}

fn is_data(parameter: &Parameter<'_>, scope: &Scope<'_>) -> bool {
    let Some(ty) = parameter.ty else {
        return types::holds_data_somewhere(parameter.whole);
    };
    types::is_data(ty) || scope.bounds(ty).iter().any(|bound| types::is_data_bound(bound))
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
    let Ok(Some(tags)) = model.args.tags.get() else { return };
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
                "an entry has at most {MOST_TAGS} tags, since every hit reads one key more for each; \
                 leave out those that others imply"
            ),
        );
    }
}

/// ```text
/// #[cached(key = user_key(&id), ttl = 60, tags = ["users"])]
///                                                 ^^^^^^^ others have the same key without it
/// ```
fn tags_go_with_it(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
    if let (Key::Shared(_), Ok(Some(tags))) = (key, model.args.tags.get())
        && let Some(tag) = tags.first()
    {
        diagnostics.error(
            tag.literal.span(),
            "the tags of an entry go with its key, so that all functions that share it agree on them; \
             give them where the key is made: in `tags` of the function that has the template, \
             or with `.tag(..)`",
        );
    }
}
