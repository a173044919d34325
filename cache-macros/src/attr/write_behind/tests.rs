use quote::quote;

use super::*;
use crate::diagnostics::collect;

fn parse(tokens: TokenStream) -> Result<WriteBehindArgs, Vec<String>> {
    collect(|diagnostics| Ok(WriteBehindArgs::parse(tokens, diagnostics)))
        .map_err(|errors| errors.into_iter().map(|error| error.to_string()).collect())
}

#[test]
fn all_options_together() {
    let args = parse(quote! {
        queue = "page-views", key = "<view.page>", batch = 500, linger = "1s", partitions = 8,
        merge = PageView::add, put(get_views(view.page) = view.count),
        put(api::get(view.a) = Some(view.b), Self::get(view.c) = 1,), max_len = 100_000,
        push_timeout = TIMEOUT, max_attempts = 5, max_deliveries = 3, on_unavailable = "error",
        replicas = 1,
        lease = "10s", sink_timeout = "30s", error_kind = kind_of, codec = Json, version = 2,
        lossy_values, cache = CACHE.get(), crate = crate::cache,
    })
    .unwrap();
    assert_eq!(args.puts.iter().flatten().flatten().count(), 3);
    assert_eq!(args.partitions.get().unwrap(), Some(&8));
    assert_eq!(args.on_unavailable.get().unwrap(), Some(&WhenUnavailable::Error));
    let args = parse(quote!(queue = "a", merge = none)).unwrap();
    assert!(matches!(args.merge.get(), Ok(Some(Merge::None))));
}

#[test]
fn mistakes() {
    for (tokens, message) in [
        (quote!(qeue = "a"), "there is no option `qeue`; did you mean `queue`?"),
        (quote!(stream = "a"), "there is no option `stream`; did you mean `queue`?"),
        (quote!(queue), "`queue` needs a value: write `queue = \"page-views\"`"),
        (quote!(queue = views), "`queue` is a name in quotes, such as `queue = \"page-views\"`"),
        (quote!(queue = ""), "the name of a queue cannot be empty"),
        (quote!(queue = "page views"), "' ' cannot be part of a queue's name"),
        (quote!(queue = "{page}"), "'{' cannot be part of a queue's name"),
        (quote!(queue = "a", queue = "b"), "`queue` is given twice; keep one"),
        (quote!(key = view.page), "the key of an item is a template in quotes"),
        (quote!(key = "<view.page"), "`<` is never closed"),
        (
            quote!(batch = 0),
            "`batch` is how many items the sink is given at most: a number from 1 to 100000",
        ),
        (quote!(batch = "500"), "`batch` is how many items the sink is given at most: a number"),
        (
            quote!(partitions = 1_000),
            "`partitions` is how many workers can share the queue: a number from 1 to 256",
        ),
        (quote!(linger = 0), "`linger` cannot be zero"),
        (quote!(max_len = -1), "`max_len` is how many items wait at most: a number from 1"),
        (quote!(max_attempts = 0), "`max_attempts` is how often the sink is given an item"),
        (quote!(replicas = 0), "`replicas` is how many replicas must have an item"),
        (
            quote!(merge = "add"),
            "`merge` is a path: write `merge = PageView::add`, or `merge = none`",
        ),
        (
            quote!(error_kind = |error| kind(error)),
            "`error_kind` is a path: write `error_kind = kind_of`",
        ),
        (quote!(put = 1), "`put` takes a call and a value in parentheses: write `put("),
        (quote!(put()), "`put` names nothing: write `put("),
        (quote!(put(get_views(1))), "expected a call of a cached function and what it returns"),
        (quote!(put(get_views = 1)), "expected a call of a cached function and what it returns"),
        (quote!(on_unavailable = error), "expected `\"direct\"` or `\"error\"`"),
        (
            quote!(on_unavailable = "sync"),
            "there is no choice `sync`; there are `direct` and `error`",
        ),
    ] {
        let text = tokens.to_string();
        let errors = parse(tokens).err().unwrap();
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert!(errors[0].starts_with(message), "{text}: {errors:?}");
    }
}

#[test]
fn reading_goes_on_after_a_mistake() {
    let tokens = quote!(queue = , merge, put(a, b = 1), partitions = x, batch = 7);
    assert_eq!(parse(tokens).err().unwrap().len(), 5);
}
