//! Reads that are methods.

use quote::quote;

use super::{assert_cached, load};

#[test]
fn a_method_whose_key_is_automatic() {
    let load = load(&quote!(Found<User>));
    assert_cached(
        quote!(ttl = |user| user.ttl(), unless = |user| user.guest, skip(fresh), when = !fresh),
        quote!(
            async fn find(&mut self, name: String, fresh: bool) -> Found<User> {
                BODY
            }
        ),
        &quote! {
            async fn find(&mut self, name: String, fresh: bool) -> Found<User> {
                ::cache_runtime::__private::left_out!(self, receiver);
                ::cache_runtime::__private::read(Self::find_key(&name))
                    .when(!fresh)
                    .through(
                        ::cache_runtime::__private::returns!(Found<User>),
                        #load
                    )
                    .await
            }

            #[doc = "The cache key of [`find`](Self::find)."]
            fn find_key(
                name: &str
            ) -> ::cache_runtime::Key<::cache_runtime::__private::value!(Found<User>)> {
                static __CALLSITE: ::cache_runtime::__private::Callsite =
                    ::cache_runtime::__private::Callsite::new(
                        ::cache_runtime::__private::core::concat!(
                            ::cache_runtime::__private::core::module_path!(),
                            "::find"
                        ),
                        "<Self>::find:<name>"
                    );
                ::cache_runtime::__private::key::<
                    ::cache_runtime::__private::value!(Found<User>)
                >(&__CALLSITE)
                    .origin(&|| (), "find")
                    .text(":")
                    .argument(name)
                    .done()
                    .ttl_of(|user| user.ttl())
                    .unless(|user| user.guest)
            }
        },
    );
}

#[test]
fn what_async_trait_makes_of_a_method() {
    assert_cached(
        quote!(key = "user:<self.tenant>/<id>", ttl = 60),
        quote! {
            fn find<'s, 'f>(&'s self, id: i64) -> Pin<Box<dyn Future<Output = User> + Send + 'f>>
            where
                's: 'f
            {
                Box::pin(async move { BODY })
            }
        },
        &quote! {
            fn find<'s, 'f>(&'s self, id: i64) -> Pin<Box<dyn Future<Output = User> + Send + 'f>>
            where
                's: 'f
            {
                Box::pin(async move {
                    ::cache_runtime::__private::read({
                        static __CALLSITE: ::cache_runtime::__private::Callsite =
                            ::cache_runtime::__private::Callsite::new(
                                ::cache_runtime::__private::core::concat!(
                                    ::cache_runtime::__private::core::module_path!(),
                                    "::find"
                                ),
                                "user:<self.tenant>/<id>"
                            )
                            .ttl_ms(60_000);
                        ::cache_runtime::__private::key(&__CALLSITE)
                            .text("user:")
                            .part_before(&self.tenant, '/')
                            .text("/")
                            .part(&id)
                            .done()
                    })
                    .through(
                        ::cache_runtime::__private::returns!(User),
                        move || -> Pin<Box<dyn Future<Output = User> + Send + 'f>> {
                            Box::pin(async move { BODY })
                        }
                    )
                    .await
                })
            }
        },
    );
}
