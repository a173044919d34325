//! The targets and options of `#[invalidates]`.

use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::{Expr, Ident, Path};

use super::argument::{List, Slot};
use super::duration::Duration;
use super::kept;
use super::name::Name;
use super::options::options;
use super::pieces::all_pieces;
use super::target::{self, Target};
use super::value::{before, cache, choice, duration, function};
use crate::diagnostics::{Diagnostics, Reported};

options! {
    /// The targets and options of `#[invalidates]`.
    struct InvalidatesArgs {
        /// A malformed target counts as one.
        targets: List<Target> =
            ("key", target::KEY, Target::key),
            ("tag", target::TAG, Target::tag),
            ("pattern", target::PATTERN, Target::pattern);
        /// The word itself.
        keep_stale: Slot<Ident> = ("keep_stale", "keep_stale", keep_stale);
        before: Slot<Expr> = ("before", BEFORE, before);
        fence: Slot<Fence> = ("fence", FENCE, fence);
        hold_off: Slot<Duration> = ("hold_off", HOLD_OFF, duration);
        only_ok: Slot<()> = ("only_ok", "only_ok", Name::flag);
        in_doubt: Slot<Expr> = ("in_doubt", IN_DOUBT, function);
        in_transaction: Slot<()> = ("in_transaction", "in_transaction", Name::flag);
        pooled: Slot<()> = ("pooled", "pooled", Name::flag);
        cache: Slot<Expr> = ("cache", "cache = self.cache", cache);
        runtime: Slot<Path> = ("crate", "crate = path::to::cache_runtime", Name::path);
        /// All options, as written: for the catalogue.
        text: String;
    }
}

// How the options are written that `#[write_through]` has too.
pub(super) const BEFORE: &str = "before = find(db, id)";
pub(super) const FENCE: &str = r#"fence = "strict""#;
pub(super) const HOLD_OFF: &str = r#"hold_off = "2s""#;
pub(super) const IN_DOUBT: &str = "in_doubt = |error: &Error| error.is_timeout()";

/// What happens if the fence cannot be put up before the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fence {
    /// The write goes on.
    #[default]
    Try,
    /// The write is refused.
    Strict,
    /// There is no fence: the targets are only invalidated after the body.
    Off,
}

impl InvalidatesArgs {
    /// Parses as much as possible, and reports the rest to `diagnostics`.
    pub(crate) fn parse(tokens: TokenStream, diagnostics: &Diagnostics) -> Self {
        let mut args = Self { text: tokens.to_string(), ..Self::default() };
        all_pieces(tokens, diagnostics, |input| args.piece(input, diagnostics));
        args
    }

    fn piece(&mut self, input: ParseStream<'_>, diagnostics: &Diagnostics) -> Result<(), Reported> {
        if kept::is_next(input) {
            return kept::all(input, &mut self.targets, diagnostics);
        }
        if !Self::OPTIONS.is_next(input) {
            return self.targets.push(Target::parse(input), diagnostics);
        }
        match Self::OPTIONS.name(input) {
            Ok((name, read)) => read(self, &name, input, diagnostics),
            // It may have been meant for `key`.
            Err(error) => self.targets.push(Err(error), diagnostics),
        }
    }

    /// Parses a target inside `invalidates(..)` of another attribute, which has the options.
    pub(super) fn only_target(
        &mut self,
        input: ParseStream<'_>,
        diagnostics: &Diagnostics,
    ) -> Result<(), Reported> {
        let ahead = input.fork();
        if Self::OPTIONS.is_next(input)
            && let Ok((name, _)) = Self::OPTIONS.name(&ahead)
            && !target::is_named(&name.text)
        {
            if name.text == "keep_stale" {
                return Err(diagnostics.report(name.error(kept::NAMELESS)));
            }
            let message = format!("`{}` belongs to the write; put it outside", name.text);
            return Err(diagnostics.report(name.error(message)));
        }
        self.piece(input, diagnostics)
    }
}

fn keep_stale(name: &Name, input: ParseStream<'_>) -> syn::Result<Ident> {
    name.flag(input)?;
    Ok(name.ident.clone())
}

pub(super) fn fence(name: &Name, input: ParseStream<'_>) -> syn::Result<Fence> {
    choice(
        name,
        input,
        "fence",
        &[("try", Fence::Try), ("strict", Fence::Strict), ("off", Fence::Off)],
    )
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::diagnostics::collect;

    fn parse(tokens: TokenStream) -> Result<InvalidatesArgs, Vec<String>> {
        collect(|diagnostics| Ok(InvalidatesArgs::parse(tokens, diagnostics)))
            .map_err(|errors| errors.into_iter().map(|error| error.to_string()).collect())
    }

    #[test]
    fn targets_and_options() {
        let args = parse(quote! {
            get_user(id), Self::get_user(id), self.repo.get_user(result.id), api::get::<User>(id),
            each(id in ids) get_user(id), each(user in result.users) key = "user:<user.id>",
            each(id),
            each(org in orgs) each(id in org.ids) self.get_user(org.id, id),
            key = "user:<id>", key = user_key(&id), pattern = "user:<id>:*", fence = "strict",
            hold_off = "2s", only_ok, in_doubt = Error::is_timeout, in_transaction, cache = cache,
            crate = cache, before = find(db, id), keep_stale(list(org), tag = "org:<org>"),
        })
        .unwrap();
        assert_eq!(args.targets.iter().count(), 13);
        let each = args.targets.iter().flatten().filter(|it| matches!(it, Target::Each(..)));
        assert_eq!(each.count(), 3);
        assert_eq!(args.fence.get().unwrap(), Some(&Fence::Strict));
        assert!(args.only_ok.is_given() && args.in_doubt.is_given());
        assert!(args.in_transaction.is_given() && args.before.is_given());
    }

    #[test]
    fn mistakes() {
        for (tokens, message) in [
            (quote!("user:<id>"), r#"a key is given by name: write `key = "user:<id>"`"#),
            (quote!(get_user), "a target is a call: write `get_user(..)`"),
            (quote!(only_okay), "there is no option `only_okay`; did you mean `only_ok`?"),
            (quote!(only_ok = true), "`only_ok` takes no value: write `only_ok`"),
            (quote!(in_doubt), "`in_doubt` needs a value: write `in_doubt = |error: &Error|"),
            (quote!(in_doubt = true), "`in_doubt` is a closure: write `in_doubt = |error: &Error|"),
            (quote!(keep_stale()), "nothing whose stale value is to be kept: write `keep_stale("),
            (quote!(keep_stale = true), "`keep_stale` takes no value: write `keep_stale`"),
            (quote!(keep_stale(pattern = "a:*")), "a pattern removes what it matches"),
            (quote!(each(id in ids) keep_stale(get(id))), "write `keep_stale(each(..) ..)`"),
            (quote!(before), "`before` needs a value: write `before = find(db, id)`"),
            (quote!(before = "find"), "`before` is a call of an async function: write `before = "),
            (quote!(before = find(id).await), "the write awaits `before` itself: leave `.await`"),
            (quote!(id == 7), "expected a target"),
            (quote!(pattern = users), "a pattern is a template in quotes"),
            (quote!(fence = "strikt"), "there is no fence `strikt`; did you mean `strict`?"),
            (quote!(fence = strict), r#"expected `"try"`, `"strict"` or `"off"`"#),
            (quote!(key = "user:*"), "`*` cannot be part of a key"),
            (quote!(each(id in ids)), "each of what? write `each(id in ids) get_user(id)`"),
            (
                quote!(each(id in ids), only_ok),
                "each of what? write `each(id in ids) get_user(id)`",
            ),
            (quote!(each(ids) get_user(id)), "expected a name, `in` and a collection"),
            (quote!(each(id in) get_user(id)), "expected a name, `in` and a collection"),
            (quote!(for id in ids get_user(id)), "one target for each item is written `each("),
            (quote!(get_user(<id>)), "placeholders belong in templates"),
            (quote!(each(id in ids) get_user), "a target is a call: write `get_user(..)`"),
            (quote!(each(id in ids) fence = "off"), "there is no option `fence`; there are `key`"),
        ] {
            let text = tokens.to_string();
            let errors = parse(tokens).err().unwrap();
            assert_eq!(errors.len(), 1, "{text}: {errors:?}");
            assert!(errors[0].starts_with(message), "{text}: {errors:?}");
        }
    }
}
