//! Where client and server run. Each placement flatters somebody, so hits are measured in all.

use std::env;
use std::process::Command;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};

use super::arguments::Arguments;

/// Which processors the two may use, and how many workers the client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    pub(crate) name: &'static str,
    pub(crate) client: &'static [usize],
    pub(crate) server: &'static [usize],
    pub(crate) workers: usize,
}

const ANYWHERE: &[usize] = &[];

const UNPINNED: Placement =
    Placement { name: "unpinned", client: ANYWHERE, server: ANYWHERE, workers: 1 };
pub(crate) const UNPINNED_2: Placement =
    Placement { name: "unpinned-2", client: ANYWHERE, server: ANYWHERE, workers: 2 };
pub(crate) const SAME_CORE: Placement =
    Placement { name: "same-core", client: &[0], server: &[0], workers: 1 };
pub(crate) const TWO_CORES: Placement =
    Placement { name: "two-cores", client: &[0], server: &[1], workers: 1 };

/// All placements, and first the one that is taken where none is asked for. What was pinned once
/// stays pinned, so one process takes them in this order.
pub(crate) const ALL: [Placement; 4] = [UNPINNED, UNPINNED_2, SAME_CORE, TWO_CORES];

/// The option with the name of a placement.
const OPTION: &str = "placement";

impl Placement {
    /// The one that was asked for. None if it was none of these, but all.
    pub(crate) fn asked(arguments: &Arguments) -> Option<Self> {
        match arguments.option(OPTION) {
            None => Some(UNPINNED),
            Some("all") => None,
            Some(name) => {
                let placement = ALL.into_iter().find(|it| it.name == name);
                let names = ALL.map(|it| it.name).join(", ");
                Some(placement.unwrap_or_else(|| panic!("no placement `{name}`: all, {names}")))
            }
        }
    }

    /// All that were asked for, where nothing means all.
    pub(crate) fn all_asked(arguments: &Arguments) -> Vec<Self> {
        match (arguments.option(OPTION), Self::asked(arguments)) {
            (Some(_), Some(one)) => vec![one],
            _ => ALL.to_vec(),
        }
    }

    /// Runs this program once more for each placement, with the same arguments.
    pub(crate) fn each(arguments: &Arguments) {
        let itself = env::current_exe().expect("a path to this program");
        for placement in ALL {
            let own = format!("--{OPTION}={}", placement.name);
            let status = Command::new(&itself).args(arguments.without(OPTION)).arg(own).status();
            assert!(status.expect("a child process").success(), "{} failed", placement.name);
        }
    }

    /// Puts this thread in its place, with the threads that it will start, and the server in its.
    pub(crate) fn take(self, server: Pid) {
        println!(
            "\nplacement {}: client {}, server {}, workers: {}",
            self.name,
            shown(self.client),
            shown(self.server),
            self.workers
        );
        for (pid, processors) in [(None, self.client), (Some(server), self.server)] {
            if processors.is_empty() {
                continue;
            }
            let mut set = CpuSet::new();
            for processor in processors {
                set.set(*processor);
            }
            sched_setaffinity(pid, &set).expect("as many processors");
        }
    }
}

fn shown(processors: &[usize]) -> String {
    match processors {
        [] => "anywhere".to_owned(),
        [processor, ..] => format!("on processor {processor}"),
    }
}
