//! What a function that names a cache leaves beside its companion, and how others ask for it.

use proc_macro2::TokenStream;
use quote::quote;

use super::without_whitespace;
use crate::{expand_cached, expand_invalidates, expand_write_behind, expand_write_through};

#[track_caller]
fn contains(expanded: syn::Result<TokenStream>, expected: &[TokenStream]) {
    let expanded = without_whitespace(&expanded.unwrap());
    for expected in expected {
        let expected = without_whitespace(expected);
        assert!(expanded.contains(&expected), "{expanded}\n{expected}");
    }
}

#[test]
fn a_function_that_names_a_cache_is_marked() {
    let allow = quote!(#[allow(dead_code, non_camel_case_types, non_upper_case_globals)]);
    let args = quote!(key = "user:<id>", ttl = 60, cache = state.cache);
    let function = quote! {
        #[cfg(unix)]
        pub async fn find(state: &State, id: i64) -> User { BODY }
    };
    let mark = quote! {
        #[cfg(unix)]
        #[doc(hidden)]
        #allow
        pub type find_key = ::cache_runtime::__private::NamesCache;
    };
    contains(expand_cached(args, function), &[mark, quote!(.names_cache())]);

    let args = quote!(key = "user:<id>", ttl = 60, cache = self.cache);
    let method = quote!(
        async fn find(&self, id: i64) -> User {
            BODY
        }
    );
    let mark = quote! {
        #allow
        const __names_the_cache_of_find_key: ::cache_runtime::__private::NamesCache =
            ::cache_runtime::__private::NamesCache;
    };
    contains(expand_cached(args, method.clone()), &[mark]);

    let args = quote!(key = "user:<id>", ttl = 60);
    let expanded = without_whitespace(&expand_cached(args, method).unwrap());
    assert!(!expanded.contains("NamesCache") && !expanded.contains("names_cache"), "{expanded}");
}

#[test]
fn an_attribute_that_names_none_asks_for_the_mark() {
    let private = quote!(::cache_runtime::__private);
    let of = quote!(__names_the_cache_of_of_key);
    let by = quote!(__names_the_cache_of_by_key);
    let write = quote!(
        async fn save(&self, user: User, make_key: Make) {
            BODY
        }
    );
    let args = quote! {
        get(user.id), users::find::<T>(id), Self::of(id), shop::Users::of(id), self.by(id),
        self.other.by(id),
        each(id in ids) listed(id), key = &its_key(&id).tag("a"), key = make_key(&id), key = key,
    };
    let asked = [
        quote!(#private::unnamed!(get_key in self);),
        quote!(#private::unnamed!(find_key in users);),
        quote!(#private::unnamed!(#of of Self::#of);),
        quote!(#private::unnamed!(#of of shop::Users::#of);),
        quote!(#private::unnamed!(#by of Self::#by);),
        quote!(#private::unnamed!(listed_key in self);),
        quote!(#private::unnamed!(its_key in self);),
    ];
    contains(expand_invalidates(args.clone(), write.clone()), &asked);
    let expanded = expand_invalidates(args.clone(), write.clone()).unwrap();
    assert_eq!(without_whitespace(&expanded).matches("unnamed!").count(), asked.len());
    let expanded = expand_invalidates(quote!(#args cache = self.cache), write.clone()).unwrap();
    assert!(!without_whitespace(&expanded).contains("unnamed!"));

    let args =
        quote!(get(user.id) = 1, self.by(id) = 2, key = its_key(&id) = 3, invalidates(of(id)));
    let asked = [
        quote!(#private::unnamed!(get_key in self);),
        quote!(#private::unnamed!(#by of Self::#by);),
        quote!(#private::unnamed!(its_key in self);),
        quote!(#private::unnamed!(of_key in self);),
    ];
    contains(expand_write_through(args, write), &asked);

    let read = quote!(
        async fn find(ids: &[i64]) -> HashMap<i64, User> {
            BODY
        }
    );
    let args = quote!(batch(id in ids), key = get_key(id), ttl = 60);
    contains(expand_cached(args, read), &[quote!(#private::unnamed!(get_key in self);)]);

    let sink = quote!(
        async fn save(views: Vec<View>) {
            BODY
        }
    );
    let args = quote!(queue = "views", key = "<view.page>", put(get(view.page) = view.count));
    contains(expand_write_behind(args, &sink), &[quote!(#private::unnamed!(get_key in self);)]);
}
