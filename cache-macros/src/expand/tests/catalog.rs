//! What is left for the catalogue.

use proc_macro2::TokenStream;
use quote::quote;

use super::without_whitespace;
use crate::{expand_cached, expand_write_through};

#[test]
fn what_is_left_for_the_catalogue() {
    let contains = |expanded: syn::Result<TokenStream>, expected: &TokenStream| {
        let (expanded, expected) = (expanded.unwrap(), without_whitespace(expected));
        let expanded = without_whitespace(&expanded);
        assert!(expanded.contains(&expected), "{expanded}\n{expected}");
    };
    contains(
        expand_cached(
            quote!(ttl = 60, cache = cache, tags = ["id:<id>"]),
            quote!(
                async fn find(id: i64, name: &str) -> AppResult<User> {
                    BODY
                }
            ),
        ),
        &quote! {
            ::cache_runtime::__private::catalog! {
                ::cache_runtime::__private::CachedSite::new(
                    ::cache_runtime::__private::core::concat!(
                        ::cache_runtime::__private::core::module_path!(), "::find"
                    ),
                    ::cache_runtime::__private::core::concat!(
                        ::cache_runtime::__private::core::module_path!(), "::find:<id>:<name>"
                    ),
                    "User",
                    "ttl = 60 , cache = cache , tags = [\"id:<id>\"]"
                )
                .shape("<origin>:<int>:<any>", ::cache_runtime::__private::here!("find"))
                .tags(&["id:<int>"])
                .typed(|| ::cache_runtime::__private::core::any::type_name::<
                    ::cache_runtime::__private::value!(AppResult<User>)
                >())
                .ttl_ms(60_000)
                .cache("cache"),
                ::cache_runtime::__private::value!(AppResult<User>)
            }
        },
    );
    let item = quote!(
        async fn save(&self, id: u8, user: User) -> User {
            BODY
        }
    );
    let args = quote! {
        users::get::<T>(id), self.find(id) = 1, key = name_key(&id), key = key,
        invalidates(key = "a:<id>:<result.id>:<user:hash>", tag = "c:<id>", pattern = "b:*",
        each(it in all) list(it), keep_stale(page(id)), key = "d:<before.id>"),
        before = self.find(id)
    };
    contains(
        expand_write_through(args, item),
        &quote! {
            &[
                ::cache_runtime::__private::Target::Function("users::get"),
                ::cache_runtime::__private::Target::Function("find"),
                ::cache_runtime::__private::Target::Companion("name_key"),
                ::cache_runtime::__private::Target::Unknown("key"),
                ::cache_runtime::__private::Target::Key(
                    "a:<id>:<result.id>:<user:hash>", "a:<int>:<any>:<hash>"
                ),
                ::cache_runtime::__private::Target::Tag("c:<id>", "c:<int>"),
                ::cache_runtime::__private::Target::Pattern("b:*", "b:*"),
                ::cache_runtime::__private::Target::Function("list"),
                ::cache_runtime::__private::Target::Function("page"),
                ::cache_runtime::__private::Target::Key("d:<before.id>", "d:<any>")
            ]
        },
    );
}
