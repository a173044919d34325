//! The catalogue of a program whose keys do not all go together.
#![forbid(unsafe_code)]
#![allow(dead_code, reason = "a function is in the catalogue whether or not it is called")]

mod orders;
mod users;

use std::panic::catch_unwind;
use std::time::Duration;

use cache_runtime::{Problem, assert_catalog_consistent, catalog};

const USERS: &str = "catalog::users::";

fn in_users(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("{USERS}{name}")).collect()
}

#[test]
fn every_cached_function_is_listed() {
    let catalog = catalog();
    let names: Vec<_> = catalog.functions.iter().map(|function| function.function).collect();
    let expected = in_users(&[
        "by_alias",
        "by_type",
        "find",
        "get_user",
        "list_users",
        "local",
        "of_generic",
        "of_self",
        "same_user",
        "several",
        "shared",
        "tagged",
        "trait_method",
    ]);
    let users: Vec<_> = names.iter().filter(|name| name.starts_with(USERS)).collect();
    assert_eq!(users, expected.iter().collect::<Vec<_>>());

    let user = catalog.function("users::get_user").unwrap();
    assert_eq!(user.key, "user:<id>");
    assert_eq!(user.value, "User");
    assert_eq!(user.ttl, Some(Duration::from_secs(3600)));
    assert_eq!(user.options, r#"key = "user:<id>", ttl = 3600, lock(wait = "5s"), jitter = 0.5"#);

    let listed = catalog.function("list_users").unwrap();
    assert_eq!(listed.key, "catalog::users::list_users:<org>:<page>", "the automatic key");
    assert_eq!(listed.value, "Vec<User>");
    assert_eq!(listed.ttl, None, "an expression says how long");
    assert_eq!(catalog.function("same_user").unwrap().key, "get_user_key(&id)");
    assert_eq!(catalog.function("by_alias").unwrap().value, "User");
    assert_eq!(catalog.function("by_type").unwrap().value, "T");
    assert_eq!(catalog.function("of_self").unwrap().key, "<Self>::of_self:<id>");
}

#[test]
fn every_write_is_listed_and_who_is_meant_by_it() {
    let catalog = catalog();
    let by = |name: &str| &catalog.function(name).unwrap().invalidated_by;
    assert_eq!(*by("users::get_user"), in_users(&["by_key", "by_pattern", "rename", "save"]));
    assert_eq!(*by("same_user"), in_users(&["rename", "save"]), "it is the same entry");
    assert_eq!(*by("list_users"), in_users(&["save"]));
    assert_eq!(*by("several"), in_users(&["each"]));
    assert_eq!(*by("of_self"), in_users(&["of_method"]));
    // Both have that name; the one beside the write is meant.
    assert_eq!(*by("orders::find"), ["catalog::orders::cancel"]);
    assert_eq!(*by("users::find"), ["catalog::orders::cancel_for", "catalog::users::sink"]);
    assert_eq!(*by("tagged"), in_users(&["of_tag"]));
    let never: Vec<_> = catalog.never_invalidated().map(|function| function.function).collect();
    assert!(never.contains(&"catalog::users::local") && !never.contains(&"catalog::users::find"));

    let save = catalog.writes.iter().find(|write| write.function.ends_with("::save")).unwrap();
    let sink = catalog.writes.iter().find(|write| write.function.ends_with("::sink")).unwrap();
    assert_eq!((save.attribute, sink.attribute), ("write_through", "write_behind"));
    assert_eq!(save.options, "get_user(user.id), invalidates(list_users(org, result.page))");
}

#[test]
fn what_does_not_go_together_is_told() {
    let problems = catalog().problems();
    let same = |one: &str, other: &str| {
        problems.iter().any(|problem| {
            matches!(problem, Problem::SameKey { one: (first, _), other: (second, _) }
                if first.ends_with(one) && second.ends_with(other))
        })
    };
    assert!(same("orders::get_name", "orders::get_title"), "the same template");
    assert!(same("orders::get_any", "orders::get_count"), "a text may be anything");
    let total = problems.len();
    assert_eq!(total, 2 + 1, "{problems:#?}");
    let no_such_key = Problem::NoSuchKey { write: "catalog::orders::forget", key: "ordre:<id>" };
    assert!(problems.contains(&no_such_key), "{problems:#?}");

    let message =
        *catch_unwind(assert_catalog_consistent).unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("`catalog::orders::forget` invalidates `ordre:<id>`"), "{message}");
    assert_eq!(message.lines().count(), 1 + total, "{message}");
}

/// For a document, or a diff between two versions of a program.
#[test]
fn it_can_be_printed_and_serialised() {
    let catalog = catalog();
    let text = catalog.to_string();
    let user = "catalog::users::get_user: User at user:<id>\n    cached(key = ";
    assert!(text.contains(user), "{text}");
    assert!(text.contains(
        "catalog::users::local: u8 at local\n    cached(key = \"local\", ttl = 1)\n    nothing"
    ));
    let json = serde_json::to_value(&catalog).unwrap();
    assert_eq!(json["functions"].as_array().unwrap().len(), catalog.functions.len());
    assert_eq!(json["writes"][0]["attribute"], "invalidates");
}
