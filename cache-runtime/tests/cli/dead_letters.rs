//! `cachectl dead-letters`

use crate::program::{prints, prints_json, program, run};
use crate::service::{bury, cache, server};

#[tokio::test]
async fn are_listed_shown_put_back_and_dropped() {
    let server = server().await;
    bury(&cache(&server.url()), &["ada", "grace", "linus"]).await;
    let list = ["dead-letters", "list", "logins"];
    let listed = prints_json(&server, &list).await;
    let letters = listed.as_array().unwrap();
    assert_eq!(letters.len(), 3);
    let ids: Vec<_> = letters.iter().map(|letter| letter["id"].as_str().unwrap()).collect();
    let first = &letters[0];
    assert!(first.get("item").is_none(), "a list has no items");
    assert!(first["error"].as_str().unwrap().contains("the table is gone"), "{first}");
    let page = [&list[..], &["--limit", "1", "--after", ids[0]]].concat();
    assert_eq!(prints_json(&server, &page).await[0]["id"], ids[1]);
    let text = prints(&server, &list).await;
    assert!(text.contains("the table is gone\u{fffd}[2J") && !text.contains('\u{1b}'), "{text}");

    let shown = prints_json(&server, &["dead-letters", "show", "logins", ids[0]]).await;
    assert_eq!(shown["item"], format!("\"{}\"", first["key"].as_str().unwrap()));
    assert!(prints(&server, &["dead-letters", "show", "logins", ids[0]]).await.contains(ids[0]));

    let count = async || prints_json(&server, &list).await.as_array().unwrap().len();
    let redrive = ["dead-letters", "redrive", "logins", ids[0]];
    let dry = prints(&server, &[&redrive[..], &["--dry-run"]].concat()).await;
    assert_eq!((&*dry, count().await), ("would put back 1 dead letter\n", 3));
    assert_eq!(prints(&server, &redrive).await, "put back 1 dead letter\n");
    assert_eq!(count().await, 2);
    assert_eq!(prints_json(&server, &["queues"]).await[0]["length"]["waiting"], 1);

    assert_eq!(
        prints_json(&server, &["dead-letters", "drop", "logins", ids[1]]).await["letters"],
        1
    );
    assert_eq!(count().await, 1);
    let all = ["dead-letters", "drop", "logins", "--all"];
    let dry = prints(&server, &[&all[..], &["--dry-run"]].concat()).await;
    assert_eq!((&*dry, count().await), ("would drop 1 dead letter\n", 1));
    assert_eq!(prints(&server, &all).await, "dropped 1 dead letter\n");
    assert_eq!(count().await, 0);
    let none = prints(&server, &["dead-letters", "redrive", "logins", "--all"]).await;
    assert_eq!(none, "put back 0 dead letters\n");
}

#[tokio::test]
async fn of_what_there_is_not() {
    let server = server().await;
    bury(&cache(&server.url()), &["ada"]).await;
    for (arguments, status, message) in [
        (&["list", "logouts"][..], 1, "there is no queue `logouts`"),
        (&["show", "logins", "0:1-1"], 1, "has no dead letter 0:1-1"),
        (&["drop", "logins", "1:1-1"], 1, "has no dead letter 1:1-1"),
        (&["show", "logins", "first"], 2, "not the id of a dead letter"),
        (&["drop", "logins"], 2, "--all"),
        (&["drop", "logins", "0:1-1", "--all"], 2, "cannot be used with"),
    ] {
        let arguments = [&["dead-letters"], arguments].concat();
        let ended = run(&mut program(&server), &arguments).await;
        assert_eq!((ended.status, &*ended.stdout), (Some(status), ""), "{arguments:?} {ended:?}");
        assert!(ended.stderr.contains(message), "{arguments:?} {ended:?}");
    }
}
