//! What the bench was asked for.

use std::env;
use std::time::Duration;

/// How long and how often each contender is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) turn: Duration,
    pub(crate) rounds: usize,
}

/// Names of what is to be measured, and options: `--name`, or `--name=value`.
#[derive(Debug)]
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    pub(crate) fn of_this_process() -> Self {
        // Cargo adds `--bench`.
        Self(env::args().skip(1).filter(|argument| argument != "--bench").collect())
    }

    /// The rest of a command line that begins with this word.
    pub(crate) fn of_role(&self, role: &str) -> Option<&[String]> {
        let (first, rest) = self.0.split_first()?;
        (first == role).then_some(rest)
    }

    pub(crate) fn names(&self, name: &str) -> bool {
        self.0.iter().any(|argument| argument == name)
    }

    /// Whether this was named, or nothing was.
    pub(crate) fn want(&self, name: &str) -> bool {
        self.names(name) || self.0.iter().all(|argument| argument.starts_with("--"))
    }

    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|it| it.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('='))
    }

    /// All but this option, for a process that does a part of the work.
    pub(crate) fn without<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let option = move |it: &str| it.strip_prefix("--").is_some_and(|it| it.starts_with(name));
        self.0.iter().map(String::as_str).filter(move |it| !option(it))
    }

    /// `--quick` only shows whether it runs. `rounds` is for those who do not say `--rounds`.
    pub(crate) fn effort(&self, rounds: usize) -> Effort {
        let asked = self.option("rounds").map(|it| it.parse().expect("a number of rounds"));
        if self.names("--quick") {
            return Effort { turn: Duration::from_millis(20), rounds: asked.unwrap_or(1) };
        }
        Effort { turn: Duration::from_millis(400), rounds: asked.unwrap_or(rounds) }
    }
}
