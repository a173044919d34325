//! What other programs count of a process, where they are installed and may.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::process::{Command, ExitStatus, Stdio};

/// System calls per call, by name.
#[derive(Debug)]
pub(crate) struct Traced(BTreeMap<String, f64>);

impl Traced {
    pub(crate) fn all(&self) -> f64 {
        self.0.values().sum()
    }

    pub(crate) fn of(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}

impl Display for Traced {
    /// What happens in less than one of a hundred calls is left out.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let often = self.0.iter().filter(|(_, calls)| **calls >= 0.01);
        let often: Vec<_> = often.map(|(name, calls)| format!("{name} {calls:.2}")).collect();
        formatter.write_str(&often.join(", "))
    }
}

/// The system calls that the second process does beyond the first, per additional call.
pub(crate) fn traced(processes: [Command; 2], calls: u64) -> Option<Traced> {
    let [few, many] = processes.map(|process| {
        let report = report("strace -f -c -o FILE", &process)?;
        let lines = report.lines().filter_map(system_calls);
        Some(lines.collect::<BTreeMap<_, _>>())
    });
    let (few, many) = (few?, many?);
    let additional = |(name, count): (String, u64)| {
        let before = few.get(&name).copied().unwrap_or_default();
        let per_call = (count as f64 - before as f64) / calls as f64;
        (name, per_call)
    };
    Some(Traced(many.into_iter().map(additional).collect()))
}

/// A line of the summary of `strace`: share, seconds, microseconds, calls, sometimes errors, name.
fn system_calls(line: &str) -> Option<(String, u64)> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let (name, calls) = (fields.last()?, fields.get(3)?.parse().ok()?);
    (*name != "total").then(|| ((*name).to_owned(), calls))
}

/// The instructions in user space of the second process beyond the first, per additional call.
pub(crate) fn instructions(processes: [Command; 2], calls: u64) -> Option<f64> {
    let [few, many] = processes.map(|process| by_perf(&process).or_else(|| by_valgrind(&process)));
    Some((many? - few?) / calls as f64)
}

fn by_perf(process: &Command) -> Option<f64> {
    let report = report("perf stat -x, -e instructions:u -o FILE", process)?;
    report.lines().find_map(|line| line.split_once(',')?.0.parse().ok())
}

fn by_valgrind(process: &Command) -> Option<f64> {
    let tool = "valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file=FILE";
    let report = report(tool, process)?;
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    collected?.1.trim().parse().ok()
}

/// What the tool writes into `FILE`, as its command line calls it. None if it fails, or is not
/// installed.
fn report(tool: &str, process: &Command) -> Option<String> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("report");
    let mut words = tool.split(' ').map(|word| word.replace("FILE", &file.to_string_lossy()));
    let status = Command::new(words.next()?)
        .args(words)
        .arg(process.get_program())
        .args(process.get_args())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.ok().filter(ExitStatus::success)?;
    fs::read_to_string(file).ok()
}
