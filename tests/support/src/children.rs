//! Real child processes: the test program runs one of its own tests again.
//!
//! ```ignore
//! #[tokio::test]
//! async fn four_processes_load_once() {
//!     if let Some(parent) = children::parent() {
//!         return call(parent).await; // this is the child
//!     }
//!     let server = RedisServer::start().await;
//!     let mut children = Children::spawn(&this_test!(), 4, &server.url());
//!     children.expect_from_all("ready").await;
//!     children.say_to_all("go").await;
//!     let values: Vec<u64> = children.hear_from_all().await;
//!     children.finish().await;
//! }
//!
//! async fn call(mut parent: Parent) {
//!     let url: String = parent.setup();
//!     parent.say("ready");
//!     parent.expect("go").await;
//!     parent.say(&42);
//! }
//! ```
//!
//! Parent and child exchange lines of JSON over the child's stdin and stdout. What else the child
//! writes to stdout is kept for the report of a failure; its stderr is the parent's.

use std::ffi::OsStr;
use std::io::{BufRead, Write};
use std::process::Stdio;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

use super::{process, within_limit};

const VARIABLE: &str = "CACHE_TEST_CHILD";

/// Tells our lines from those of the test harness.
const MARK: &str = "@child ";

/// The name by which the test program knows the test that says this.
#[macro_export]
macro_rules! this_test {
    () => {{
        fn here() {}
        $crate::children::test_name(::std::any::type_name_of_val(&here))
    }};
}
pub use crate::this_test;

/// `program::module::test::{{closure}}::here` is the test `module::test`.
pub fn test_name(here: &'static str) -> String {
    let path: Vec<&str> = here.split("::").filter(|part| *part != "{{closure}}").collect();
    path[1..path.len() - 1].join("::")
}

#[derive(Serialize, Deserialize)]
struct Orders {
    index: usize,
    setup: Value,
}

/// The parent, if this process is a child.
pub fn parent() -> Option<Parent> {
    let orders = std::env::var(VARIABLE).ok()?;
    let Orders { index, setup } = serde_json::from_str(&orders).expect("our own JSON");
    let (heard, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            // An error means that the test is over, and with it this process.
            let _ = heard.send(line);
        }
        // The parent is gone, or done with this child.
        std::process::exit(1);
    });
    Some(Parent { index, setup, lines })
}

/// What a child has of its parent.
#[derive(Debug)]
pub struct Parent {
    index: usize,
    setup: Value,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Parent {
    /// Which child this is, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// What the parent has given to [`Children::spawn`].
    pub fn setup<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.setup.clone()).expect("what the parent has given")
    }

    /// Sends one message.
    #[allow(clippy::unused_self, reason = "only a child has somebody to say it to")]
    pub fn say(&self, message: &(impl Serialize + ?Sized)) {
        let message = serde_json::to_string(message).expect("a message without oddities");
        let mut stdout = std::io::stdout().lock();
        // The harness may have left a line unfinished.
        write!(stdout, "\n{MARK}{message}\n").and_then(|()| stdout.flush()).expect("a parent");
    }

    /// Waits for the next message.
    pub async fn hear<T: DeserializeOwned>(&mut self) -> T {
        let line = self.lines.recv().await.expect("the process ends with its parent");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// Waits for the next message, which must be this one.
    pub async fn expect(&mut self, word: &str) {
        assert_eq!(self.hear::<String>().await, word);
    }
}

/// One child process. It is killed when this is dropped, and ends by itself when this process ends.
#[derive(Debug)]
pub struct Child {
    index: usize,
    process: tokio::process::Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    noise: Vec<String>,
}

impl Child {
    /// Starts `test` in a process of its own; `setup` is what its [`Parent::setup`] will give.
    pub fn spawn(test: &str, index: usize, setup: &(impl Serialize + ?Sized)) -> Self {
        Self::spawn_with(test, index, setup, [])
    }

    /// The same with some environment variables of its own.
    pub fn spawn_with<'a>(
        test: &str,
        index: usize,
        setup: &(impl Serialize + ?Sized),
        variables: impl IntoIterator<Item = (&'a str, &'a OsStr)>,
    ) -> Self {
        let setup = serde_json::to_value(setup).expect("a setup without oddities");
        let orders = serde_json::to_string(&Orders { index, setup }).expect("our own JSON");
        let program = std::env::current_exe().expect("this program has a path");
        let mut process = Command::new(program)
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(VARIABLE, orders)
            .envs(variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("this program runs again");
        let stdin = process.stdin.take().expect("is piped");
        let stdout = BufReader::new(process.stdout.take().expect("is piped")).lines();
        Self { index, process, stdin, stdout, noise: Vec::new() }
    }

    /// Its process id. Fails after [`Child::kill`].
    pub fn pid(&self) -> u32 {
        self.process.id().expect("the child has not been waited for")
    }

    /// Sends one message. A child that has ended does not hear it.
    pub async fn say(&mut self, message: &(impl Serialize + ?Sized)) {
        let mut line = serde_json::to_vec(message).expect("a message without oddities");
        line.push(b'\n');
        let _ = self.stdin.write_all(&line).await;
    }

    /// Waits for the next message.
    pub async fn hear<T: DeserializeOwned>(&mut self) -> T {
        match within_limit("a child says something", self.next()).await {
            Some(line) => {
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
            }
            None => panic!("child {} ended: {}", self.index, self.noise.join("\n")),
        }
    }

    /// Waits for the next message, which must be this one.
    pub async fn expect(&mut self, word: &str) {
        assert_eq!(self.hear::<String>().await, word, "from child {}", self.index);
    }

    /// SIGKILL. Returns when the process is gone.
    pub async fn kill(&mut self) {
        self.process.kill().await.expect("our own child can be killed");
    }

    /// SIGSTOP
    pub fn stop(&self) {
        process::stop(self.pid());
    }

    /// SIGCONT
    pub fn cont(&self) {
        process::cont(self.pid());
    }

    /// Waits for the end of its test, which must have passed.
    pub async fn finish(mut self) {
        if let Some(line) = within_limit("a child ends", self.next()).await {
            panic!("child {} still had something to say: {line}", self.index);
        }
        let status = within_limit("a child ends", self.process.wait()).await.expect("is ours");
        assert!(status.success(), "child {}: {status}: {}", self.index, self.noise.join("\n"));
    }

    async fn next(&mut self) -> Option<String> {
        loop {
            let line = self.stdout.next_line().await.expect("a readable child")?;
            match line.strip_prefix(MARK) {
                Some(message) => return Some(message.to_owned()),
                None => self.noise.push(line),
            }
        }
    }
}

/// Several children with the same orders.
#[derive(Debug)]
pub struct Children(pub Vec<Child>);

impl Children {
    /// Starts `count` children.
    pub fn spawn(test: &str, count: usize, setup: &(impl Serialize + ?Sized)) -> Self {
        Self((0..count).map(|index| Child::spawn(test, index, setup)).collect())
    }

    /// Sends everyone the same message.
    pub async fn say_to_all(&mut self, message: &(impl Serialize + ?Sized)) {
        for child in &mut self.0 {
            child.say(message).await;
        }
    }

    /// Waits for the next message of each, which must be this one.
    pub async fn expect_from_all(&mut self, word: &str) {
        for child in &mut self.0 {
            child.expect(word).await;
        }
    }

    /// The next message of each, in the order of their numbers.
    pub async fn hear_from_all<T: DeserializeOwned>(&mut self) -> Vec<T> {
        let mut messages = Vec::new();
        for child in &mut self.0 {
            messages.push(child.hear().await);
        }
        messages
    }

    /// Waits for the end of all their tests, which must have passed.
    pub async fn finish(self) {
        for child in self.0 {
            child.finish().await;
        }
    }
}
