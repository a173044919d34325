//! Every row of every table of options.

use proc_macro2::{TokenStream, TokenTree};

use super::batch::Chunks;
use super::cached::{CachedArgs, Lock};
use super::invalidates::InvalidatesArgs;
use super::options::Options;
use super::write_behind::WriteBehindArgs;
use super::write_through::{self, WriteThroughArgs};
use crate::diagnostics::{Diagnostics, collect};

/// An attribute, and what is in the table of its options.
pub(super) struct Attribute {
    pub(super) name: &'static str,
    /// Names and examples.
    pub(super) rows: Vec<(&'static str, &'static str)>,
    parse: fn(TokenStream, &Diagnostics),
}

pub(super) fn attributes() -> [Attribute; 4] {
    [
        Attribute {
            name: "cached",
            rows: rows(&CachedArgs::OPTIONS),
            parse: |tokens, diagnostics| drop(CachedArgs::parse(tokens, diagnostics)),
        },
        Attribute {
            name: "invalidates",
            rows: rows(&InvalidatesArgs::OPTIONS),
            parse: |tokens, diagnostics| drop(InvalidatesArgs::parse(tokens, diagnostics)),
        },
        Attribute {
            name: "write_through",
            rows: rows(&write_through::OPTIONS),
            parse: |tokens, diagnostics| drop(WriteThroughArgs::parse(tokens, diagnostics)),
        },
        Attribute {
            name: "write_behind",
            rows: rows(&WriteBehindArgs::OPTIONS),
            parse: |tokens, diagnostics| drop(WriteBehindArgs::parse(tokens, diagnostics)),
        },
    ]
}

fn rows<A>(options: &Options<A>) -> Vec<(&'static str, &'static str)> {
    options.0.iter().map(|row| (row.name, row.example)).collect()
}

impl Attribute {
    fn mistakes(&self, text: &str) -> Vec<String> {
        let tokens = text.parse().unwrap();
        let parsed = collect(|diagnostics| {
            (self.parse)(tokens, diagnostics);
            Ok(())
        });
        parsed.err().into_iter().flatten().map(|error| error.to_string()).collect()
    }
}

/// An example may show two ways to write the option.
fn ways(example: &str) -> impl Iterator<Item = &str> {
    example.split("`, or `")
}

#[test]
fn the_example_of_an_option_is_accepted_as_that_option() {
    for attribute in attributes() {
        for &(option, example) in &attribute.rows {
            for way in ways(example) {
                let tokens: TokenStream = way.parse().unwrap();
                let first = tokens.into_iter().next();
                let starts = matches!(first, Some(TokenTree::Ident(name)) if name == option);
                assert!(starts, "`{way}` is no `{option}`");
                assert_eq!(attribute.mistakes(way), [""; 0], "{}: {way}", attribute.name);
            }
        }
    }
}

/// Were two options kept in one place, the second would count as given twice.
#[test]
fn each_option_has_a_place_of_its_own() {
    for attribute in attributes() {
        let first = |&(_, example): &(_, &'static str)| ways(example).next().unwrap();
        let all: Vec<_> = attribute.rows.iter().map(first).collect();
        assert_eq!(attribute.mistakes(&all.join(", ")), [""; 0], "{}", attribute.name);
    }
}

#[test]
fn names_are_unique() {
    for attribute in attributes() {
        for (n, &(option, _)) in attribute.rows.iter().enumerate() {
            let before = attribute.rows.iter().take(n);
            let same = before.filter(|&&(other, _)| other == option).count();
            assert_eq!(same, 0, "{}: {option}", attribute.name);
        }
    }
}

#[test]
fn options_of_an_option_are_shown_inside_of_it() {
    let [cached, ..] = attributes();
    for (option, example) in rows(&Lock::OPTIONS).into_iter().chain(rows(&Chunks::OPTIONS)) {
        assert!(example.contains(&format!("{option} = ")), "`{example}` has no `{option}`");
        assert_eq!(cached.mistakes(example), [""; 0], "{example}");
    }
}
