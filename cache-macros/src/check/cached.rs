//! Rules for `#[cached]`.

use proc_macro2::Span;
use syn::ext::IdentExt as _;

use super::{is_async, transactions};
use crate::attr::cached::Ttl;
use crate::diagnostics::{Diagnostics, did_you_mean};
use crate::model::{Cached, Home, Key};
use crate::parameter::Parameter;
use crate::piece::{Form, Piece};
use crate::scope::{Scope, Subject};
use crate::{syntax, types};

pub(crate) fn cached(model: &Cached<'_>, diagnostics: &Diagnostics) {
    is_async(&model.scope, &model.flavor, diagnostics);
    returns_a_value(model, diagnostics);
    loads_outside_transactions(&model.scope, diagnostics);
    ttl_is_given(model, diagnostics);
    ttl_of_value_uses_only_it(model, diagnostics);
    skips_what_there_is(model, diagnostics);
    if let Ok(key) = &model.key {
        skipped_is_not_in_key(model, key, diagnostics);
        key_tells_calls_apart(model, key, diagnostics);
        companion_can_name_types(key, diagnostics);
    }
}

/// ```text
/// async fn get_name(&self) -> Result<&str, Error>
///                                    ^^^^ what comes from the cache borrows from nothing
/// ```
fn returns_a_value(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let output = model.flavor.output();
    let stored = types::stored(&output.ty);
    if output.is_unit() {
        let name = &model.scope.function.sig.ident;
        let message = format!("`{name}` returns nothing, so there is nothing to cache");
        diagnostics.error(name.span(), message);
    } else if types::is_opaque(stored) {
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
/// #[cached(key = "user:<id>", ttl = 60)]
/// async fn get_user(org: i64, id: i64) -> Result<User, Error>
///                   ^^^ users of all organisations would share one entry
/// ```
fn key_tells_calls_apart(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
    let scope = &model.scope;
    let parameters = scope.parameters.iter().filter(|it| is_data(it, scope)).map(|it| it.name);
    let output = &model.flavor.output().ty;
    let types = scope.types.iter().copied();
    let types = types.filter(|name| syntax::mentions(output, &name.to_string()));
    for name in parameters.chain(scope.consts.iter().copied()).chain(types) {
        let text = name.unraw().to_string();
        if key.uses(&text) || model.skipped().contains(name) {
            continue;
        }
        let mend = match key {
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
    for piece in &own.pieces {
        let Piece::Part(part) = piece else { continue };
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
