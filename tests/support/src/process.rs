//! Signals to the processes that a test has started, and their certain end.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::LIMIT;

/// SIGSTOP. Returns when the process has stopped.
pub fn stop(pid: u32) {
    signal("STOP", pid);
    let begin = Instant::now();
    while !is_stopped(pid) {
        assert!(begin.elapsed() < LIMIT, "process {pid} did not stop");
        thread::sleep(Duration::from_millis(1));
    }
}

/// SIGCONT.
pub fn cont(pid: u32) {
    signal("CONT", pid);
}

/// SIGTERM, by which a process is asked to end.
pub fn terminate(pid: u32) {
    signal("TERM", pid);
}

/// The third field of `/proc/<pid>/stat`, after the name, which may itself contain anything.
fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process exists");
    stat.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('T'))
}

/// Through the shell, which has `kill` built in: a small system has no program of that name.
fn signal(name: &str, pid: u32) {
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", name, &pid.to_string()])
        .status()
        .expect("sh runs");
    assert!(status.success(), "SIG{name} to process {pid}: {status}");
}

/// What the watchdog does with a process id and a directory.
const WATCH: &str = "trap '' HUP INT TERM; read -r _; kill -s KILL \"$0\"; rm -rf -- \"$1\"";

/// A child that does not outlive this process, however this process ends.
///
/// When it is dropped, a panicking test included, it kills the child itself. For an end without
/// destructors, a shell waits for the end of a pipe that only this process holds open; it removes
/// the child's directory, too.
#[derive(Debug)]
pub struct Mortal {
    child: Child,
    watchdog: Child,
}

impl Mortal {
    /// Starts `command` in `directory`.
    pub fn spawn(command: &mut Command, directory: &Path) -> std::io::Result<Self> {
        let child = command.current_dir(directory).spawn()?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCH])
            .arg(child.id().to_string())
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        Ok(Self { child, watchdog })
    }

    /// The process id of the child.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the child has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_some()
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        // The watchdog goes first: it must not shoot at a process id that is free again. Errors
        // mean that the process has ended already.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
