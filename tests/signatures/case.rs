//! `<name:lower>` and `<name:trim>`: values that a database takes for the same have one entry,
//! wherever a template names it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use cache_runtime::key::{Lower, Segment, Trim};
use cache_runtime::{Cache, Key, KeyPart, cached, invalidates, write_through};

use crate::once::{Row, row};

/// The same to a database, in many a collation.
const SAME: [&str; 4] =
    ["ada@example.com", "Ada@Example.COM", "  ADA@example.com", "ada@EXAMPLE.com\n"];

#[cached(key = "user:<email:trim:lower>", ttl = 60, tags = ["mail:<email:lower:trim>"])]
async fn find(email: &str) -> Row {
    row(i64::try_from(email.len()).unwrap())
}

#[invalidates(find(email))]
async fn by_function(email: &str) {}

#[invalidates(key = "user:<email:lower:trim>")]
async fn by_key(email: String) {}

#[invalidates(tag = "mail:<email:trim:lower>")]
async fn by_tag(email: Arc<str>) {}

#[invalidates(pattern = "us*:<email:trim:lower>")]
async fn by_pattern(email: Cow<'_, str>) {}

#[invalidates(key = "user:<result:trim:lower>")]
async fn by_result(email: &str) -> String {
    email.to_owned()
}

#[invalidates(each(email in emails) key = "user:<email:trim:lower>")]
async fn by_each(emails: &[String]) {}

#[write_through(find(email) = Row::clone(&stored))]
async fn store(email: &str, stored: Row) {}

#[tokio::test]
async fn wherever_a_template_names_it() {
    let cache = Cache::in_memory();
    let work = async {
        let first = find(SAME[0]).await;
        for email in SAME {
            assert_eq!(find(email).await, first, "{email:?}");
            assert_eq!(find_key(email).as_str(), "user:ada@example.com");
        }
        assert_ne!(find("grace@example.com").await, first);

        for email in SAME {
            let mut known = find(SAME[1]).await;
            let mut is_gone = async |what: &str| {
                let next = find(SAME[2]).await;
                assert_ne!(next, known, "{what} {email:?}");
                known = next;
            };
            by_function(email).await;
            is_gone("function").await;
            by_key(email.to_owned()).await;
            is_gone("key").await;
            by_tag(email.into()).await;
            is_gone("tag").await;
            by_pattern(email.into()).await;
            is_gone("pattern").await;
            by_result(email).await;
            is_gone("result").await;
            by_each(&[email.to_owned(), SAME[3].to_owned()]).await;
            is_gone("each").await;
            let written = row(7);
            store(email, written.clone()).await;
            assert_eq!(find(SAME[0]).await, written);
            cache.invalidate(&find_key(email)).await.unwrap();
            assert_ne!(find(SAME[0]).await, written);
        }
    };
    cache.scope(work).await;
}

/// Ids of one batch that have the same key are one entry, which is loaded once, for the first of
/// them.
#[tokio::test]
async fn ids_of_a_batch() {
    #[cached(batch(name in names), key = "name:<name:lower>", ttl = 60)]
    async fn lengths(names: &[String]) -> HashMap<String, Vec<String>> {
        names.iter().map(|name| (name.clone(), names.to_vec())).collect()
    }

    let names = ["Ada", "ada", "Bob", "ADA"].map(str::to_owned);
    let cache = Cache::in_memory();
    let found = cache.scope(lengths(&names)).await;
    assert_eq!(found.len(), names.len());
    for name in &names {
        assert_eq!(found[name], ["Ada", "Bob"], "{name}");
    }
    let again = cache.scope(lengths(&names[1..2])).await;
    assert_eq!(again["ada"], ["Ada", "Bob"]);
}

/// A text that needs no case to be told apart.
struct Name(String, u8);

impl KeyPart for Name {
    fn write(&self, segment: &mut Segment<'_>) {
        (&self.0, self.1).write(segment);
    }
}

#[tokio::test]
async fn whatever_is_made_of_text() {
    #[cached(
        key = "<names:lower>:<other:trim>/<name:lower>:<letter:lower>:<secret:lower:hash>",
        ttl = 60
    )]
    async fn find(
        names: Vec<String>,
        other: Option<&str>,
        name: Name,
        letter: char,
        secret: &str,
    ) -> u8 {
        name.1
    }

    let key = |other, name: &str, secret| {
        let names = ["A:b".to_owned(), "C".to_owned()];
        find_key(&names, &other, &Name(name.to_owned(), 7), &'Ä', secret).as_str().to_owned()
    };
    let start = "<a%3Ab,c,>:X%2FY/<straße,7,>:ä:";
    let known = key(Some(" X/Y "), "Straße", "Hush");
    assert!(known.starts_with(start), "{known}");
    assert_eq!(known.len(), start.len() + 32);
    assert_eq!(key(Some("X/Y"), "STRAßE", "hUSH"), known);
    assert_ne!(key(Some("x/y"), "Straße", "Hush"), known, "trimmed, and not in lower case");
    assert_ne!(key(None, "Straße", "Hush"), known);
    assert_ne!(key(Some("X/Y"), "Straße", "hush!"), known);
    assert_eq!(
        Cache::in_memory().scope(find(vec![], None, Name("a".into(), 3), 'B', "c")).await,
        3
    );
}

#[test]
fn by_hand() {
    let key = |text: &str| {
        Key::<()>::builder().text("k:").part_before(&Trim(Lower(text)), 'x').text("x").done()
    };
    assert_eq!(key(" A B ").as_str(), "k:a%20bx");
    assert_eq!(key("X*").as_str(), "k:%78%2Ax", "escaped after it was changed");
    assert_eq!(key("ΟΔΟΣ").as_str(), "k:οδοςx", "as `str::to_lowercase` has it");
    let number = Key::<()>::builder().part(&Lower(&-7)).done();
    assert_eq!(number.as_str(), "-7");
    // Only what is inside is changed.
    let pair = Key::<()>::builder().part(&(Lower("A"), Trim(" B "), "C ")).done();
    assert_eq!(pair.as_str(), "<a,B,C%20,>");
}
