use quote::quote;

use super::*;
use crate::diagnostics::collect;

fn errors(tokens: TokenStream) -> Vec<String> {
    let parsed = collect(|diagnostics| Ok(CachedArgs::parse(tokens, diagnostics)));
    parsed.err().into_iter().flatten().map(|error| error.to_string()).collect()
}

#[test]
fn all_options_together() {
    let tokens = quote! {
        key = "user:<id>", ttl = |user: &User| user.ttl(), lock(wait = "5s", lease = LEASE,),
        skip(db, ctx, self), pooled, none_ttl = 30, when = a == b, unless = |v| v.a || v.b,
        jitter = 1,
        tags = ["org:<org>", |user: &User| user.tags(), "users"], codec = Codec::Json, version = 2, max_concurrent_loads = 8,
        shed_after = 1, strict_values,
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
        (quote!(tag = "a"), "there is no option `tag`; did you mean `tags`?"),
        (quote!(skip = db), "`skip` takes names in parentheses: write `skip(db)`"),
        (quote!(skip("db")), "`skip` takes names in parentheses: write `skip(db)`"),
        (quote!(cache_none = true), "there is no option `cache_none`; did you mean `none_ttl`?"),
        (
            quote!(when = |id| id > 0),
            "`when` is a `bool` over the parameters, not a closure: write `when = !fresh`",
        ),
        (
            quote!(unless = result == 0),
            "`unless` is a closure: write `unless = |user: &User| user.is_guest`",
        ),
        (quote!(cache = "redis://localhost"), "`cache` is a `Cache`: write `cache = self.cache`"),
        (quote!(skip()), "`skip` names nothing: write `skip(db)`"),
        (quote!(batch), "expected a name, `in` and a collection, such as `(id in ids)`"),
        (quote!(batch(ids)), "expected a name, `in` and a collection, such as `(id in ids)`"),
        (
            quote!(batch(id in ids, chunk = 0)),
            "`chunk` is how many ids the body is given at once: a number from 1 to 1000000",
        ),
        (
            quote!(batch(id in ids, chunk = "500")),
            "`chunk` is how many ids the body is given at once: a number from 1 to 1000000",
        ),
        (
            quote!(batch(id in ids, chunk = 5, concurrent = 0)),
            "`concurrent` is how many chunks are loaded at once: a number from 1 to 1000",
        ),
        (quote!(batch(id in ids, chunk = 5, chunk = 6)), "`chunk` is given twice; keep one"),
        (
            quote!(batch(id in ids, size = 5)),
            "there is no option `size`; there are `chunk` and `concurrent`",
        ),
        (
            quote!(batch(id in ids, chunks = 5)),
            "there is no option `chunks`; did you mean `chunk`?",
        ),
        (
            quote!(batch(id in ids; 5)),
            "expected a name, `in` and a collection, such as `(id in ids)`",
        ),
        (quote!(batch(id of ids)), "expected a name, `in` and a collection, such as `(id in ids)`"),
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
        (quote!(budget = 0), "`budget` cannot be zero; write how long, as in `budget = \"90s\"`"),
        (
            quote!(companion = 0),
            "`companion` is `false`, or the name of the function that makes the key: write \
             `companion = user_entry`",
        ),
    ] {
        let text = tokens.to_string();
        assert_eq!(errors(tokens), [message], "{text}");
    }
}

#[test]
fn mistakes_in_tags() {
    for (tokens, message) in [
        (
            quote!(tags = "a"),
            "`tags` takes a list, or a closure: write `tags = [\"org:<org_id>\"]`",
        ),
        (quote!(tags = []), "`tags` names nothing: write `tags = [\"org:<org_id>\"]`"),
        (
            quote!(tags = ["a", b]),
            "a tag is a template in quotes, such as `\"org:<org_id>\"`, or a closure that makes \
             tags of the value, such as `|user: &User| [tag!(\"org:<user.org_id>\")]`",
        ),
        (
            quote!(tags = [|a| a.tags(), |b| b.tags()]),
            "one closure returns all tags that the value tells; join the two",
        ),
        (
            quote!(tags = |a, b| []),
            "a `tags` closure takes the value, by reference: write `|user: &User| \
             [tag!(\"org:<user.org_id>\")]`",
        ),
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
