//! What is asked of the program, and what it may not show.

use std::fs::OpenOptions;
use std::process::Stdio;

use cache_testing::redis::RedisServer;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::program::{bare, prints, program, program_at, run, succeeded};
use crate::service::{NAMESPACE, PASSWORD, bury, filled, has_member, server};

#[tokio::test]
async fn a_command_line_that_makes_no_sense() {
    let secret_url = format!("redis://:{PASSWORD}@127.0.0.1:1");
    for (arguments, message) in [
        (&[][..], "Usage: cachectl"),
        (&["explian", "user:7"], "explain"),
        (&["explain"], "<KEY>"),
        (&["explain", "user:7", "--scan-rate", "3"], "--scan-rate"),
        (&["invalidate"], "--pattern"),
        (&["invalidate", "user:7", "--tag", "users"], "cannot be used with"),
        (&["stats", "--scan-rate", "many"], "--scan-rate"),
        (&["queues", "--url", "127.0.0.1"], "not a URL"),
        (&["queues", "--url", "http://127.0.0.1"], "unknown scheme"),
        (&["queues", "--url", "memory:"], "the service's own process"),
        (&["queues", "--url", &secret_url], "CACHE_PASSWORD"),
        (&["queues", "--namespace", "a b"], "the namespace may not contain"),
    ] {
        let ended = run(&mut bare(), arguments).await;
        assert_eq!((ended.status, &*ended.stdout), (Some(2), ""), "{arguments:?} {ended:?}");
        assert!(ended.stderr.contains(message), "{arguments:?} {ended:?}");
    }
}

#[tokio::test]
async fn help_says_how_to_get_in_and_how_it_ends() {
    let help = succeeded(run(bare().env("CACHE_PASSWORD", PASSWORD), &["--help"]).await);
    for part in ["explain", "dead-letters", "CACHE_PASSWORD", "CACHE_URL", "Exit status"] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_let_us_in() {
    let server = server().await;
    let nobody = RedisServer::builder().down();
    for (url, password, message) in [
        (nobody.url(), PASSWORD, "not reachable"),
        (server.url_without_password(), "", "a password is missing"),
        (server.url_without_password(), "wrong-horse", "wrong user or password"),
    ] {
        for arguments in [
            &["explain", "user:7"][..],
            &["invalidate", "user:7"],
            &["stats"],
            &["queues"],
            &["dead-letters", "list", "logins"],
            &["watch", "--once"],
        ] {
            let ended = run(program_at(&url).env("CACHE_PASSWORD", password), arguments).await;
            assert_eq!((ended.status, &*ended.stdout), (Some(1), ""), "{arguments:?} {ended:?}");
            assert!(ended.stderr.contains(message), "{arguments:?} {ended:?}");
            assert!(!ended.stderr.contains("wrong-horse"), "{ended:?}");
        }
    }
}

/// By the options, by the environment, and by both.
#[tokio::test]
async fn ways_to_get_in() {
    let server = server().await;
    filled(&server.url()).await;
    let (url, member) = (server.url_without_password(), ["explain", "member:acme:7"]);
    let options = ["--url", &url, "--namespace", NAMESPACE];
    let user = format!("redis://default:@127.0.0.1:{}", server.port());
    for (command, arguments) in [
        (bare().env("CACHE_PASSWORD", PASSWORD), [&options[..], &member].concat()),
        (bare().env("CACHE_PASSWORD", PASSWORD), [&member, &options[..]].concat()),
        (&mut program_at(&server.url()), member.to_vec()),
        (program_at(&user).env("CACHE_PASSWORD", PASSWORD), member.to_vec()),
        // Those on the command line win.
        (
            program_at("redis://127.0.0.1:1").env("CACHE_PASSWORD", PASSWORD),
            [&options[..], &member].concat(),
        ),
    ] {
        let text = succeeded(run(command, &arguments).await);
        assert!(text.contains("holds a value"), "{arguments:?} {text}");
    }
    let elsewhere = run(program(&server).args(["--namespace", "other"]), &member).await;
    assert!(succeeded(elsewhere).contains("holds nothing"));
}

/// A script is believed; somebody at a terminal has to say that they mean it.
#[tokio::test]
async fn a_terminal_is_asked_for_a_yes() {
    let server = server().await;
    let cache = filled(&server.url()).await;
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let at_terminal = async |arguments: &[&str]| {
        let input = OpenOptions::new().read(true).write(true).open(&name).unwrap();
        run(program(&server).stdin(Stdio::from(input)), arguments).await
    };
    let key = ["invalidate", "member:acme:7"];
    let ended = at_terminal(&key).await;
    assert_eq!(ended.status, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("`--yes`") && has_member(&cache, "acme", 7).await);
    let dry = succeeded(at_terminal(&[&key[..], &["--dry-run"]].concat()).await);
    assert_eq!(dry, "would invalidate 1 entry\n");
    assert!(has_member(&cache, "acme", 7).await);
    let done = succeeded(at_terminal(&[&key[..], &["--yes"]].concat()).await);
    assert_eq!(done, "invalidated 1 entry\n");
    assert!(!has_member(&cache, "acme", 7).await);
    assert_eq!(prints(&server, &["invalidate", "member:acme:8"]).await, "invalidated 1 entry\n");
}

const OF_READS: &str = include_str!("../../src/doc/when_redis_fails.md");
const OF_QUEUES: &str = include_str!("../../src/doc/writing_behind.md");
const OF_OPERATORS: &str = include_str!("../../src/doc/operations.md");

/// The commands that the guides list are all that the program needs.
#[tokio::test]
async fn a_user_with_the_permissions_in_the_guide() {
    let block = |guide: &'static str| {
        let (_, list) = guide.split_once("```text\n+").unwrap();
        list.split_once("```").unwrap().0
    };
    let own = "+type +strlen +memory|usage +dbsize";
    assert!(OF_OPERATORS.contains(&format!("`{own}`")));
    let listed = format!("+{} +{} {own}", block(OF_READS), block(OF_QUEUES));
    let listed = listed.split_whitespace().collect::<Vec<_>>().join(" ");
    let rules = format!("on >{PASSWORD} ~@{NAMESPACE}:* -@all {listed}");
    let server = RedisServer::builder().user("operator", &rules).start().await;
    let cache = filled(&server.url()).await;
    bury(&cache, &["ada", "grace"]).await;
    let id = cache.queue("logins").dead_letters(1).await.unwrap()[0].id.to_string();
    for arguments in [
        &["explain", "member:acme:7", "--tag", "org:acme"][..],
        &["stats"],
        &["queues"],
        &["dead-letters", "list", "logins"],
        &["dead-letters", "show", "logins", &id],
        &["dead-letters", "redrive", "logins", &id],
        &["dead-letters", "drop", "logins", "--all"],
        &["watch", "--once"],
        &["invalidate", "member:acme:7"],
        &["invalidate", "--tag", "org:acme"],
        &["invalidate", "--pattern", "price:*"],
    ] {
        let url = server.url_as("operator", "");
        succeeded(run(program_at(&url).env("CACHE_PASSWORD", PASSWORD), arguments).await);
    }
}
