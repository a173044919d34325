//! Rules for `#[cached]` functions that run in the background, or serve values past their ttl.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::{FnArg, Pat, Type};

use crate::attr::cached::Companion;
use crate::diagnostics::Diagnostics;
use crate::model::{Cached, Flavor};
use crate::{syntax, types};

const WHY: &str =
    "`stale_while_revalidate` and `load_timeout` run the body in the background, after the call";

pub(crate) fn cached(model: &Cached<'_>, diagnostics: &Diagnostics) {
    timeout_has_something_to_serve(model, diagnostics);
    errors_can_be_returned(model, diagnostics);
    error_ttl_uses_only_the_error(model, diagnostics);
    if model.is_detached() {
        has_room_for_its_body(model, diagnostics);
        unless_uses_only_the_value(model, diagnostics);
        for input in &model.scope.function.sig.inputs {
            can_be_copied(input, diagnostics);
        }
    }
}

/// ```text
/// #[cached(key = "user:<id>", ttl = 60, load_timeout = "2s")]
///                                       ^^^^^^^^^^^^ and what is served then?
/// ```
fn timeout_has_something_to_serve(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let args = model.args;
    let window = args.stale_while_revalidate.is_given() || args.stale_if_error.is_given();
    if args.load_timeout.is_given() && !window && !args.skipped {
        diagnostics.error(
            Span::call_site(),
            "`load_timeout` serves a stale value where the load takes longer, and there is none; \
             say how long one may be served: add `stale_if_error = \"1h\"` or \
             `stale_while_revalidate = \"10m\"`",
        );
    }
}

/// ```text
/// #[cached(key = "user:<id>", ttl = 60, error_ttl = |error| Some(WHILE))]
/// async fn find_user(id: i64) -> Option<User>
///                                ^^^^^^^^^^^^ which errors?
/// ```
fn errors_can_be_returned(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let output = &model.flavor.output().ty;
    if model.args.error_ttl.is_given() && types::is_plain(output) {
        diagnostics.error_at(
            output,
            "`error_ttl` is for errors, and this function returns none; for `None` there is \
             `none_ttl`",
        );
    }
}

/// ```text
/// #[cached(ttl = 60, error_ttl = |error| (id > 0).then_some(WHILE))]
///                                         ^^ not known where an error is remembered
/// ```
fn error_ttl_uses_only_the_error(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let Ok(Some(ttl)) = model.args.error_ttl.get() else { return };
    for name in names(model) {
        if let Some(used) = syntax::variable(ttl, &name).filter(|_| !syntax::binds(ttl, &name)) {
            let message = format!("an `error_ttl` closure sees only the error, not `{name}`");
            diagnostics.error(used.span(), message);
        }
    }
}

/// ```text
/// #[cached(key = "user:<id>", ttl = 60, stale_while_revalidate = 60, companion = false)]
/// async fn find(&self, id: i64) -> User
///          ^^^^ a trait's implementation has no room for a function of our own
/// ```
fn has_room_for_its_body(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let refused = matches!(model.args.companion.get(), Ok(Some(Companion::None)));
    let boxed = matches!(model.flavor, Flavor::Boxed { .. });
    if boxed || (refused && model.scope.in_impl()) {
        let name = &model.scope.function.sig.ident;
        diagnostics.error(
            name.span(),
            format!(
                "{WHY}, for which it moves into a function of its own; the implementation of a \
                 trait has no room for that: put the attribute on a function that `{name}` calls"
            ),
        );
    }
}

/// ```text
/// #[cached(ttl = 60, stale_while_revalidate = 60, unless = |user| user.id == id)]
///                                                                            ^^
/// ```
fn unless_uses_only_the_value(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let Ok(Some(unless)) = model.args.unless.get() else { return };
    for name in names(model) {
        if let Some(used) =
            syntax::variable(unless, &name).filter(|_| !syntax::binds(unless, &name))
        {
            let message =
                format!("{WHY}, where `{name}` is gone: `unless` sees only the value there");
            diagnostics.error(used.span(), message);
        }
    }
}

/// What the function's arguments are called.
fn names(model: &Cached<'_>) -> impl Iterator<Item = String> {
    let names = model.scope.parameters.iter().map(|parameter| parameter.name.unraw().to_string());
    names.chain(["self".to_owned()])
}

/// ```text
/// async fn get_user(tx: &mut Transaction<'_, Postgres>, id: i64) -> Result<User, Error>
///                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ gone when the background comes to it
/// ```
fn can_be_copied(input: &FnArg, diagnostics: &Diagnostics) {
    let (name, ty) = match input {
        FnArg::Receiver(receiver) => ("self".to_owned(), syntax::receiver_type(receiver)),
        FnArg::Typed(input) => match &*input.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                (pat.ident.unraw().to_string(), (*input.ty).clone())
            }
            pat => {
                let message = format!(
                    "{WHY}, and hand this argument on; give the parameter a name and take it apart \
                     in the body"
                );
                diagnostics.error_at(pat, message);
                return;
            }
        },
    };
    let refuse = |mend: &str| {
        diagnostics.error_at(&Whole(input, &ty), format!("{WHY}, where `{name}` is gone; {mend}"));
    };
    match syntax::peel(&ty) {
        ty if types::is_opaque(ty) => {
            refuse(
                "name its type: a type parameter with the bounds `Clone + Send + Sync + 'static`",
            );
        }
        Type::Reference(reference) if reference.mutability.is_some() => {
            refuse(
                "take something that the body can open anew, such as the pool, by shared reference \
                 or value",
            );
        }
        ty if types::referent(ty).is_some_and(types::borrows) => {
            refuse("take owned types behind the reference, such as `&[String]` for `&[&str]`");
        }
        Type::Reference(_) => {}
        ty if types::borrows(ty) => {
            refuse("take an owned type, such as `Option<String>` for `Option<&str>`");
        }
        _ => {}
    }
}

/// Where an argument is underlined: at its type, or at `self`.
struct Whole<'a>(&'a FnArg, &'a Type);

impl ToTokens for Whole<'_> {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        match self.0 {
            FnArg::Receiver(receiver) => receiver.to_tokens(tokens),
            FnArg::Typed(_) => self.1.to_tokens(tokens),
        }
    }
}
