//! The options of `#[cached]`.

use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{
    Error, Expr, ExprClosure, ExprLit, Ident, Lit, LitBool, LitInt, Path, Token, parenthesized,
    token,
};

use super::duration::Duration;
use super::each::Each;
use super::{KeyArg, Known, Name, Slot, all_pieces, each_piece};
use crate::diagnostics::{Diagnostics, Reported, did_you_mean};
use crate::syntax;
use crate::template::{Kind, Template};

const KNOWN: &Known = &[
    ("key", r#"key = "user:<id>""#),
    ("ttl", r#"ttl = "1h""#),
    ("batch", "batch(id in ids)"),
    ("lock", r#"lock`, or `lock(wait = "5s", lease = "10s")"#),
    ("tags", r#"tags = ["org:<org_id>"]"#),
    ("skip", "skip(db)"),
    ("none_ttl", r#"none_ttl = "30s""#),
    ("when", "when = !fresh"),
    ("unless", "unless = |user: &User| user.is_guest"),
    ("jitter", "jitter = 0.1"),
    ("cache", "cache = self.cache"),
    ("codec", "codec = MessagePack"),
    ("version", "version = 2"),
    ("max_concurrent_loads", "max_concurrent_loads = 8"),
    ("shed_after", r#"shed_after = "1s""#),
    ("budget", r#"budget = "50ms""#),
    ("stale_while_revalidate", r#"stale_while_revalidate = "10m""#),
    ("stale_if_error", r#"stale_if_error = "1h""#),
    ("early", "early = 1.0"),
    ("load_timeout", r#"load_timeout = "2s""#),
    (
        "error_ttl",
        "error_ttl = |error: &Error| error.is_missing().then_some(Duration::from_secs(5))",
    ),
    ("companion", "companion = false"),
    ("crate", "crate = path::to::cache_runtime"),
];

const KNOWN_TO_LOCK: &Known =
    &[("wait", r#"lock(wait = "5s")"#), ("lease", r#"lock(lease = "10s")"#)];

const CODECS: &[&str] = &["Json", "MessagePack", "Postcard"];

#[derive(Default)]
pub(crate) struct CachedArgs {
    pub(crate) key: Slot<KeyArg>,
    pub(crate) ttl: Slot<Ttl>,
    pub(crate) batch: Slot<Each>,
    pub(crate) lock: Slot<Lock>,
    pub(crate) tags: Slot<Vec<Template>>,
    pub(crate) skip: Slot<Vec<Ident>>,
    pub(crate) none_ttl: Slot<Duration>,
    pub(crate) when: Slot<Expr>,
    pub(crate) unless: Slot<Expr>,
    pub(crate) jitter: Slot<f64>,
    pub(crate) cache: Slot<Expr>,
    pub(crate) codec: Slot<Ident>,
    pub(crate) version: Slot<u32>,
    pub(crate) max_concurrent_loads: Slot<u32>,
    pub(crate) shed_after: Slot<Duration>,
    pub(crate) budget: Slot<Duration>,
    pub(crate) stale_while_revalidate: Slot<Duration>,
    pub(crate) stale_if_error: Slot<Duration>,
    pub(crate) early: Slot<f64>,
    pub(crate) load_timeout: Slot<Duration>,
    pub(crate) error_ttl: Slot<Expr>,
    pub(crate) companion: Slot<bool>,
    pub(crate) runtime: Slot<Path>,
    /// Something could not be read and was passed over.
    pub(crate) skipped: bool,
    /// All of it, as it is written.
    pub(crate) text: String,
}

pub(crate) enum Ttl {
    /// The same for every value.
    Fixed(Duration),
    /// `|value| ..`
    Of(ExprClosure),
}

impl Ttl {
    /// Whether `name` is needed to work it out.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        matches!(self, Self::Fixed(Duration::Expr(expr)) if syntax::mentions(expr, name))
    }
}

/// `lock(wait = .., lease = ..)`
#[derive(Default)]
pub(crate) struct Lock {
    pub(crate) wait: Slot<Duration>,
    pub(crate) lease: Slot<Duration>,
}

impl CachedArgs {
    /// Reads as much as can be read; the rest is in `diagnostics`.
    pub(crate) fn parse(tokens: TokenStream, diagnostics: &Diagnostics) -> Self {
        let mut args = Self { text: tokens.to_string(), ..Self::default() };
        args.skipped = all_pieces(tokens, diagnostics, |input| args.option(input, diagnostics));
        args
    }

    fn option(
        &mut self,
        input: ParseStream<'_>,
        diagnostics: &Diagnostics,
    ) -> Result<(), Reported> {
        let name = Name::parse(input, KNOWN).map_err(|error| diagnostics.report(error))?;
        match name.text.as_str() {
            "key" => self.key.fill(&name, KeyArg::parse(&name, input, Kind::Key), diagnostics),
            "ttl" => self.ttl.fill(&name, ttl(&name, input), diagnostics),
            "batch" => {
                let each = Each::after(name.ident.clone(), input);
                self.batch.fill(&name, each, diagnostics)
            }
            "lock" => self.lock.fill(&name, Lock::parse(&name, input, diagnostics), diagnostics),
            "tags" => self.tags.fill(&name, tags(&name, input), diagnostics),
            "skip" => self.skip.fill(&name, skip(&name, input), diagnostics),
            "none_ttl" => self.none_ttl.fill(&name, duration(&name, input), diagnostics),
            "when" => self.when.fill(&name, name.expr(input), diagnostics),
            "unless" => self.unless.fill(&name, function(&name, input), diagnostics),
            "jitter" => self.jitter.fill(&name, jitter(&name, input), diagnostics),
            "cache" => self.cache.fill(&name, name.expr(input), diagnostics),
            "codec" => self.codec.fill(&name, codec(&name, input), diagnostics),
            "version" => self.version.fill(&name, version(&name, input), diagnostics),
            "max_concurrent_loads" => {
                self.max_concurrent_loads.fill(&name, loads(&name, input), diagnostics)
            }
            "shed_after" => self.shed_after.fill(&name, duration(&name, input), diagnostics),
            "budget" => self.budget.fill(&name, duration(&name, input), diagnostics),
            "stale_while_revalidate" => {
                self.stale_while_revalidate.fill(&name, duration(&name, input), diagnostics)
            }
            "stale_if_error" => {
                self.stale_if_error.fill(&name, duration(&name, input), diagnostics)
            }
            "early" => self.early.fill(&name, early(&name, input), diagnostics),
            "load_timeout" => self.load_timeout.fill(&name, duration(&name, input), diagnostics),
            "error_ttl" => self.error_ttl.fill(&name, function(&name, input), diagnostics),
            "companion" => self.companion.fill(&name, companion(&name, input), diagnostics),
            _ => self.runtime.fill(&name, name.path(input), diagnostics),
        }
    }
}

impl Lock {
    fn parse(name: &Name, input: ParseStream<'_>, diagnostics: &Diagnostics) -> syn::Result<Self> {
        let mut lock = Self::default();
        if input.peek(token::Paren) {
            let inside;
            parenthesized!(inside in input);
            each_piece(&inside, diagnostics, |input| {
                let name =
                    Name::parse(input, KNOWN_TO_LOCK).map_err(|error| diagnostics.report(error))?;
                let slot = if name.text == "wait" { &mut lock.wait } else { &mut lock.lease };
                slot.fill(&name, duration(&name, input), diagnostics)
            });
        } else {
            name.flag(input)?;
        }
        Ok(lock)
    }
}

fn ttl(name: &Name, input: ParseStream<'_>) -> syn::Result<Ttl> {
    match name.expr(input)? {
        Expr::Closure(of) => Ok(Ttl::Of(of)),
        expr => Duration::new(expr, &name.text).map(Ttl::Fixed),
    }
}

pub(super) fn duration(name: &Name, input: ParseStream<'_>) -> syn::Result<Duration> {
    Duration::new(name.expr(input)?, &name.text)
}

fn tags(name: &Name, input: ParseStream<'_>) -> syn::Result<Vec<Template>> {
    let Expr::Array(list) = name.expr(input)? else {
        return Err(name.misused("takes a list"));
    };
    if list.elems.is_empty() {
        return Err(name.misused("names nothing"));
    }
    let (mut templates, mut mistakes) = (Vec::new(), None::<Error>);
    for tag in list.elems {
        match (tag_template(tag), &mut mistakes) {
            (Ok(template), _) => templates.push(template),
            (Err(mistake), Some(mistakes)) => mistakes.combine(mistake),
            (Err(mistake), none) => *none = Some(mistake),
        }
    }
    mistakes.map_or(Ok(templates), Err)
}

fn tag_template(tag: Expr) -> syn::Result<Template> {
    match syntax::ungrouped(tag) {
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => Template::parse(literal, Kind::Tag),
        tag => Err(Error::new_spanned(
            tag,
            "a tag is a template in quotes, such as `\"org:<org_id>\"`",
        )),
    }
}

fn skip(name: &Name, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    if !input.peek(token::Paren) {
        return Err(name.misused("takes names in parentheses"));
    }
    let inside;
    parenthesized!(inside in input);
    let names = Punctuated::<Ident, Token![,]>::parse_terminated(&inside)?;
    if names.is_empty() {
        return Err(name.misused("names nothing"));
    }
    Ok(names.into_iter().collect())
}

/// A closure, or what names or makes one.
fn function(name: &Name, input: ParseStream<'_>) -> syn::Result<Expr> {
    match name.expr(input)? {
        Expr::Lit(literal) => {
            let message = format!("`{}` is a closure: write `{}`", name.text, name.example);
            Err(Error::new_spanned(literal, message))
        }
        function => Ok(function),
    }
}

fn jitter(name: &Name, input: ParseStream<'_>) -> syn::Result<f64> {
    let expr = name.expr(input)?;
    number(&expr).filter(|fraction| (0.0..=1.0).contains(fraction)).ok_or_else(|| {
        Error::new_spanned(expr, "`jitter` is a fraction of the ttl, a number from 0.0 to 1.0")
    })
}

fn early(name: &Name, input: ParseStream<'_>) -> syn::Result<f64> {
    let expr = name.expr(input)?;
    number(&expr).filter(|beta| *beta > 0.0 && beta.is_finite()).ok_or_else(|| {
        let message = "`early` is a factor, a number above 0.0: with 1.0 a value is refreshed about one load's time \
                       before its end, with 2.0 two";
        Error::new_spanned(expr, message)
    })
}

fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        _ => None,
    }
}

fn version(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    let message = "`version` is a number; count it up when the stored type changes its meaning";
    let number: LitInt = name.literal(input, message)?;
    number.base10_parse().map_err(|_| Error::new(number.span(), message))
}

fn loads(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    let message = "`max_concurrent_loads` is how many bodies run at once: a number from 1";
    let number: LitInt = name.literal(input, message)?;
    let loads = number.base10_parse().ok().filter(|&loads| loads > 0);
    loads.ok_or_else(|| Error::new(number.span(), message))
}

fn companion(name: &Name, input: ParseStream<'_>) -> syn::Result<bool> {
    let companion: LitBool = name.literal(input, "`companion` is `true` or `false`")?;
    Ok(companion.value)
}

pub(super) fn codec(name: &Name, input: ParseStream<'_>) -> syn::Result<Ident> {
    let path = name.path(input)?;
    let codec = path.segments.last().map(|segment| segment.ident.clone());
    codec.clone().filter(|codec| CODECS.iter().any(|known| codec == known)).ok_or_else(|| {
        let wrong = codec.map(|codec| codec.to_string()).unwrap_or_default();
        let hint = did_you_mean(&wrong, CODECS);
        Error::new_spanned(path, format!("there is no codec `{wrong}`{hint}"))
    })
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::diagnostics::collect;

    fn errors(tokens: TokenStream) -> Vec<String> {
        let parsed = collect(|diagnostics| Ok(CachedArgs::parse(tokens, diagnostics)));
        parsed.err().into_iter().flatten().map(|error| error.to_string()).collect()
    }

    #[test]
    fn every_known_option_is_read() {
        for (name, example) in KNOWN {
            let example = example.split('`').next().unwrap();
            let errors = errors(example.parse().unwrap());
            assert!(errors.is_empty(), "{name}: {errors:?}");
        }
    }

    #[test]
    fn all_options_together() {
        let tokens = quote! {
            key = "user:<id>", ttl = |user: &User| user.ttl(), lock(wait = "5s", lease = LEASE,),
            skip(db, ctx), none_ttl = 30, when = a == b, unless = |v| v.a || v.b, jitter = 1,
            tags = ["org:<org>", "users"], codec = Codec::Json, version = 2, max_concurrent_loads = 8, shed_after = 1,
            budget = BUDGET, companion = false, crate = crate::cache,
        };
        assert_eq!(errors(tokens), [""; 0]);
    }

    #[test]
    fn mistakes() {
        for (tokens, message) in [
            (quote!("user:<id>", ttl = 1), "a key is given by name: write `key = \"user:<id>\"`"),
            (quote!(tll = 1), "there is no option `tll`; did you mean `ttl`?"),
            (quote!(expire = 1), "there is no option `expire`; did you mean `ttl`?"),
            (quote!(ttl), "`ttl` needs a value: write `ttl = \"1h\"`"),
            (quote!(ttl = ), "`ttl` needs a value: write `ttl = \"1h\"`"),
            (quote!(ttl = , lock), "`ttl` needs a value: write `ttl = \"1h\"`"),
            (quote!(ttl = 1, ttl = 2), "`ttl` is given twice; keep one"),
            (
                quote!(lock lock),
                "`lock` takes no value: write `lock`, or `lock(wait = \"5s\", lease = \"10s\")`",
            ),
            (
                quote!(lock = true),
                "`lock` takes no value: write `lock`, or `lock(wait = \"5s\", lease = \"10s\")`",
            ),
            (quote!(lock(wiat = 1)), "there is no option `wiat`; did you mean `wait`?"),
            (quote!(ttl = 1 lock), "expected `,` before this"),
            (quote!(tags = "a"), "`tags` takes a list: write `tags = [\"org:<org_id>\"]`"),
            (quote!(tags = []), "`tags` names nothing: write `tags = [\"org:<org_id>\"]`"),
            (quote!(tags = ["a", b]), "a tag is a template in quotes, such as `\"org:<org_id>\"`"),
            (quote!(tag = "a"), "there is no option `tag`; did you mean `tags`?"),
            (quote!(skip = db), "`skip` takes names in parentheses: write `skip(db)`"),
            (quote!(skip()), "`skip` names nothing: write `skip(db)`"),
            (quote!(batch), "expected a name, `in` and a collection, such as `(id in ids)`"),
            (quote!(batch(ids)), "expected a name, `in` and a collection, such as `(id in ids)`"),
            (
                quote!(batch(id of ids)),
                "expected a name, `in` and a collection, such as `(id in ids)`",
            ),
            (quote!(jitter = 1.5), "`jitter` is a fraction of the ttl, a number from 0.0 to 1.0"),
            (
                quote!(codec = Messagepack),
                "there is no codec `Messagepack`; did you mean `MessagePack`?",
            ),
            (quote!(codec = "json"), "`codec` is a path: write `codec = MessagePack`"),
            (
                quote!(max_concurrent_loads = 0),
                "`max_concurrent_loads` is how many bodies run at once: a number from 1",
            ),
            (
                quote!(max_concurrent_loads = MANY),
                "`max_concurrent_loads` is how many bodies run at once: a number from 1",
            ),
            (
                quote!(budget = 0),
                "`budget` cannot be zero; write how long, as in `budget = \"90s\"`",
            ),
            (quote!(companion = 0), "`companion` is `true` or `false`"),
        ] {
            let text = tokens.to_string();
            assert_eq!(errors(tokens), [message], "{text}");
        }
    }

    #[test]
    fn reading_goes_on_after_a_mistake() {
        let tokens = quote!(ttl = , lokc, key = "<", version = x, jitter = 2, lock);
        assert_eq!(errors(tokens).len(), 5);
    }
}
