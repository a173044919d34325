//! Rules for `#[cached(batch(id in ids), ..)]`.

use syn::ext::IdentExt as _;
use syn::{FnArg, ReceiverKind, Type};

use crate::diagnostics::Diagnostics;
use crate::model::{Batch, Cached, Flavor, Key};
use crate::{syntax, types};

pub(super) fn batch(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let Some(batch) = &model.batch else { return };
    is_of_many(batch, diagnostics);
    tells_whose_values_they_are(model, diagnostics);
    runs_more_than_once(model, diagnostics);
    leaves_out_what_is_not_there(model, diagnostics);
    has_a_body_of_its_own(model, batch, diagnostics);
    only_finds_and_loads(model, batch, diagnostics);
    if let Ok(key) = &model.key {
        key_is_of_one(batch, key, diagnostics);
    }
}

/// ```text
/// async fn get_users(ids: i64) -> HashMap<i64, User>
///                         ^^^ only one?
/// ```
fn is_of_many(batch: &Batch<'_>, diagnostics: &Diagnostics) {
    let ids = batch.items.name;
    let problem = if types::is_one(batch.ty) {
        "is one id, and a batch reads many"
    } else if types::is_opaque(batch.ty) || types::holds_no_ids(batch.ty) {
        "is no collection of ids that a batch can take"
    } else {
        return;
    };
    let message =
        format!("`{ids}` {problem}: take `&[Id]`, `Vec<Id>`, `HashSet<Id>` or `BTreeSet<Id>`");
    diagnostics.error_at(batch.ty, message);
}

/// ```text
/// async fn get_users(ids: &[i64]) -> Vec<User>
///                                    ^^^^^^^^^ whose is which?
/// ```
fn tells_whose_values_they_are(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let all = types::stored(&model.flavor.output().ty);
    if types::of_each(all).is_none() && types::is_plain(all) {
        diagnostics.error_at(
            all,
            "this does not tell which value belongs to which id: return `HashMap<Id, V>`, \
             `BTreeMap<Id, V>` or `Vec<(Id, V)>`, alone or in a `Result`",
        );
    }
}

/// ```text
/// async fn get_users(buffer: &mut Vec<u8>, ids: &[i64]) -> HashMap<i64, User>
///                            ^^^^^^^^^^^^ for which of the runs?
/// ```
fn runs_more_than_once(model: &Cached<'_>, diagnostics: &Diagnostics) {
    for parameter in &model.scope.parameters {
        if let Some(ty @ Type::Reference(reference)) = parameter.ty.map(syntax::peel)
            && reference.mutability.is_some()
        {
            let name = parameter.name;
            diagnostics.error_at(
                ty,
                format!(
                    "the body of a batch may run more than once, and `{name}` can be lent only \
                     once; take a shared reference, or something that can be cloned"
                ),
            );
        }
    }
    for input in &model.scope.function.sig.inputs {
        if let FnArg::Receiver(receiver) = input
            && !matches!(receiver.kind, ReceiverKind::Reference(_, _, None))
        {
            let message = "the body of a batch may run more than once; take `&self`";
            diagnostics.error_at(receiver, message);
        }
    }
}

/// ```text
/// async fn get_users(ids: &[i64]) -> HashMap<i64, Option<User>>
///                                                 ^^^^^^^^^^^^ or none at all?
/// ```
fn leaves_out_what_is_not_there(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let value = types::of_each(types::stored(&model.flavor.output().ty));
    let option = value.filter(|value| {
        syntax::last_segment(value).is_some_and(|segment| segment.ident == "Option")
    });
    if let Some(ty) = option {
        diagnostics.error_at(
            ty,
            "a batch leaves out the ids that have no value: return the value itself, without \
             `Option`",
        );
    }
}

/// ```text
/// #[async_trait]
/// impl Users for Database {
///     #[cached(batch(id in ids), ..)]
///              ^^^^^ the body is one future already
/// ```
fn has_a_body_of_its_own(model: &Cached<'_>, batch: &Batch<'_>, diagnostics: &Diagnostics) {
    if matches!(model.flavor, Flavor::Boxed { .. }) {
        diagnostics.error(
            batch.word.span(),
            "under `#[async_trait]` the body of a batch cannot run more than once; \
             move it into a function of its own, and call that here",
        );
    }
}

/// ```text
/// #[cached(batch(id in ids), stale_if_error = "1h", ..)]
///                            ^^^^^^^^^^^^^^ of which of them?
/// ```
fn only_finds_and_loads(model: &Cached<'_>, batch: &Batch<'_>, diagnostics: &Diagnostics) {
    let args = model.args;
    let given = [
        ("stale_while_revalidate", args.stale_while_revalidate.is_given()),
        ("stale_if_error", args.stale_if_error.is_given()),
        ("early", args.early.is_given()),
        ("load_timeout", args.load_timeout.is_given()),
        ("error_ttl", args.error_ttl.is_given()),
        ("entry", args.entry.is_given()),
    ];
    for (option, _) in given.iter().filter(|(_, is_given)| *is_given) {
        diagnostics.error(
            batch.word.span(),
            format!(
                "`{option}` is not for batches; leave it out here, and give it to a function of \
                 one id with the same key"
            ),
        );
    }
}

/// ```text
/// #[cached(batch(id in ids), key = "users:<ids>", ..)]
///                ^^ every batch would be an entry of its own
/// ```
fn key_is_of_one(batch: &Batch<'_>, key: &Key<'_>, diagnostics: &Diagnostics) {
    let item = batch.item.name.unraw().to_string();
    let items = batch.items.name.unraw().to_string();
    if item != items && key.uses(&items) {
        diagnostics.error(
            batch.item.name.span(),
            format!("the key is that of one entry: use `{item}` in it, not `{items}`"),
        );
    } else if !key.uses(&item) {
        let mend = match key {
            Key::Own(_) => format!("put `<{item}>` into the key"),
            Key::Shared(_) => format!("use `{item}` in the key"),
        };
        let message = format!(
            "`{item}` is not part of the key, so all of `{items}` would share one value; {mend}"
        );
        diagnostics.error(batch.item.name.span(), message);
    }
}
