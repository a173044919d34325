use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::tests::text;
use crate::expand_write_behind;

#[track_caller]
fn assert_expands(args: TokenStream, item: &TokenStream, expected: &TokenStream) {
    assert_eq!(text(&expand_write_behind(args, item).unwrap()), text(expected));
}

#[test]
fn a_sink() {
    let item = quote! {
        /// Doc.
        #[cfg(unix)]
        pub async fn save_views(
            db: &PgPool,
            table: &str,
            mut stats: Arc<Stats>,
            views: Vec<PageView>
        ) -> sqlx::Result<()> { BODY }
    };
    let args = quote! {
        queue = "page-views", key = "page:<view.site:trim:lower>/<view.page:hash>", batch = 500,
        linger = "1s",
        partitions = 8, merge = PageView::add, put(get_views(view.page) = view.count),
        put(Self::top(7) = None), max_len = 100_000, push_timeout = TIMEOUT, max_attempts = 5,
        on_unavailable = "error", replicas = 1, lease = 10,
        codec = Codec::Json, version = 2, lossy_values, cache = CACHE.get(),
    };
    let key = quote! {
        key.text("page:")
            .part_before(
                &::cache_runtime::__private::Lower(&::cache_runtime::__private::Trim(&view.site)),
                '/'
            )
            .text("/").hash(&view.page)
    };
    let expected = quote! {
        #item

        #[cfg(unix)]
        #[doc = "The queue in front of [`save_views`]."]
        #[allow(dead_code)]
        pub fn save_views_queue() -> ::cache_runtime::Queue<PageView> {
            #[allow(unused_imports)]
            use ::cache_runtime::__private::Uncompared as _;
            static __SITE: ::cache_runtime::__private::QueueSite =
                ::cache_runtime::__private::QueueSite::new(
                    ::cache_runtime::__private::core::concat!(
                        ::cache_runtime::__private::core::module_path!(),
                        "::save_views"
                    ),
                    "page-views"
                )
                .batch(500)
                .linger_ms(1_000)
                .partitions(8)
                .max_len(100_000)
                .push_timeout(TIMEOUT)
                .max_attempts(5)
                .replicas(1)
                .lease_ms(10_000)
                .codec(::cache_runtime::Codec::Json)
                .version(2)
                .lossy_values()
                .unavailable_is_error();
            ::cache_runtime::__private::queue::<PageView>(&__SITE)
                .compared()
                .key(|view, key| #key)
                .merge(
                    |older, newer| ::cache_runtime::__private::merge(PageView::add, older, newer)
                )
                .put(|view, puts| {
                    puts.put(
                        &::cache_runtime::__private::through!(get_views_key(&view.page)),
                        |entry| entry.store(&view.count)
                    );
                    puts.put(
                        &::cache_runtime::__private::through!(Self::top_key(&7)),
                        |entry| entry.store(&None)
                    );
                })
                .cache(&CACHE.get())
                .done()
        }

        #[cfg(unix)]
        #[doc = "A worker that hands [`save_views`] what is in its queue."]
        #[allow(dead_code)]
        pub fn save_views_worker(
            db: impl ::cache_runtime::__private::Own<PgPool>,
            table: impl ::cache_runtime::__private::Own<str>,
            stats: Arc<Stats>
        ) -> ::cache_runtime::Worker {
            ::cache_runtime::__private::worker::<PageView, _, _, _>(
                save_views_queue(),
                (
                    ::cache_runtime::__private::Own::own(db),
                    ::cache_runtime::__private::Own::own(table),
                    stats,
                ),
                |(db, table, stats,), views| async move {
                    save_views(&db, &table, stats, views.into_items()).await
                },
            )
        }
    };
    assert_expands(args, &item, &expected);
}

#[test]
fn a_sink_that_says_little() {
    let item = quote! {
        async fn save(batch: api::Batch<Row>) { Self::BODY }
    };
    let expected = quote! {
        #item

        #[doc = "The queue in front of [`save`](Self::save)."]
        #[allow(dead_code)]
        fn save_queue() -> crate::cache::Queue<Row> {
            #[allow(unused_imports)]
            use crate::cache::__private::Uncompared as _;
            static __SITE: crate::cache::__private::QueueSite =
                crate::cache::__private::QueueSite::new(
                    crate::cache::__private::core::concat!(
                        crate::cache::__private::core::module_path!(),
                        "::save"
                    ),
                    "rows"
                )
                .keep_all();
            crate::cache::__private::queue::<Row>(&__SITE).compared().done()
        }

        #[doc = "A worker that hands [`save`](Self::save) what is in its queue."]
        #[allow(dead_code)]
        fn save_worker() -> crate::cache::Worker {
            crate::cache::__private::worker::<Row, _, _, _>(
                Self::save_queue(),
                (),
                |(), batch| async move { Self::save(batch).await },
            )
        }
    };
    assert_expands(quote!(queue = "rows", merge = none, crate = crate::cache), &item, &expected);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let item = quote! {
        fn save<T>(&self, tx: &mut Tx, name: &dyn Name, (a, b): (u8, u8), row: T) -> u64 { BODY }
    };
    let errors =
        expand_write_behind(quote!(key = "<a>", batch = 0, merge = f, put(g(1) = 2)), &item);
    let errors: Vec<_> = errors.unwrap_err().into_iter().map(|error| error.to_string()).collect();
    assert_eq!(errors.len(), 11, "{errors:#?}");
}
