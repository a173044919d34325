//! Rules for `#[cached(entry = ..)]`.

use crate::diagnostics::Diagnostics;
use crate::model::{Cached, Key};

pub(super) fn cached(model: &Cached<'_>, diagnostics: &Diagnostics) {
    if model.args.entry.is_given() {
        has_a_key_of_its_own(model, diagnostics);
        leaves_to_the_entity_what_is_its_own(model, diagnostics);
    }
}

/// ```text
/// #[cached(key = find_key(email), ttl = 60, entry = |user: &User| get_user_key(&user.id))]
///                ^^^^^^^^^^^^^^^ the key of two entries?
/// ```
fn has_a_key_of_its_own(model: &Cached<'_>, diagnostics: &Diagnostics) {
    if let Ok(Key::Shared(key)) = &model.key {
        diagnostics.error_at(
            key,
            "an alias has a key of its own, which leads to the entry of the entity: write a \
             template, such as `key = \"user:email:<email>\"`",
        );
    }
}

/// ```text
/// #[cached(.., entry = |user: &User| get_user_key(&user.id), version = 2)]
///                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ whose entry has that version?
/// ```
fn leaves_to_the_entity_what_is_its_own(model: &Cached<'_>, diagnostics: &Diagnostics) {
    let args = model.args;
    let Ok(Some(entry)) = args.entry.get() else { return };
    let tags = args.tags.get().ok().flatten().and_then(|tags| tags.of_value.as_ref());
    let given = [
        ("codec", args.codec.is_given()),
        ("version", args.version.is_given()),
        ("a `tags` closure", tags.is_some()),
        ("stale_while_revalidate", args.stale_while_revalidate.is_given()),
        ("stale_if_error", args.stale_if_error.is_given()),
        ("load_timeout", args.load_timeout.is_given()),
        ("early", args.early.is_given()),
    ];
    for (option, _) in given.iter().filter(|(_, is_given)| *is_given) {
        let option =
            if option.contains('`') { (*option).to_owned() } else { format!("`{option}`") };
        let message = format!(
            "{option} is up to the function of the entity, in whose entry the value is; leave it \
             out here"
        );
        diagnostics.error_at(entry, message);
    }
}
