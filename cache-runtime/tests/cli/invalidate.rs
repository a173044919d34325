//! `cachectl invalidate`

use crate::program::{prints, prints_json};
use crate::service::{filled, has_member, server};

#[tokio::test]
async fn keys() {
    let server = server().await;
    let cache = filled(&server.url()).await;
    let keys = ["invalidate", "member:acme:7", "member:acme:8", "member:acme:9"];
    let dry = prints(&server, &[&keys[..], &["--dry-run"]].concat()).await;
    assert_eq!(dry, "would invalidate 2 entries\n");
    assert!(has_member(&cache, "acme", 7).await);
    let json = prints_json(&server, &keys).await;
    assert_eq!((&json["entries"], &json["dry_run"]), (&2.into(), &false.into()));
    assert!(!has_member(&cache, "acme", 7).await && !has_member(&cache, "acme", 8).await);
    assert!(has_member(&cache, "other", 7).await);
    assert_eq!(prints(&server, &keys).await, "invalidated 0 entries\n");
}

#[tokio::test]
async fn tags() {
    let server = server().await;
    let cache = filled(&server.url()).await;
    let tag = ["invalidate", "--tag", "org:acme"];
    let dry = prints_json(&server, &[&tag[..], &["--dry-run"]].concat()).await;
    assert_eq!((&dry["entries"], &dry["dry_run"]), (&2.into(), &true.into()));
    assert!(has_member(&cache, "acme", 7).await);
    assert_eq!(prints(&server, &tag).await, "invalidated every entry with org:acme\n");
    assert!(!has_member(&cache, "acme", 7).await && !has_member(&cache, "acme", 8).await);
    assert!(has_member(&cache, "other", 7).await);
}

#[tokio::test]
async fn a_pattern() {
    let server = server().await;
    let cache = filled(&server.url()).await;
    let pattern = ["invalidate", "--pattern", "member:*"];
    let dry = prints(&server, &[&pattern[..], &["--dry-run"]].concat()).await;
    assert_eq!(dry, "would invalidate 3 entries\n");
    assert!(has_member(&cache, "acme", 7).await);
    assert_eq!(prints(&server, &pattern).await, "invalidated 3 entries\n");
    assert!(!has_member(&cache, "acme", 7).await && !has_member(&cache, "other", 7).await);
    let json = prints_json(&server, &["stats", "price:*"]).await;
    assert_eq!(json["total"]["values"], 10, "the others stay");
}
