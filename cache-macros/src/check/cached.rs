//! Rules for `#[cached]`.

use proc_macro2::Span;
use syn::Expr;
use syn::ext::IdentExt as _;

use super::batch::batch;
use super::{detached, is_always_there, is_async, transactions};
use crate::attr::cached::Ttl;
use crate::diagnostics::{Diagnostics, did_you_mean};
use crate::model::{Cached, Home, Key};
use crate::parameter::Parameter;
use crate::piece::Form;
use crate::scope::{Scope, Subject};
use crate::{syntax, types};

/// Each costs a hit one key more to read.
const MOST_TAGS: usize = 16;

pub(crate) fn cached(model: &Cached<'_>, diagnostics: &Diagnostics) {
    is_async(&model.scope, &model.flavor, diagnostics);
    returns_a_value(model, diagnostics);
    loads_outside_transactions(&model.scope, diagnostics);
    ttl_is_given(model, diagnostics);
    ttl_of_value_uses_only_it(model, diagnostics);
    skips_what_there_is(model, diagnostics);
    tags_are_few_and_different(model, diagnostics);
    detached::cached(model, diagnostics);
    batch(model, diagnostics);
    is_always_there(&model.scope, |parameter| is_handed_on(model, parameter), diagnostics);
    if let Ok(key) = &model.key {
        key_is_no_parameter(model, key, diagnostics);
        skipped_is_not_in_key(model, key, diagnostics);
        key_tells_calls_apart(model, key, diagnostics);
        companion_can_name_types(key, diagnostics);
        tags_go_with_the_key(model, key, diagnostics);
    }
}

/// ```text
/// async fn get_name(&self) -> Result<&str, Error>
///                                    ^^^^ what comes from the cache borrows from nothing
/// ```
fn returns_a_value(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let output = model.flavor.output();
    let stored = model.stored();
    if output.is_nothing() {
        let name = &model.scope.function.sig.ident;
        let message = format!("`{name}` returns nothing, so there is nothing to cache");
        diagnostics.error(name.span(), message);
    } else if types::is_object(stored) {
        diagnostics.error_at(
            stored,
            "a cached value is stored and read back, so its type must be known; \
             write a type with a size instead of `dyn`",
        );
    } else if types::is_opaque(stored) && model.scope.function.sig.asyncness.is_some() {
        diagnostics.error_at(
            stored,
            "a cached value is stored and read back, so its type must have a name; \
             write the type instead of `impl`",
        );
    } else if types::borrows(stored) {
        diagnostics.error_at(
            stored,
            "a cached value is read back from the cache and borrows from nothing; \
             return an owned type, such as `String` for `&str`",
        );
    }
    if let Some(error) = types::error(&output.ty).filter(|error| types::may_end(error)) {
        diagnostics.error_at(
            error,
            "all callers that wait for a load get its error, which borrows from none of them; \
             return an owned type, such as `String` for `&str`",
        );
    }
}

/// ```text
/// async fn get_user(tx: &mut Transaction<'_, Postgres>, id: i64) -> Result<User, Error>
///                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ may see what nobody else sees yet, or the past
/// ```
fn loads_outside_transactions(scope: &Scope<'_>, diagnostics: &Diagnostics) {
    for ty in transactions(scope) {
        diagnostics.error_at(
            ty,
            "a load inside a transaction may see rows that are never committed, or outdated ones, \
             and the cache would show them to everybody; take the pool instead (or, if this is \
             no database transaction, rename the type: `use .. as ..`)",
        );
    }
}

/// ```text
/// #[cached(key = "user:<id>")]
/// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ for how long?
/// ```
fn ttl_is_given(model: &Cached<'_>, diagnostics: &Diagnostics) {
    if !model.args.ttl.is_given() && !model.args.skipped {
        diagnostics.error(
            Span::call_site(),
            "`ttl` is missing: for how long may a value be served? \
             write `ttl = 3600` (seconds) or `ttl = \"1h\"`",
        );
    }
}

/// ```text
/// #[cached(key = "plan:<id>", ttl = |plan: &Plan| if id == 0 { .. } else { .. })]
///                                                    ^^ not known where a value is stored
/// ```
fn ttl_of_value_uses_only_it(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let Ok(Some(Ttl::Of(closure))) = model.args.ttl.get() else {
        return;
    };
    let names = model.scope.parameters.iter().map(|parameter| parameter.name.unraw().to_string());
    for name in names.chain(["self".to_owned()]) {
        if let Some(used) = syntax::mention(&closure.body, &name)
            .filter(|_| !syntax::mentions(&closure.inputs, &name))
        {
            diagnostics.error(
                used.span(),
                format!(
                    "a `ttl` closure sees only the value; to use `{name}` \
                     write an expression of type `Duration`"
                ),
            );
        }
    }
}

/// ```text
/// #[cached(key = "user:<id>", ttl = 60, skip(dp))]
///                                            ^^ there is only `db`
/// ```
fn skips_what_there_is(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let names = model.scope.names();
    for name in model.skipped() {
        let text = name.unraw().to_string();
        if !names.contains(&text) {
            let function = model.scope.function.name();
            let hint = did_you_mean(&text, &names);
            diagnostics.error(name.span(), format!("`{function}` has no parameter `{text}`{hint}"));
        }
    }
}

/// ```text
/// #[cached(key = "user:<id>", ttl = 60, skip(id))]
///                                            ^^ is it, or is it not?
/// ```
fn skipped_is_not_in_key(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
    for name in model.skipped() {
        if key.uses(&name.unraw().to_string()) {
            diagnostics
                .error(name.span(), format!("`{name}` is part of the key; take it out of `skip`"));
        }
    }
}

/// ```text
/// #[cached(key = id, ttl = 60)]
///                ^^ an `i64`, and no `Key<User>`
/// ```
fn key_is_no_parameter(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
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
/// #[cached(key = "user:<id>", ttl = 60)]
/// async fn get_user(org: i64, id: i64) -> Result<User, Error>
///                   ^^^ users of all organisations would share one entry
/// ```
fn key_tells_calls_apart(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
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

/// Whether a parameter goes to more than the body.
fn is_handed_on(model: &Cached<'_>, parameter: &Parameter<'_>) -> bool {
    let in_key = match &model.key {
        Ok(Key::Own(own)) => {
            let name = parameter.name.unraw().to_string();
            own.parts().any(|part| part.subject.name() == name)
        }
        _ => false,
    };
    in_key || model.is_detached() || model.batch.is_some()
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
fn tags_go_with_the_key(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
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
