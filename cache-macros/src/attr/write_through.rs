//! The entries and options of `#[write_through]`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Error, Expr, ExprAssign, ExprCall, ExprLit, ExprMethodCall, Ident, Lit, parenthesized};
use syn::{Token, token};

use super::argument::List;
use super::each::Each;
use super::invalidates::{self, BEFORE, FENCE, Fence, HOLD_OFF, IN_DOUBT, InvalidatesArgs};
use super::kept;
use super::name::Name;
use super::options::options;
use super::pieces::{all_pieces, each_piece};
use super::target::{Call, Target, call};
use super::value::{before, cache, duration, function};
use crate::diagnostics::{Diagnostics, Reported};
use crate::syntax;

options! {
    /// The options of `#[write_through]`.
    pub(super) const OPTIONS of WriteThroughArgs {
        [stored] = ("key", "key = user_key(&id)", Stored::by_key);
        [write.targets] = ("invalidates", "invalidates(list_users(org))", no_group);
        [write.before] = ("before", BEFORE, before);
        [write.fence] = ("fence", FENCE, fence);
        [write.hold_off] = ("hold_off", HOLD_OFF, duration);
        [write.only_ok] = ("only_ok", "only_ok", Name::flag);
        [write.in_doubt] = ("in_doubt", IN_DOUBT, function);
        [write.pooled] = ("pooled", "pooled", Name::flag);
        [write.cache] = ("cache", "cache = self.cache", cache);
        [write.runtime] = ("crate", "crate = path::to::cache_runtime", Name::path);
    }
}

options! {
    /// Options of `#[invalidates]` that do not exist here.
    const OF_INVALIDATES of WriteThroughArgs {
        [stored] =
            ("tag", r#"invalidates(tag = "org:<org_id>")"#, no_tag),
            ("pattern", r#"invalidates(pattern = "user:<id>:*")"#, no_pattern),
            ("keep_stale", "invalidates(keep_stale(list_users(org)))", no_flag),
            ("in_transaction", "#[invalidates(.., in_transaction)]", no_transaction);
    }
}

#[derive(Default)]
pub(crate) struct WriteThroughArgs {
    /// A malformed one counts.
    pub(crate) stored: List<Stored>,
    /// The options, and the targets that are only invalidated.
    pub(crate) write: InvalidatesArgs,
}

/// An entry and what is stored in it.
pub(crate) struct Stored {
    pub(crate) entry: Entry,
    /// `= ..`; the success value if there is none.
    pub(crate) value: Option<Expr>,
}

/// What refers to an entry, with its type and policy.
pub(crate) enum Entry {
    /// `get_user(id)`, `Self::get_user(id)`
    Function(ExprCall),
    /// `self.get_user(id)`
    Method(ExprMethodCall),
    /// `key = user_key(&id)`
    Key(Expr),
}

impl WriteThroughArgs {
    /// Parses as much as possible, and reports the rest to `diagnostics`.
    pub(crate) fn parse(tokens: TokenStream, diagnostics: &Diagnostics) -> Self {
        let mut args = Self::default();
        args.write.text = tokens.to_string();
        all_pieces(tokens, diagnostics, |input| args.piece(input, diagnostics));
        args
    }

    fn piece(&mut self, input: ParseStream<'_>, diagnostics: &Diagnostics) -> Result<(), Reported> {
        if starts_group(input) {
            return self.group(input, diagnostics).map_err(|error| diagnostics.report(error));
        }
        if kept::is_next(input) {
            return self.stored.push(Err(input.error(kept::NAMELESS)), diagnostics);
        }
        if let Some(word) = Each::meant(input) {
            let message = "a write stores in entries that it names one by one; to invalidate one \
                           for each item write `invalidates(each(id in ids) get_user(id))`";
            return self.stored.push(Err(Error::new(word.span(), message)), diagnostics);
        }
        if !OPTIONS.is_next(input) && !OF_INVALIDATES.is_next(input) {
            return self.stored.push(input.parse().and_then(Stored::new), diagnostics);
        }
        let misplaced = OF_INVALIDATES.name(&input.fork());
        match misplaced.or_else(|_| OPTIONS.name(input)) {
            Ok((name, read)) => read(self, &name, input, diagnostics),
            // It may have been meant for `key`.
            Err(error) => self.stored.push(Err(error), diagnostics),
        }
    }

    /// `invalidates(list_users(org), pattern = "..")`
    fn group(&mut self, input: ParseStream<'_>, diagnostics: &Diagnostics) -> syn::Result<()> {
        input.call(Ident::parse_any)?;
        let inside;
        parenthesized!(inside in input);
        each_piece(&inside, diagnostics, |input| self.write.only_target(input, diagnostics));
        Ok(())
    }
}

/// `invalidates` without its parentheses.
fn no_group(name: &Name, _: ParseStream<'_>) -> syn::Result<Target> {
    Err(name.misused("takes targets in parentheses"))
}

fn no_tag(name: &Name, _: ParseStream<'_>) -> syn::Result<Stored> {
    Err(name.error(no_place("a tag", name)))
}

fn no_pattern(name: &Name, _: ParseStream<'_>) -> syn::Result<Stored> {
    Err(name.error(no_place("a pattern", name)))
}

fn no_flag(name: &Name, _: ParseStream<'_>) -> syn::Result<Stored> {
    Err(name.error(kept::NAMELESS))
}

fn no_transaction(name: &Name, _: ParseStream<'_>) -> syn::Result<Stored> {
    Err(name.error(
        "a write that its caller commits has nothing to store yet; write \
         `#[invalidates(.., in_transaction)]`, and put the transaction into \
         `cache.after_commit(..)`",
    ))
}

fn no_place(what: &str, name: &Name) -> String {
    format!(
        "{what} tells neither type nor ttl, so nothing can be stored by it: name the function, \
         such as `get_user(id)`; what is only to be invalidated goes into `invalidates({} = ..)`",
        name.text
    )
}

/// `invalidates(..)`
fn starts_group(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.call(Ident::parse_any).is_ok_and(|name| name == "invalidates") && ahead.peek(token::Paren)
}

impl Stored {
    fn new(expr: Expr) -> syn::Result<Self> {
        let (entry, value) = split(expr);
        let entry = match call(entry)? {
            Call::Function(call) => Entry::Function(call),
            Call::Method(call) => Entry::Method(call),
        };
        Ok(Self { entry, value })
    }

    fn by_key(name: &Name, input: ParseStream<'_>) -> syn::Result<Self> {
        let (key, value) = split(name.expr(input)?);
        if let Expr::Lit(ExprLit { lit: Lit::Str(template), .. }) = &key {
            return Err(Error::new(template.span(), no_place("a template", name)));
        }
        Ok(Self { entry: Entry::Key(key), value })
    }
}

/// `entry = value`
fn split(expr: Expr) -> (Expr, Option<Expr>) {
    match expr {
        Expr::Assign(ExprAssign { left, right, .. }) => (syntax::ungrouped(*left), Some(*right)),
        expr => (expr, None),
    }
}

fn fence(name: &Name, input: ParseStream<'_>) -> syn::Result<Fence> {
    let start = input.fork();
    match invalidates::fence(name, input)? {
        Fence::Off => {
            start.parse::<Token![=]>()?;
            Err(start.error(
                "a value is stored only under a fence that has stood while the body ran; leave \
                 `fence` out, or write `#[invalidates(.., fence = \"off\")]`, which stores nothing",
            ))
        }
        fence => Ok(fence),
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::diagnostics::collect;

    fn parse(tokens: TokenStream) -> Result<WriteThroughArgs, Vec<String>> {
        collect(|diagnostics| Ok(WriteThroughArgs::parse(tokens, diagnostics)))
            .map_err(|errors| errors.into_iter().map(|error| error.to_string()).collect())
    }

    #[test]
    fn entries_values_and_options() {
        let args = parse(quote! {
            get_user(user.id), self.repo.get_user(id) = Some(result.clone()), key = user_key(&id),
            key = user_key(&id) = user, invalidates(list(org), pattern = "users:*", key = "all"),
            fence = "strict", hold_off = "2s", only_ok, in_doubt = |error| error.is_timeout(),
            pooled, cache = cache, crate = cache,
        })
        .unwrap();
        let valued = args.stored.iter().flatten().map(|stored| stored.value.is_some());
        assert_eq!(valued.collect::<Vec<_>>(), [false, true, false, true]);
        assert_eq!(args.write.targets.iter().count(), 3);
        assert!(args.write.only_ok.is_given() && args.write.cache.is_given());
        assert!(args.write.in_doubt.is_given());
    }

    #[test]
    fn mistakes() {
        for (tokens, message) in [
            (quote!(get_user), "a target is a call: write `get_user(..)`"),
            (quote!("user:<id>"), r#"a key is given by name: write `key = "user:<id>"`"#),
            (quote!(key = "user:<id>"), "a template tells neither type nor ttl"),
            (quote!(tag = "org:<id>"), "a tag tells neither type nor ttl"),
            (quote!(pattern = "user:*"), "a pattern tells neither type nor ttl"),
            (quote!(get(id), fence = "off"), "a value is stored only under a fence"),
            (quote!(get(id), fence = "of"), "there is no fence `of`; did you mean `off`?"),
            (quote!(get(id), in_transaction), "a write that its caller commits"),
            (quote!(get(id), only_okay), "there is no option `only_okay`; did you mean `only_ok`?"),
            (quote!(get(id), in_doubt = "5s"), "`in_doubt` is a closure: write `in_doubt = |"),
            (quote!(get(id), invalidates), "`invalidates` takes targets in parentheses"),
            (quote!(get(id), invalidates(fence = "try")), "`fence` belongs to the write"),
            (quote!(get(id), invalidates(list)), "a target is a call: write `list(..)`"),
        ] {
            let text = tokens.to_string();
            let errors = parse(tokens).err().unwrap();
            assert_eq!(errors.len(), 1, "{text}: {errors:?}");
            assert!(errors[0].starts_with(message), "{text}: {errors:?}");
        }
    }
}
