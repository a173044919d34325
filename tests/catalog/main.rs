//! The catalogue of a program whose keys do not all go together.
#![forbid(unsafe_code)]
#![allow(dead_code, reason = "a function is in the catalogue whether or not it is called")]

mod companions;
mod mixed;
mod orders;
mod users;

use std::panic::catch_unwind;
use std::time::Duration;

use cache_runtime::catalog;
use cache_runtime::catalog::{Problem, assert_catalog_consistent};

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
        "by_mail",
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
        "told",
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
    assert_eq!(by("same_user"), by("users::get_user"), "it is the same entry");
    assert_eq!(by("by_mail"), by("users::get_user"), "the value is in that entry");
    assert_eq!(*by("list_users"), in_users(&["save"]));
    assert_eq!(*by("several"), in_users(&["each"]));
    assert_eq!(*by("of_self"), in_users(&["of_method"]));
    // Both have that name; the one beside the write is meant.
    assert_eq!(*by("orders::find"), ["catalog::orders::cancel"]);
    assert_eq!(*by("users::find"), ["catalog::orders::cancel_for", "catalog::users::sink"]);
    assert_eq!(*by("tagged"), in_users(&["of_one_tag", "of_tag"]));
    assert_eq!(*by("told"), in_users(&["of_told_tag"]), "as the closure shows");
    // By their companions, whatever the name of these.
    assert_eq!(*by("companions::usual"), ["catalog::companions::by_usual"]);
    assert_eq!(*by("companions::named"), ["catalog::companions::by_named"]);
    assert_eq!(by("named_too"), by("companions::named"), "it is the same entry");
    assert_eq!(*by("companions::suffixed"), ["catalog::companions::by_suffixed"]);
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
    assert!(same("mixed::email", "mixed::phone"), "of one type, too");
    assert!(same("mixed::local", "mixed::local"), "in two blocks of one function");
    let others = [
        Problem::NoSuchKey { write: "catalog::orders::forget", key: "ordre:<id>" },
        Problem::NoSuchTag { write: "catalog::mixed::of_no_tag", tag: "orgs:<id>" },
        other_schema("other_version", "version"),
        other_schema("other_codec", "codec"),
        other_schema("other_tags", "tags"),
        other_cache("read_elsewhere"),
        other_cache("by_key"),
        other_cache("by_tag"),
        other_cache("by_pattern"),
        other_cache("by_method"),
        Problem::SameQueue {
            one: "catalog::mixed::sink",
            other: "catalog::mixed::sink_too",
            queue: "views",
        },
    ];
    for problem in &others {
        assert!(problems.contains(problem), "{problem:?} in {problems:#?}");
    }
    let total = problems.len();
    assert_eq!(total, 4 + others.len(), "{problems:#?}");

    let message =
        *catch_unwind(assert_catalog_consistent).unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("`catalog::orders::forget` invalidates `ordre:<id>`"), "{message}");
    assert_eq!(message.lines().count(), 1 + total, "{message}");
}

fn other_schema(function: &'static str, differs: &'static str) -> Problem {
    let function = match function {
        "other_version" => "catalog::mixed::other_version",
        "other_codec" => "catalog::mixed::other_codec",
        _ => "catalog::mixed::other_tags",
    };
    Problem::OtherSchema { function, owner: "catalog::mixed::page", differs }
}

fn other_cache(user: &str) -> Problem {
    let user = match user {
        "read_elsewhere" => "catalog::mixed::read_elsewhere",
        "by_key" => "catalog::mixed::by_key",
        "by_tag" => "catalog::mixed::by_tag",
        "by_pattern" => "catalog::mixed::by_pattern",
        _ => "catalog::mixed::by_method",
    };
    Problem::OtherCache { user, function: "catalog::mixed::elsewhere", cache: "self.cache" }
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
