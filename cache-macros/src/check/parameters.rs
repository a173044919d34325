//! Every parameter of a cached read is in its key, or there is a reason why not.

use quote::ToTokens as _;
use syn::ext::IdentExt as _;

use crate::diagnostics::Diagnostics;
use crate::model::{Cached, Key, Standing};
use crate::parameter::Parameter;
use crate::types::{Mend, mend};
use crate::{syntax, types};

/// ```text
/// #[cached(key = "menu", ttl = 60)]
/// async fn menu(ctx: &Ctx) -> Result<Menu, Error>
///               ^^^ all tenants would share one entry
/// ```
pub(super) fn tells_calls_apart(model: &Cached<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
    for parameter in &model.scope.parameters {
        if model.standing(key, parameter) == Standing::Unsettled {
            let mend = match key {
                Key::Own(_) => in_template(model, parameter),
                Key::Shared(_) => "use it in the key".to_owned(),
            };
            let name = parameter.name.unraw().to_string();
            diagnostics.error(parameter.name.span(), refusal(&name, &mend));
        }
    }
    for name in model.unsettled_generics(key) {
        let text = name.unraw().to_string();
        let mend = match key {
            Key::Own(_) => format!("put `<{text}>` into the key"),
            Key::Shared(_) => "use it in the key".to_owned(),
        };
        diagnostics.error(name.span(), refusal(&text, &mend));
    }
}

fn refusal(name: &str, mend: &str) -> String {
    format!(
        "`{name}` is not part of the key, so calls that differ only in `{name}` would share one \
         value; {mend}, or write `skip({name})` if it does not decide the result"
    )
}

/// How the parameter gets into a template.
fn in_template(model: &Cached<'_>, parameter: &Parameter<'_>) -> String {
    let name = parameter.name.unraw();
    if model.is_unnamed(parameter) {
        return "give the parameter a name, and put that into the key".to_owned();
    }
    let Some(ty) = parameter.ty else { return in_template_of_part(parameter) };
    let bounds = model.scope.bounds(ty);
    match mend(ty, bounds.as_deref()) {
        Mend::Whole => format!("put `<{name}>` into the key"),
        Mend::Element(index) => format!("put `<{name}.{index}>` into the key"),
        Mend::Display => format!(
            "put `<{name}>` into the key, with the feature of `cache-runtime` that has the name of \
             the type's crate, or `<{name}:display>` without one"
        ),
        Mend::Hash => format!("put `<{name}:hash>` into the key"),
        Mend::Fields => {
            let fields = syntax::fields_of(&model.scope.function.body, parameter.name);
            let fields: Vec<_> = fields.iter().map(|field| format!("<{name}.{field}>")).collect();
            match fields.as_slice() {
                [] => {
                    format!("put `<{name}:hash>`, or those of its fields that matter, into the key")
                }
                fields => {
                    format!("put `{}` (or `<{name}:hash>`) into the key", fields.join(":"))
                }
            }
        }
        Mend::Nothing => format!(
            "no value of this type can be part of a key: take what decides the result as a \
             parameter of its own instead of `{name}`, and put that into the key"
        ),
    }
}

/// The same for what a pattern binds: `page` of `Query(page): Query<Page>`.
fn in_template_of_part(parameter: &Parameter<'_>) -> String {
    let name = parameter.name.unraw();
    let is_extractor = syntax::last_segment(parameter.whole)
        .is_some_and(|segment| syntax::arguments(segment).count() == 1);
    if is_extractor && !types::holds_data_somewhere(parameter.whole) {
        let whole = parameter.whole.to_token_stream().to_string().replace(' ', "");
        format!(
            "take it whole, as `{name}: {whole}`, and put `<{name}.0:hash>` or a field of it into \
             the key"
        )
    } else {
        format!("put `<{name}>` into the key")
    }
}
