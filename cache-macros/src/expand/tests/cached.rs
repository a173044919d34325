//! Reads.

use quote::quote;

use super::{assert_cached, load, text};
use crate::expand_cached;

#[test]
fn a_read() {
    assert_cached(
        quote!(key = "user:<id>", ttl = 3600, lock),
        quote! {
            /// Doc.
            #[cfg(unix)]
            pub async fn get_user(db: &PgPool, id: i64) -> Result<User, sqlx::Error> { BODY }
        },
        &quote! {
            /// Doc.
            #[cfg(unix)]
            pub async fn get_user(db: &PgPool, id: i64) -> Result<User, sqlx::Error> {
                ::cache_runtime::__private::left_out!(db, handle);
                ::cache_runtime::__private::read({
                    static __CALLSITE: ::cache_runtime::__private::Callsite =
                        ::cache_runtime::__private::Callsite::new(
                            ::cache_runtime::__private::core::concat!(
                                ::cache_runtime::__private::core::module_path!(),
                                "::get_user"
                            ),
                            "user:<id>"
                        )
                        .of_body()
                        .ttl_ms(3_600_000)
                        .lock();
                    ::cache_runtime::__private::key::<User>(&__CALLSITE)
                        .text("user:")
                        .part(&id)
                        .done()
                })
                    .through(
                        ::cache_runtime::__private::returns!(Result<User, sqlx::Error>),
                        move || async move {
                            #[allow(unreachable_code)]
                            if false {
                                let edge: Result<User, sqlx::Error> = loop {};
                                return edge;
                            }
                            BODY
                        }
                    )
                    .await
            }

            #[cfg(unix)]
            #[doc = "The cache key of [`get_user`]."]
            #[allow(dead_code)]
            pub fn get_user_key(id: &i64) -> ::cache_runtime::Key<User> {
                static __CALLSITE: ::cache_runtime::__private::Callsite =
                    ::cache_runtime::__private::Callsite::new(
                        ::cache_runtime::__private::core::concat!(
                            ::cache_runtime::__private::core::module_path!(),
                            "::get_user"
                        ),
                        "user:<id>"
                    )
                    .of_companion()
                    .ttl_ms(3_600_000)
                    .lock();
                ::cache_runtime::__private::key(&__CALLSITE).text("user:").part(id).done()
            }
        },
    );
}

#[test]
fn a_read_with_tags() {
    let expanded = expand_cached(
        quote!(key = "user:<id>", ttl = expiry(), tags = ["org:<org>/<user>", "users"], skip(org)),
        quote! {
            async fn get_user(org: &Org, user: u8, id: i64) -> User { BODY }
        },
    );
    // What `user` decides is missing.
    assert!(expanded.is_err());
    let expanded = expand_cached(
        quote!(key = "user:<id>", ttl = expiry(), tags = ["org:<org>/<id>", "users"], skip(org)),
        quote! {
            async fn get_user(org: &Org, id: i64) -> User { BODY }
        },
    );
    let expanded = text(&expanded.unwrap());
    let companion = text(&quote!(fn get_user_key(org: &Org, id: &i64)));
    let tags = text(&quote! {
        .text("user:").part(id).done().ttl(expiry())
            .tag(
                ::cache_runtime::__private::tag()
                    .text("org:").part_before(org, '/').text("/").part(id).done()
            )
            .tag(::cache_runtime::__private::tag().text("users").done())
    });
    assert!(expanded.contains(&companion), "{expanded}");
    assert!(expanded.contains(&tags), "{expanded}");
}

/// What is stored is shown to the compiler, which finds a lifetime that is not written.
#[test]
fn the_stored_type_is_shown() {
    for (output, shown) in [
        (quote!(Result<Option<Title>, Error>), quote!(Option<Title>)),
        (quote!(Found<Title>), quote!(Found<Title>)),
        (quote!(Self), quote!(Self)),
    ] {
        let item = quote!(
            async fn find(id: i64) -> #output {
                BODY
            }
        );
        let expanded = expand_cached(quote!(key = "title:<id>", ttl = 60), item).unwrap();
        let expanded = super::without_whitespace(&expanded);
        let shown = super::without_whitespace(&quote!(::cache_runtime::__private::owned!(#shown);));
        assert!(expanded.contains(&shown), "{expanded}");
    }
}

/// What a call alone knows is no part of the key, which says only that there is something.
#[test]
fn a_condition_on_what_is_stored() {
    for (unless, own) in [
        (quote!(|user| user.guest), true),
        (quote!(|id: &User| id.guest), true),
        (quote!(User::is_guest), true),
        (quote!(|user| user.id == id), false),
        (quote!(guest), false),
        (quote!(is(7)), false),
    ] {
        let item = quote!(
            async fn find(id: i64, guest: fn(&User) -> bool) -> User {
                BODY
            }
        );
        let args = quote!(key = "user:<id>", ttl = 60, skip(guest), unless = #unless);
        let expanded = text(&expand_cached(args, item).unwrap());
        let written = text(&quote!(.unless(#unless)));
        let in_key =
            if own { format!(".done(){written}") } else { ".done().unless_in_call()".to_owned() };
        // The function makes the key, and so does its companion.
        assert_eq!(expanded.matches(&written).count(), if own { 2 } else { 1 }, "{expanded}");
        assert_eq!(expanded.matches(&in_key).count(), 2, "{expanded}");
    }
}

#[test]
fn somebody_elses_key() {
    let load = load(&quote!(Option<User>));
    assert_cached(
        quote!(key = user_key(&id), ttl = TTL, version = 2, codec = Codec::Postcard, jitter = 1),
        quote!(
            async fn find(id: i64) -> Option<User> {
                BODY
            }
        ),
        &quote! {
            async fn find(id: i64) -> Option<User> {
                ::cache_runtime::__private::read(::cache_runtime::Key::ttl(user_key(&id), TTL))
                    .at({
                        static __CALLSITE: ::cache_runtime::__private::Callsite =
                            ::cache_runtime::__private::Callsite::new(
                                ::cache_runtime::__private::core::concat!(
                                    ::cache_runtime::__private::core::module_path!(),
                                    "::find"
                                ),
                                ""
                            )
                            .jitter(1.0)
                            .codec(::cache_runtime::Codec::Postcard)
                            .version(2);
                        &__CALLSITE
                    })
                    .through(
                        ::cache_runtime::__private::returns!(Option<User>).shared(),
                        #load
                    )
                    .await
            }
        },
    );
}

#[test]
fn a_read_with_limits() {
    let item = quote!(
        async fn find(id: i64) -> Result<User, Error> {
            BODY
        }
    );
    let args = quote! {
        key = "user:<id>", ttl = 60, max_concurrent_loads = 8, shed_after = "1s", budget = BUDGET
    };
    let expanded = text(&expand_cached(args, item).unwrap());
    let policy = text(&quote! {
        .ttl_ms(60_000).max_concurrent_loads(8).shed_after_ms(1_000).budget(BUDGET);
    });
    assert!(expanded.contains(&policy), "{expanded}");
    let returns = text(&quote! {
        ::cache_runtime::__private::returns!(Result<User, Error>).refusing(),
    });
    assert!(expanded.contains(&returns), "{expanded}");
}

#[test]
fn the_companion_takes_what_the_key_needs() {
    let item = quote! {
        async fn find<'a, E, T, const N: usize>(
            db: E, name: &'a mut String, ids: Vec<i64>, q: impl Query<'a> + Send, (x, _): (u8, u8),
            Path(y): Path<u8>, unused: u8,
        ) -> AppResult<T>
        where
            E: Executor<'a>,
            T: Entity,
        { BODY }
    };
    let args = quote!(key = "<T>:<N>:<name>:<ids>:<q>:<x>:<y>", ttl = 1, pooled, skip(unused));
    let expanded = text(&expand_cached(args, item).unwrap());
    let companion = text(&quote! {
        fn find_key<T, const N: usize>(
            name: &String, ids: &[i64], q: &(impl Query<'_> + Send), x: &u8,
            y: &(impl ::cache_runtime::KeyPart + ?Sized)
        ) -> ::cache_runtime::Key<::cache_runtime::__private::value!(AppResult<T> as result)>
        where
            T: Entity
    });
    assert!(expanded.contains(&companion), "{expanded}");
    let inside = text(&quote! {
        .text(":").part(&*name).text(":").part(&ids).text(":").part(&q)
        .text(":").part(&x).text(":").part(&y).done()
    });
    assert!(expanded.contains(&inside), "{expanded}");

    let item = quote! {
        async fn find<T: Entity>(&self, id: i64) -> Result<T, Error> {
            BODY
        }
    };
    let expanded =
        text(&expand_cached(quote!(key = "<T>:<self.org>:<id>", ttl = 1), item).unwrap());
    let call = text(&quote!(self.find_key::<T>(&id)));
    assert!(expanded.contains(&call), "{expanded}");
}

/// What the ttl is made of is there as the companion has it.
#[test]
fn a_ttl_of_parameters() {
    let item = quote! {
        async fn find(id: i64, secs: u64, name: String, how: impl How) -> User {
            BODY
        }
    };
    let args = quote!(key = "user:<id>", ttl = expiry(*secs, name, how), skip(secs, name, how));
    let expanded = text(&expand_cached(args, item).unwrap());
    let inside = text(&quote! {
        .ttl({
            let secs: &u64 = &secs; let name: &str = &name; let how = &how;
            expiry(*secs, name, how)
        })
    });
    assert!(expanded.contains(&inside), "{expanded}");
    let companion = text(&quote!(.ttl(expiry(*secs, name, how))));
    assert!(expanded.contains(&companion), "{expanded}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let item = quote!(
        fn find(id: i64, tx: &mut PgConnection, org: u8) -> Option<&str> {
            BODY
        }
    );
    let errors = expand_cached(quote!(key = "user:<id>", lokc), item).unwrap_err();
    let errors: Vec<_> = errors.into_iter().map(|error| error.to_string()).collect();
    assert_eq!(errors.len(), 6, "{errors:#?}");
}
