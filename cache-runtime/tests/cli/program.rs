//! Running the program.

use std::process::Stdio;

use cache_testing::redis::RedisServer;
use cache_testing::within_limit;
use serde_json::Value as Json;
use tokio::process::Command;

use crate::service::{NAMESPACE, PASSWORD};

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program for a server, before its arguments; it has the password from its environment.
pub(crate) fn program(server: &RedisServer) -> Command {
    let mut command = program_at(&server.url_without_password());
    command.env("CACHE_PASSWORD", PASSWORD);
    command
}

/// The program for a URL.
pub(crate) fn program_at(url: &str) -> Command {
    let mut command = bare();
    command.env("CACHE_URL", url).env("CACHE_NAMESPACE", NAMESPACE);
    command
}

/// The program, told nothing.
pub(crate) fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cachectl"));
    for name in ["CACHE_URL", "CACHE_NAMESPACE", "CACHE_PASSWORD"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs it. Nothing that it prints has the password in it.
pub(crate) async fn run(command: &mut Command, arguments: &[&str]) -> Ended {
    let output = within_limit("cachectl ends", command.args(arguments).output()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ended = Ended {
        status: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    };
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains(PASSWORD), "{arguments:?}: {ended:?}");
    }
    ended
}

/// What it prints if all goes well.
pub(crate) async fn prints(server: &RedisServer, arguments: &[&str]) -> String {
    succeeded(run(&mut program(server), arguments).await)
}

/// The same as JSON.
pub(crate) async fn prints_json(server: &RedisServer, arguments: &[&str]) -> Json {
    let arguments = [arguments, &["--json"]].concat();
    let text = prints(server, &arguments).await;
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn succeeded(ended: Ended) -> String {
    assert_eq!((ended.status, &*ended.stderr), (Some(0), ""), "{ended:?}");
    ended.stdout
}
