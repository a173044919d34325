//! Rules for `#[cached]`.

use proc_macro2::Span;
use syn::ext::IdentExt as _;

use super::batch::batch;
use super::key::key;
use super::{alias, detached, is_always_there, is_async, open_transactions, pooled};
use crate::attr::cached::Ttl;
use crate::diagnostics::{Diagnostics, did_you_mean};
use crate::model::{Cached, Key};
use crate::parameter::Parameter;
use crate::types::Open;
use crate::{syntax, types};

pub(crate) fn cached(model: &Cached<'_>, diagnostics: &Diagnostics) {
    is_async(&model.scope, &model.flavor, diagnostics);
    returns_a_value(model, diagnostics);
    loads_outside_transactions(model, diagnostics);
    ttl_is_given(model, diagnostics);
    closures_use_only_the_value(model, diagnostics);
    skips_what_there_is(model, diagnostics);
    is_strict_or_lossy(model, diagnostics);
    detached::cached(model, diagnostics);
    alias::cached(model, diagnostics);
    batch(model, diagnostics);
    is_always_there(&model.scope, |parameter| is_handed_on(model, parameter), diagnostics);
    key(model, diagnostics);
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
        let owned = match types::with_static(stored) {
            Some(owned) => format!("write `{owned}`, and let the body own what is in it"),
            None => "return an owned type, such as `String` for `&str`".to_owned(),
        };
        diagnostics.error_at(
            stored,
            format!("a cached value is read back from the cache and borrows from nothing; {owned}"),
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
///                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ may see what nobody else sees, or the past
/// ```
fn loads_outside_transactions(model: &Cached<'_>, diagnostics: &Diagnostics) {
    if model.args.pooled.is_given() {
        return;
    }
    for (ty, open) in open_transactions(&model.scope) {
        let loads = match open {
            Open::Transaction | Open::Connection => "a load inside a transaction may see",
            Open::Either => {
                "a caller may pass an open transaction here, inside which a load may see"
            }
        };
        let message = format!(
            "{loads} rows that are never committed, or outdated ones, and the cache would show \
             them to everybody; take the pool, {}",
            pooled(open)
        );
        diagnostics.error_at(ty, message);
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
/// #[cached(.., strict_values, lossy_values)]
///                             ^^^^^^^^^^^^ which of the two?
/// ```
fn is_strict_or_lossy(model: &Cached<'_>, diagnostics: &Diagnostics) {
    if model.args.strict_values.is_given()
        && let Ok(Some(lossy)) = model.args.lossy_values.get()
    {
        diagnostics.error(
            *lossy,
            "`strict_values` refuses values that would come back as other ones, and `lossy_values` \
             stores them; keep one",
        );
    }
}

/// ```text
/// #[cached(key = "plan:<id>", ttl = |plan: &Plan| if id == 0 { .. } else { .. })]
///                                                    ^^ not known where a value is stored
/// ```
fn closures_use_only_the_value(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let tags = model.args.tags.get().ok().flatten().and_then(|tags| tags.of_value.as_ref());
    let entry = model.args.entry.get().ok().flatten();
    let ttl = match model.args.ttl.get() {
        Ok(Some(Ttl::Of(closure))) => Some(closure),
        _ => None,
    };
    let names = model.scope.parameters.iter().map(|parameter| parameter.name.unraw().to_string());
    for name in names.chain(["self".to_owned()]) {
        let mends = [
            (ttl, "a `ttl`", format!("to use `{name}` write an expression of type `Duration`")),
            (entry, "an `entry`", "it makes the key of the entity from that alone".to_owned()),
            (tags, "a `tags`", format!("write `\"..:<{name}>\"` beside it, in one list")),
        ];
        for (closure, option, mend) in mends {
            let Some(closure) = closure else { continue };
            let used = syntax::variable(&closure.body, &name);
            if let Some(used) = used.filter(|_| !syntax::mentions(&closure.inputs, &name)) {
                let message = format!("{option} closure sees only the value; {mend}");
                diagnostics.error(used.span(), message);
            }
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
