//! Writes.

use quote::quote;

use super::{assert_invalidates, load, text, without_whitespace};
use crate::{expand_invalidates, expand_write_through};

#[test]
fn a_write() {
    let load = load(&quote!(Result<(), sqlx::Error>));
    assert_invalidates(
        quote!(get_user(id)),
        quote! {
            async fn rename_user(db: &PgPool, id: i64, name: &str) -> Result<(),
            sqlx::Error> { BODY }
        },
        &quote! {
            async fn rename_user(db: &PgPool, id: i64, name: &str) -> Result<(), sqlx::Error> {
                ::cache_runtime::__private::write()
                    .invalidate(get_user_key(&id))
                    .run(
                        ::cache_runtime::__private::outcome!(Result<(), sqlx::Error>),
                        #load
                    )
                    .await
            }
        },
    );
}

#[test]
fn a_write_says_its_name() {
    let item = quote!(
        async fn rename_user(id: i64) {
            BODY
        }
    );
    let expanded = expand_invalidates(quote!(get_user(id)), item).unwrap();
    let named = quote! {
        ::cache_runtime::__private::write()
            .at({
                static __CALLSITE: ::cache_runtime::__private::Callsite =
                    ::cache_runtime::__private::Callsite::new(
                        ::cache_runtime::__private::core::concat!(
                            ::cache_runtime::__private::core::module_path!(),
                            "::rename_user"
                        ),
                        ""
                    );
                &__CALLSITE
            })
            .invalidate(get_user_key(&id))
    };
    assert!(without_whitespace(&expanded).contains(&without_whitespace(&named)));
}

#[test]
fn a_write_some_of_whose_errors_leave_it_in_doubt() {
    let load = load(&quote!(Result<(), sqlx::Error>));
    assert_invalidates(
        quote!(get_user(id), in_doubt = |error| matches!(error, sqlx::Error::Io(_))),
        quote! {
            async fn delete_user(db: &PgPool, id: i64) -> Result<(), sqlx::Error> { BODY }
        },
        &quote! {
            async fn delete_user(db: &PgPool, id: i64) -> Result<(), sqlx::Error> {
                ::cache_runtime::__private::write()
                    .invalidate(get_user_key(&id))
                    .run(
                        ::cache_runtime::__private::outcome!(Result<(), sqlx::Error>)
                            .in_doubt(|error| matches!(error, sqlx::Error::Io(_))),
                        #load
                    )
                    .await
            }
        },
    );
}

#[test]
fn a_write_that_knows_its_targets_afterwards() {
    let load = load(&quote!(User));
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
                let saved_0 = crate::cache::__private::kept(&self);
                let saved_1 = crate::cache::__private::kept(&org);
                let saved_2 = crate::cache::__private::kept(&org);
                crate::cache::__private::write()
                    .fence_off()
                    .hold_off_ms(2_000)
                    .only_ok()
                    .pattern(
                        crate::cache::__private::template().text("org:").part(&org).text(":*")
                    )
                    .run_then(
                        crate::cache::__private::outcome!(User),
                        #load,
                        move |result, targets| {
                            targets.invalidate(
                                crate::cache::__private::Receiver::<Self>::new(&saved_0)
                                    .companion::<_, (_, _,), _>(Self::get_user_key)
                                    .key((&saved_1, &result.id,))
                            );
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
    let load = load(&quote!(Result<User, sqlx::Error>));
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
                    #load,
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
    let load = load(&quote!(Saved));
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
            let saved_0 = ::cache_runtime::__private::kept(&org);
            let entry_0 = ::cache_runtime::__private::through!(
                ::cache_runtime::__private::Receiver::<Self>::new(&self)
                    .companion::<_, (_,), _>(Self::get_user_key)
                    .key((&user.id,))
            );
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
                    #load,
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
fn a_write_that_reads_what_was_there_before() {
    let load = load(&quote!(Result<(), Error>));
    assert_invalidates(
        quote! {
            by_name(&before.name), key = "org:<before.org>", each(id in before.ids) get_user(id),
            get_user(id), before = find(db, id)
        },
        quote! {
            async fn rename(db: &Pool, id: i64) -> Result<(), Error> { BODY }
        },
        &quote! {
            async fn rename(db: &Pool, id: i64) -> Result<(), Error> {
                let mut known = ::cache_runtime::__private::write()
                    .invalidate(get_user_key(&id))
                    .before();
                while known.goes_on() {
                    let state = known
                        .read(async {
                            ::cache_runtime::__private::awaited(find(db, id)).await
                        })
                        .await;
                    known
                        .fence(
                            ::cache_runtime::__private::former!(state),
                            |before, targets| {
                                targets.invalidate(by_name_key(&before.name));
                                targets.key(
                                    ::cache_runtime::__private::template()
                                        .text("org:")
                                        .part(&before.org)
                                );
                                targets.each(&before.ids, |id, targets| {
                                    targets.invalidate(get_user_key(id));
                                });
                            }
                        )
                        .await;
                }
                known.write()
                    .run(
                        ::cache_runtime::__private::outcome!(Result<(), Error>),
                        #load
                    )
                    .await
            }
        },
    );
}

#[test]
fn a_write_that_leaves_stale_values() {
    let load = load(&quote!(User));
    assert_invalidates(
        quote!(get_user(id), keep_stale(list(org), each(id in ids) page(id), of(result.id))),
        quote! {
            async fn rename(org: u8, id: i64, ids: &[i64]) -> User { BODY }
        },
        &quote! {
            async fn rename(org: u8, id: i64, ids: &[i64]) -> User {
                ::cache_runtime::__private::write()
                    .invalidate(get_user_key(&id))
                    .keep_stale(|targets| {
                        targets.invalidate(list_key(&org));
                    })
                    .keep_stale(|targets| {
                        targets.each(ids, |id, targets| {
                            targets.invalidate(page_key(id));
                        });
                    })
                    .run_then(
                        ::cache_runtime::__private::outcome!(User),
                        #load,
                        move |result, targets| {
                            targets.keep_stale(|targets| {
                                targets.invalidate(of_key(&result.id));
                            });
                        }
                    )
                    .await
            }
        },
    );
}

#[test]
fn a_write_of_many() {
    let load = load(&quote!(Vec<User>));
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
                let saved_0 = ::cache_runtime::__private::kept(&org);
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
                        #load,
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

/// A name that ends as a companion's may be that of one.
#[test]
fn what_may_be_a_companion_itself_is_asked() {
    let private = quote!(::cache_runtime::__private);
    let args = quote!(
        get_key(id),
        users::get_key(id),
        Self::find_key(id),
        self.find_key(id),
        other.find_key(id),
        get_key::<T>(id)
    );
    let item = quote!(
        async fn save(&self, id: i64, other: &Other) {
            BODY
        }
    );
    let expanded = without_whitespace(&expand_invalidates(args, item).unwrap());
    for expected in [
        quote!(.invalidate(#private::companion!(get_key_key or get_key, in self)(&id))),
        quote!(.invalidate(#private::companion!(get_key_key or users::get_key, in users)(&id))),
        quote!(.invalidate(
            #private::companion!(find_key_key or Self::find_key, of Self::find_key_key)(&id)
        )),
        quote!(.companion::<_, (_,), _>(
            #private::companion!(find_key_key or Self::find_key, of Self::find_key_key)
        )),
        quote!(.invalidate(other.find_key_key(&id))),
        quote!(.invalidate(get_key_key::<T>(&id))),
    ] {
        let expected = without_whitespace(&expected);
        assert!(expanded.contains(&expected), "{expanded}\n{expected}");
    }
}
