//! Where client and server run. Each placement flatters somebody, so hits are measured in all.

use std::env;
use std::process::Command;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};

/// Which processors the two may use, and how many workers the client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    name: &'static str,
    client: &'static [usize],
    server: &'static [usize],
    pub(crate) workers: usize,
}

const UNPINNED: &[usize] = &[];

/// All placements, and first the one that is taken where none is asked for.
const ALL: [Placement; 4] = [
    Placement { name: "unpinned", client: UNPINNED, server: UNPINNED, workers: 1 },
    Placement { name: "unpinned-2", client: UNPINNED, server: UNPINNED, workers: 2 },
    Placement { name: "same-core", client: &[0], server: &[0], workers: 1 },
    Placement { name: "two-cores", client: &[0], server: &[1], workers: 1 },
];

/// What comes before the name of a placement among the arguments.
const OPTION: &str = "--placement=";

impl Placement {
    /// The one that was asked for. None if it was none of these, but all.
    pub(crate) fn asked() -> Option<Self> {
        let asked = env::args().find_map(|it| it.strip_prefix(OPTION).map(str::to_owned));
        match asked.as_deref() {
            None => Some(ALL[0]),
            Some("all") => None,
            Some(name) => {
                let placement = ALL.into_iter().find(|it| it.name == name);
                let names = ALL.map(|it| it.name).join(", ");
                Some(placement.unwrap_or_else(|| panic!("no placement `{name}`: all, {names}")))
            }
        }
    }

    /// Runs this program once more for each placement, with the same arguments.
    pub(crate) fn each() {
        let itself = env::current_exe().expect("a path to this program");
        for placement in ALL {
            let arguments = env::args().skip(1).filter(|it| !it.starts_with(OPTION));
            let own = format!("{OPTION}{}", placement.name);
            let status = Command::new(&itself).args(arguments).arg(own).status();
            assert!(status.expect("a child process").success(), "{} failed", placement.name);
        }
    }

    /// Puts this process in its place, and the server in its.
    pub(crate) fn take(self, server: u32) {
        println!(
            "\nplacement {}: client {}, server {}, workers: {}",
            self.name,
            shown(self.client),
            shown(self.server),
            self.workers
        );
        let server = i32::try_from(server).ok().and_then(Pid::from_raw).expect("a process id");
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
