//! `cachectl explain`

use crate::program::{prints, prints_json};
use crate::service::{CONTENT, filled, server};

#[tokio::test]
async fn an_entry() {
    let server = server().await;
    let cache = filled(&server.url()).await;
    let key = ["explain", "member:acme:7"];
    let text = prints(&server, &key).await;
    assert!(text.starts_with("`member:acme:7` holds a value of 15 bytes (json, version 0)"));
    assert!(text.contains("one that the key does not name") && !text.contains(CONTENT), "{text}");

    let with_tag = ["explain", "member:acme:7", "--tag", "org:acme"];
    let text = prints(&server, &with_tag).await;
    assert!(text.contains("Its tags: `org:acme` (not invalidated since)."), "{text}");
    cache.invalidate_tag("org:acme").await.unwrap();
    let json = prints_json(&server, &with_tag).await;
    assert_eq!((&json["holds"], &json["obstacle"]), (&"value".into(), &"tag_invalidated".into()));
    assert_eq!(json["stored_as"], "@shop:member:acme:7");
    assert!(!json.to_string().contains(CONTENT));
    assert_eq!(json.get("last_miss"), None, "whoever has missed it is another process");
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_ours() {
    let server = server().await;
    let text = prints(&server, &["explain", "user:7"]).await;
    assert_eq!(text, "`user:7` holds nothing. A call runs its body and stores the value.\n");
    server.client().await.run::<u64>(&["RPUSH", "@shop:user:7", CONTENT]).await;
    let json = prints_json(&server, &["explain", "user:7"]).await;
    assert_eq!((&json["holds"], &json["data_type"]), (&"foreign".into(), &"list".into()));
}

/// A terminal takes no orders from a key.
#[tokio::test]
async fn a_key_that_is_no_text_for_a_terminal() {
    let server = server().await;
    let text = prints(&server, &["explain", "\u{1b}[2Jgone"]).await;
    assert!(text.contains("\u{fffd}[2Jgone") && !text.contains('\u{1b}'), "{text:?}");
}
