//! Reads of many.

use quote::quote;

use super::{assert_cached, text};
use crate::expand_cached;

#[test]
fn a_read_of_many() {
    assert_cached(
        quote! {
            batch(id in ids, chunk = 500, concurrent = 2), key = get_user_key(id), ttl = 3600,
            none_ttl = 30,
            skip(limit)
        },
        quote! {
            async fn get_users(
                db: &PgPool, mut limit: usize, ids: &[i64]
            ) -> Result<HashMap<i64, User>, sqlx::Error> { BODY }
        },
        &quote! {
            async fn get_users(
                db: &PgPool, limit: usize, ids: &[i64]
            ) -> Result<HashMap<i64, User>, sqlx::Error> {
                ::cache_runtime::__private::left_out!(db, handle);
                ::cache_runtime::__private::read_many(ids, |id| get_user_key(id))
                    .at({
                        static __CALLSITE: ::cache_runtime::__private::Callsite =
                            ::cache_runtime::__private::Callsite::new(
                                ::cache_runtime::__private::core::concat!(
                                    ::cache_runtime::__private::core::module_path!(),
                                    "::get_users"
                                ),
                                ""
                            )
                            .ttl_ms(3_600_000)
                            .none_ttl_ms(30_000);
                        &__CALLSITE
                    })
                    .negative()
                    .in_chunks(500, 2)
                    .through(
                        ::cache_runtime::__private::batched!(Result<HashMap<i64, User>,
                        sqlx::Error>),
                        move |missing| {
                            #[allow(unused_variables)]
                            let mut limit =
                                ::cache_runtime::__private::again(&limit);
                            async move {
                                #[allow(unused_variables)]
                                let ids: &[i64] = &missing;
                                #[allow(unreachable_code)]
                                if false {
                                    let edge: Result<HashMap<i64, User>, sqlx::Error> = loop {};
                                    return edge;
                                }
                                BODY
                            }
                        }
                    )
                    .await
            }
        },
    );
}

#[test]
fn the_companion_of_a_read_of_many_takes_one() {
    let item = quote! {
        async fn find<'a>(org: String, ids: &'a HashSet<Uuid>) -> AppResult<Found> { BODY }
    };
    let args = quote!(batch(id in ids), key = "org:<org>:<id>", ttl = 1, none_ttl = 1, skip(limit));
    let item_with_limit = quote! {
        async fn find<'a>(&self, org: String, ids: &'a HashSet<Uuid>, limit: u8) -> Vec<(Uuid,
        Found)> {
            BODY
        }
    };
    let expanded = text(&expand_cached(args, item_with_limit).unwrap());
    let companion = text(&quote! {
        fn find_key(org: &str, id: &Uuid)
            -> ::cache_runtime::Key<::cache_runtime::__private::core::option::Option<Found>>
    });
    assert!(expanded.contains(&companion), "{expanded}");
    let call = text(&quote! {
        ::cache_runtime::__private::read_many(ids, |id| Self::find_key(&org, id)).negative()
    });
    assert!(expanded.contains(&call), "{expanded}");
    let ids = text(&quote!(let ids: &HashSet<Uuid> = &missing;));
    assert!(expanded.contains(&ids), "{expanded}");

    let args = quote!(batch(id in ids), ttl = 1);
    let expanded = text(&expand_cached(args, item).unwrap());
    let value = text(&quote! {
        fn find_key(org: &str, id: &Uuid) -> ::cache_runtime::Key<
            <::cache_runtime::__private::value!(AppResult<Found>) as
            ::cache_runtime::__private::Answers>::Value
        >
    });
    assert!(expanded.contains(&value), "{expanded}");
    let pieces =
        quote!(.origin(&|| (), "find").text(":").argument(org).text(":").argument(id).done());
    let pieces = text(&pieces);
    assert!(expanded.contains(&pieces), "{expanded}");
}
