//! A thousand callers on one cold key: in one process, and in four.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cache_runtime::Cache;
use tokio::runtime::Builder;

use super::arguments::Effort;
use super::peers::{LOADS, Load, Peer};
use super::scenarios::fresh;
use super::server::Server;

/// First argument of a process that takes part.
pub(crate) const CHILD: &str = "stampede-child";
/// What the callers wait for.
pub(crate) const BODIES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(300)];
const CALLERS: usize = 1000;

pub(crate) fn run(server: &Server, effort: Effort, contenders: &[&str]) {
    println!(
        "\nstampede: {CALLERS} callers on a cold key; p99 is what callers waited beyond the body"
    );
    println!(
        "  {:<18} {:>9} {:>9} {:>8} {:>12} {:>12}",
        "", "body", "processes", "loads", "p99 ms", "longest ms"
    );
    for (body, processes) in BODIES.into_iter().flat_map(|body| [(body, 1), (body, 4)]) {
        for contender in contenders {
            let stampede = || stampede(server, contender, processes, body);
            let mut rounds: Vec<_> = (0..effort.rounds).map(|_| stampede()).collect();
            rounds.sort_by(|one, other| one.p99.total_cmp(&other.p99));
            let Round { loads, p99, longest } = &rounds[rounds.len() / 2];
            println!(
                "  {contender:<18} {body:>9?} {processes:>9} {loads:>8} {p99:>12.1} {longest:>12.1}"
            );
        }
    }
}

/// One stampede: bodies that ran, and what callers waited beyond one, in milliseconds.
pub(crate) struct Round {
    pub(crate) loads: u64,
    pub(crate) p99: f64,
    longest: f64,
}

pub(crate) fn stampede(
    server: &Server,
    contender: &str,
    processes: usize,
    body: Duration,
) -> Round {
    let (key, millis) = (fresh(1).to_string(), body.as_millis().to_string());
    let callers = (CALLERS / processes).to_string();
    let itself = env::current_exe().expect("a path to this program");
    let mut children: Vec<Child> = (0..processes)
        .map(|_| {
            Command::new(&itself)
                .args([CHILD, server.url(), contender, &callers, &key, &millis])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("a child process")
        })
        .collect();
    // All are connected before any begins.
    let mut outputs: Vec<_> = children
        .iter_mut()
        .map(|child| {
            let mut output = BufReader::new(child.stdout.take().expect("its output"));
            output.read_line(&mut String::new()).expect("its sign that it is ready");
            output
        })
        .collect();
    for child in &mut children {
        child.stdin.take().expect("its input").write_all(b"go\n").expect("that it listens");
    }
    let (mut loads, mut waits) = (0, Vec::new());
    for (child, output) in children.iter_mut().zip(&mut outputs) {
        let mut text = String::new();
        output.read_to_string(&mut text).expect("its figures");
        child.wait().expect("its end");
        let mut figures = text.split_whitespace();
        loads += figures.next().and_then(|loads| loads.parse::<u64>().ok()).expect("its loads");
        waits.extend(figures.map(|wait| wait.parse::<f64>().expect("a wait")));
    }
    waits.sort_by(f64::total_cmp);
    let beyond = |part: usize| waits[(waits.len() - 1) * part / 100] - body.as_secs_f64() * 1e3;
    Round { loads, p99: beyond(99), longest: beyond(100) }
}

/// Takes part: says that it is ready, waits for a line, and prints its loads and each caller's wait
/// in milliseconds.
pub(crate) fn child(arguments: &[String]) {
    let [url, contender, callers, id, body] = arguments else { panic!("not to be called by hand") };
    let number = |text: &String| text.parse::<u64>().expect("a number");
    let (callers, id, body) = (number(callers), number(id), Duration::from_millis(number(body)));
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let cache = Cache::connect(url).expect("a Redis URL");
        cache.install();
        let peer = Arc::new(Peer::connected(contender, url).await);
        // Connects.
        peer.user(u64::MAX, Load::Free).await.expect("an answer");
        let waits = rush(callers, || {
            let peer = Arc::clone(&peer);
            async move { peer.user(id, Load::Slow(body)).await.expect("an answer") }
        });
        let waits = waits.await;
        let loads = LOADS.load(Ordering::Relaxed);
        println!("{loads}");
        for wait in waits {
            println!("{}", wait.as_secs_f64() * 1e3);
        }
    });
}

/// All callers at once, when the word is given.
async fn rush<B>(callers: u64, call: impl Fn() -> B) -> Vec<Duration>
where
    B: Future<Output: Send> + Send + 'static,
{
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).expect("the word");
    let calls: Vec<_> = (0..callers)
        .map(|_| {
            let (began, call) = (Instant::now(), call());
            tokio::spawn(async move {
                call.await;
                began.elapsed()
            })
        })
        .collect();
    let mut waits = Vec::with_capacity(calls.len());
    for call in calls {
        waits.push(call.await.expect("a caller that does not panic"));
    }
    waits
}
