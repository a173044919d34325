//! Whole expansions, as a reader would like to find them.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{expand_cached, expand_invalidates, expand_write_through};

fn without_whitespace(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

/// Without whitespace, since that is printed in more ways than one, and without what is for the catalogue, which is
/// everywhere the same and has a test of its own.
pub(super) fn text(tokens: &TokenStream) -> String {
    let mut text = without_whitespace(tokens);
    while let Some((before, after)) = text.split_once("__private::catalog!{") {
        let start = before.rfind(['{', ';', '}']).map_or(0, |at| at + 1);
        let mut depth = 1;
        let end = after.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        text = [&before[..start], &after[end.unwrap() + 1..]].concat();
    }
    text
}

#[track_caller]
fn assert_cached(args: TokenStream, item: TokenStream, expected: &TokenStream) {
    assert_eq!(text(&expand_cached(args, item).unwrap()), text(expected));
}

#[track_caller]
fn assert_invalidates(args: TokenStream, item: TokenStream, expected: &TokenStream) {
    assert_eq!(text(&expand_invalidates(args, item).unwrap()), text(expected));
}

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
                ::cache_runtime::__private::read(get_user_key(&id))
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
            pub fn get_user_key(id: &i64) -> ::cache_runtime::Key<User> {
                static CALLSITE: ::cache_runtime::__private::Callsite =
                    ::cache_runtime::__private::Callsite::new(
                        ::cache_runtime::__private::core::concat!(
                            ::cache_runtime::__private::core::module_path!(),
                            "::get_user"
                        ),
                        "user:<id>"
                    )
                    .ttl_ms(3_600_000)
                    .lock();
                ::cache_runtime::__private::key(&CALLSITE).text("user:").part(id).done()
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
            .tag(::cache_runtime::__private::tag().text("org:").part_before(org, '/').text("/").part(id).done())
            .tag(::cache_runtime::__private::tag().text("users").done())
    });
    assert!(expanded.contains(&companion), "{expanded}");
    assert!(expanded.contains(&tags), "{expanded}");
}

#[test]
fn a_write() {
    assert_invalidates(
        quote!(get_user(id)),
        quote! {
            async fn rename_user(db: &PgPool, id: i64, name: &str) -> Result<(), sqlx::Error> { BODY }
        },
        &quote! {
            async fn rename_user(db: &PgPool, id: i64, name: &str) -> Result<(), sqlx::Error> {
                ::cache_runtime::__private::write()
                    .invalidate(get_user_key(&id))
                    .run(
                        ::cache_runtime::__private::outcome!(Result<(), sqlx::Error>),
                        move || async move {
                            #[allow(unreachable_code)]
                            if false {
                                let edge: Result<(), sqlx::Error> = loop {};
                                return edge;
                            }
                            BODY
                        }
                    )
                    .await
            }
        },
    );
}

#[test]
fn a_write_that_knows_its_targets_afterwards() {
    assert_invalidates(
        quote! {
            self.get_user(org, result.id), pattern = "org:<org>:*", key = "org:<org>:<result.id>",
            crate = crate::cache, only_ok, fence = "off", hold_off = "2s"
        },
        quote!(
            async fn add(&self, org: String) -> User {
                BODY
            }
        ),
        &quote! {
            async fn add(&self, org: String) -> User {
                let saved_0 = crate::cache::__private::core::clone::Clone::clone(&self);
                let saved_1 = crate::cache::__private::core::clone::Clone::clone(&org);
                let saved_2 = crate::cache::__private::core::clone::Clone::clone(&org);
                crate::cache::__private::write()
                    .fence_off()
                    .hold_off_ms(2_000)
                    .only_ok()
                    .pattern(
                        crate::cache::__private::template().text("org:").part(&org).text(":*")
                    )
                    .run_then(
                        crate::cache::__private::outcome!(User),
                        move || async move {
                            #[allow(unreachable_code)]
                            if false {
                                let edge: User = loop {};
                                return edge;
                            }
                            BODY
                        },
                        move |result, targets| {
                            targets.invalidate(saved_0.get_user_key(&saved_1, &result.id));
                            targets.key(
                                crate::cache::__private::template()
                                    .text("org:")
                                    .part(&saved_2)
                                    .text(":")
                                    .part(&result.id)
                            );
                        }
                    )
                    .await
            }
        },
    );
}

#[test]
fn a_write_that_stores_its_result() {
    let item = quote! {
        async fn save(db: &PgPool, user: User) -> Result<User, sqlx::Error> { BODY }
    };
    let expanded = text(&expand_write_through(quote!(get_user(user.id)), item).unwrap());
    let expected = text(&quote! {
        async fn save(db: &PgPool, user: User) -> Result<User, sqlx::Error> {
            let entry_0 = ::cache_runtime::__private::through!(get_user_key(&user.id));
            ::cache_runtime::__private::write()
                .store(&entry_0)
                .run_through(
                    ::cache_runtime::__private::outcome!(Result<User, sqlx::Error>),
                    move || async move {
                        #[allow(unreachable_code)]
                        if false {
                            let edge: Result<User, sqlx::Error> = loop {};
                            return edge;
                        }
                        BODY
                    },
                    |_, _| (),
                    move |result, values| {
                        values.store_result(&entry_0, result);
                    }
                )
                .await
        }
    });
    assert_eq!(expanded, expected);
}

#[test]
fn a_write_that_stores_what_it_is_told() {
    let args = quote! {
        self.get_user(user.id) = Some(user), key = name_key(&id) = *result, count(id) = 1 + id,
        invalidates(list(org, result.page), pattern = "org:<org>:*"), fence = "strict", cache = c
    };
    let item = quote!(
        async fn save(&self, id: i64, org: String, user: User) -> Saved {
            BODY
        }
    );
    let expanded = text(&expand_write_through(args, item).unwrap());
    let expected = text(&quote! {
        async fn save(&self, id: i64, org: String, user: User) -> Saved {
            let saved_0 = ::cache_runtime::__private::core::clone::Clone::clone(&org);
            let entry_0 = ::cache_runtime::__private::through!(self.get_user_key(&user.id));
            let kept_0_user = ::cache_runtime::__private::kept(&user);
            let entry_1 = ::cache_runtime::__private::through!(name_key(&id));
            let entry_2 = ::cache_runtime::__private::through!(count_key(&id));
            let kept_2_id = ::cache_runtime::__private::kept(&id);
            ::cache_runtime::__private::write()
                .cache(&c)
                .pattern(
                    ::cache_runtime::__private::template().text("org:").part(&org).text(":*")
                )
                .store(&entry_0)
                .store(&entry_1)
                .store(&entry_2)
                .run_through(
                    ::cache_runtime::__private::strict!(Saved),
                    move || async move {
                        #[allow(unreachable_code)]
                        if false {
                            let edge: Saved = loop {};
                            return edge;
                        }
                        BODY
                    },
                    move |result, targets| {
                        targets.invalidate(list_key(&saved_0, &result.page));
                    },
                    move |result, values| {
                        {
                            #[allow(unused_variables)]
                            let user = kept_0_user;
                            values.store(&entry_0, &Some(user));
                        }
                        values.store(&entry_1, &*result);
                        {
                            #[allow(unused_variables)]
                            let id = kept_2_id;
                            values.store(&entry_2, &(1 + id));
                        }
                    }
                )
                .await
        }
    });
    assert_eq!(expanded, expected);
}

#[test]
fn a_write_of_many() {
    assert_invalidates(
        quote! {
            each(id in ids) get_user(org, id), each(user in result) key = "user:<org>:<user.id>",
            each(org in orgs) each(id in org.ids()) Self::get_user(org.id, id),
        },
        quote!(
            async fn add(org: u8, ids: &[i64], orgs: Vec<Org>) -> Vec<User> {
                BODY
            }
        ),
        &quote! {
            async fn add(org: u8, ids: &[i64], orgs: Vec<Org>) -> Vec<User> {
                let saved_0 = ::cache_runtime::__private::core::clone::Clone::clone(&org);
                ::cache_runtime::__private::write()
                    .each(ids, |id, targets| {
                        targets.invalidate(get_user_key(&org, id));
                    })
                    .each(&orgs, |org, targets| {
                        targets.each(org.ids(), |id, targets| {
                            targets.invalidate(Self::get_user_key(&org.id, id));
                        });
                    })
                    .run_then(
                        ::cache_runtime::__private::outcome!(Vec<User>),
                        move || async move {
                            #[allow(unreachable_code)]
                            if false {
                                let edge: Vec<User> = loop {};
                                return edge;
                            }
                            BODY
                        },
                        move |result, targets| {
                            targets.each(result, |user, targets| {
                                targets.key(
                                    ::cache_runtime::__private::template()
                                        .text("user:")
                                        .part(&saved_0)
                                        .text(":")
                                        .part(&user.id)
                                );
                            });
                        }
                    )
                    .await
            }
        },
    );
}

#[test]
fn a_method_whose_key_is_automatic() {
    assert_cached(
        quote!(ttl = |user| user.ttl(), unless = |user| user.guest, skip(fresh), when = !fresh),
        quote!(
            async fn find(&mut self, name: String, fresh: bool) -> Found<User> {
                BODY
            }
        ),
        &quote! {
            async fn find(&mut self, name: String, fresh: bool) -> Found<User> {
                ::cache_runtime::__private::read(Self::find_key(&name))
                    .when(!fresh)
                    .through(
                        ::cache_runtime::__private::returns!(Found<User>),
                        move || async move {
                            #[allow(unreachable_code)]
                            if false {
                                let edge: Found<User> = loop {};
                                return edge;
                            }
                            BODY
                        }
                    )
                    .await
            }

            #[doc = "The cache key of [`find`](Self::find)."]
            fn find_key(
                name: &str
            ) -> ::cache_runtime::Key<::cache_runtime::__private::value!(Found<User>)> {
                static CALLSITE: ::cache_runtime::__private::Callsite =
                    ::cache_runtime::__private::Callsite::new(
                        ::cache_runtime::__private::core::concat!(
                            ::cache_runtime::__private::core::module_path!(),
                            "::find"
                        ),
                        "<Self>::find:<name>"
                    );
                ::cache_runtime::__private::key(&CALLSITE)
                    .type_name::<Self>()
                    .text("::find")
                    .text(":")
                    .part(name)
                    .done::<::cache_runtime::__private::value!(Found<User>)>()
                    .ttl_of(|user| user.ttl())
                    .unless(|user| user.guest)
            }
        },
    );
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
        assert_eq!(expanded.matches(&written).count(), 1, "{expanded}");
        assert!(expanded.contains(&in_key), "{expanded}");
    }
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
                        static CALLSITE: ::cache_runtime::__private::Callsite =
                            ::cache_runtime::__private::Callsite::new(
                                ::cache_runtime::__private::core::concat!(
                                    ::cache_runtime::__private::core::module_path!(),
                                    "::find"
                                ),
                                "user:<self.tenant>/<id>"
                            )
                            .ttl_ms(60_000);
                        ::cache_runtime::__private::key(&CALLSITE)
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

#[test]
fn somebody_elses_key() {
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
                        static CALLSITE: ::cache_runtime::__private::Callsite =
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
                        &CALLSITE
                    })
                    .through(
                        ::cache_runtime::__private::returns!(Option<User>),
                        move || async move {
                            #[allow(unreachable_code)]
                            if false {
                                let edge: Option<User> = loop {};
                                return edge;
                            }
                            BODY
                        }
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
        ::cache_runtime::__private::returns!(Result<User, Error>).shedding(),
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
    let args = quote!(key = "<T>:<N>:<name>:<ids>:<q>:<x>:<y>", ttl = 1, skip(unused));
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
    let call = text(&quote!(find_key::<T, N>(&*name, &ids, &q, &x, &y)));
    assert!(expanded.contains(&call), "{expanded}");
}

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
                .shape(
                    ::cache_runtime::__private::core::concat!(
                        ::cache_runtime::__private::core::module_path!(), "::find:<int>:<any>"
                    )
                )
                .tags(&["id:<int>"])
                .typed(|| ::cache_runtime::__private::core::any::type_name::<
                    ::cache_runtime::__private::value!(AppResult<User>)
                >())
                .ttl_ms(60_000)
                .cache("cache")
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
        invalidates(key = "a:<id>:<result.id>:<user:hash>", tag = "c:<id>", pattern = "b:*", each(it in all) list(it))
    };
    contains(
        expand_write_through(args, item),
        &quote! {
            &[
                ::cache_runtime::__private::Target::Function("users::get"),
                ::cache_runtime::__private::Target::Function("find"),
                ::cache_runtime::__private::Target::Function("name"),
                ::cache_runtime::__private::Target::Unknown("key"),
                ::cache_runtime::__private::Target::Key(
                    "a:<id>:<result.id>:<user:hash>", "a:<int>:<any>:<hex>"
                ),
                ::cache_runtime::__private::Target::Tag("c:<id>", "c:<int>"),
                ::cache_runtime::__private::Target::Pattern("b:*", "b:*"),
                ::cache_runtime::__private::Target::Function("list")
            ]
        },
    );
}

#[test]
fn a_read_of_many() {
    assert_cached(
        quote! {
            batch(id in ids), key = get_user_key(id), ttl = 3600, none_ttl = 30, skip(limit)
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
                ::cache_runtime::__private::read_many(ids, |id| get_user_key(id))
                    .at({
                        static CALLSITE: ::cache_runtime::__private::Callsite =
                            ::cache_runtime::__private::Callsite::new(
                                ::cache_runtime::__private::core::concat!(
                                    ::cache_runtime::__private::core::module_path!(),
                                    "::get_users"
                                ),
                                ""
                            )
                            .ttl_ms(3_600_000)
                            .none_ttl_ms(30_000);
                        &CALLSITE
                    })
                    .negative()
                    .through(
                        ::cache_runtime::__private::batched!(Result<HashMap<i64, User>, sqlx::Error>),
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
        async fn find<'a>(&self, org: String, ids: &'a HashSet<Uuid>, limit: u8) -> Vec<(Uuid, Found)> {
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
    let pieces = text(&quote!(.text(":").part(org).text(":").part(id).done()));
    assert!(expanded.contains(&pieces), "{expanded}");
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
