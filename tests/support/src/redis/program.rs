//! The server that the tests start: `redis-server`, or what `CACHE_TEST_REDIS_SERVER` names.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::OnceLock;

/// The program of every server, and what it says of itself.
#[derive(Debug)]
pub struct Program {
    /// Its path, or its name on the `PATH`.
    pub path: String,
    /// Whether it is a Valkey: those count their versions on from Redis 7.2.
    pub is_valkey: bool,
    /// Major and minor version.
    pub version: (u32, u32),
}

impl Program {
    /// Asks the program once, however many servers it is started as.
    pub fn get() -> &'static Self {
        static PROGRAM: OnceLock<Program> = OnceLock::new();
        PROGRAM.get_or_init(|| {
            let path = std::env::var("CACHE_TEST_REDIS_SERVER");
            Self::ask(path.unwrap_or_else(|_| "redis-server".to_owned()))
        })
    }

    /// `Redis server v=7.0.15 sha=…`
    fn ask(path: String) -> Self {
        let output = Command::new(&path).arg("--version").output().unwrap_or_else(|error| {
            panic!("cannot start {path} ({error}); `tests/run` installs what the tests need")
        });
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut version = text.split_once(" v=").expect("a version").1.split('.').map(str::parse);
        let mut next = || version.next().expect("two numbers").expect("a number");
        let version = (next(), next());
        Self { is_valkey: text.starts_with("Valkey"), version, path }
    }

    /// Whether it was built with TLS.
    pub fn has_tls(&self) -> bool {
        static HAS_TLS: OnceLock<bool> = OnceLock::new();
        *HAS_TLS.get_or_init(|| {
            // It does not start: for want of a certificate, unless it knows nothing of TLS.
            let settings = ["--port", "0", "--tls-port", "17777", "--save", ""];
            let output = Command::new(&self.path).args(settings).output().expect("it starts");
            let said = [output.stdout, output.stderr].concat();
            String::from_utf8_lossy(&said).contains("No tls-cert-file configured")
        })
    }

    /// The name by which its statistics count a command: before Redis 7 that of `client|setname` is
    /// `client`.
    pub fn counts_as<'a>(&self, command: &'a str) -> &'a str {
        match command.split_once('|') {
            Some((container, _)) if !self.is_redis_from(7, 0) => container,
            _ => command,
        }
    }

    /// The command that gives a lease where there is no value.
    pub fn lease_command(&self) -> &'static str {
        if self.is_redis_from(7, 0) { "set" } else { "evalsha" }
    }

    /// Adds to the commands of a test what so many leases take besides: a server that knows no `SET
    /// … NX GET` gives each by a script, which looks for a value first.
    pub fn with_leases(
        &self,
        leases: u64,
        mut sent: BTreeMap<String, u64>,
    ) -> BTreeMap<String, u64> {
        if !self.is_redis_from(7, 0) {
            for command in ["evalsha", "get"] {
                *sent.entry(command.to_owned()).or_default() += leases;
            }
        }
        sent
    }

    /// Whether it is that version of Redis or a later one, or a Valkey.
    pub fn is_redis_from(&self, major: u32, minor: u32) -> bool {
        self.is_valkey || self.version >= (major, minor)
    }

    /// Whether it is that version of Valkey or a later one.
    pub fn is_valkey_from(&self, major: u32, minor: u32) -> bool {
        self.is_valkey && self.version >= (major, minor)
    }
}

/// Ends a test that this server lacks something for, and says so:
/// `requires!(program.is_redis_from(7, 0), "functions")`.
#[macro_export]
macro_rules! requires {
    ($has:expr, $what:literal) => {
        if !$has {
            eprintln!("skipped: this server has no {}: {:?}", $what, $crate::redis::Program::get());
            return;
        }
    };
}
