//! Rounds, in which the contenders take turns, and what is made of them.

use std::future::Future;
use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;

/// How far apart the arguments of concurrent callers begin.
const STRIDE: u64 = 7919;

/// What one contender did in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) per_second: f64,
    /// CPU time of this process per call, in microseconds: that of the server is not in it.
    pub(crate) cpu: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// One contender: its name, and how it spends its turn.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    pub(crate) turn: Box<dyn FnMut() -> Sample + 'a>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: &'static str, turn: impl FnMut() -> Sample + 'a) -> Self {
        Self { name, turn: Box::new(turn) }
    }
}

/// Lets `callers` tasks call for some time, each with arguments of its own.
pub(crate) fn drive<F, B>(runtime: &Runtime, callers: u64, span: Duration, call: F) -> Sample
where
    F: Fn(u64) -> B + Clone + Send + 'static,
    B: Future<Output: Send> + Send,
{
    let caller = move |caller: u64, end: Instant| {
        let call = call.clone();
        async move {
            let (mut latencies, mut argument) = (Vec::with_capacity(1 << 14), caller * STRIDE);
            let mut last = Instant::now();
            while last < end {
                black_box(call(argument).await);
                argument += 1;
                let now = Instant::now();
                latencies.push(now - last);
                last = now;
            }
            latencies
        }
    };
    let (began, cpu) = (Instant::now(), cpu_time());
    let latencies = runtime.block_on(async {
        let tasks: Vec<_> = (0..callers).map(|n| tokio::spawn(caller(n, began + span))).collect();
        let mut latencies = Vec::new();
        for task in tasks {
            latencies.extend(task.await.expect("a caller that does not panic"));
        }
        latencies
    });
    sample(latencies, began.elapsed(), cpu_time().saturating_sub(cpu))
}

/// Sums up calls that took `latencies` one by one and `elapsed` together.
pub(crate) fn sample(mut latencies: Vec<Duration>, elapsed: Duration, cpu: Duration) -> Sample {
    latencies.sort_unstable();
    let calls = latencies.len() as f64;
    let percentile = |part: usize| micros(latencies[(latencies.len() - 1) * part / 100]);
    Sample {
        per_second: calls / elapsed.as_secs_f64(),
        cpu: micros(cpu) / calls,
        p50: percentile(50),
        p99: percentile(99),
    }
}

/// Calls one after the other for some time, and looks at the clock only now and then: for what
/// costs not much more than that look. Latencies are means of `LOOK` calls.
pub(crate) async fn in_turn<B: Future>(span: Duration, call: impl Fn(u64) -> B) -> Sample {
    /// Calls from one look at the clock to the next.
    const LOOK: u32 = 500;
    let (began, cpu) = (Instant::now(), cpu_time());
    let (mut latencies, mut argument, mut last) = (Vec::new(), 0, began);
    while last < began + span {
        for _ in 0..LOOK {
            black_box(call(argument).await);
            argument += 1;
        }
        let now = Instant::now();
        latencies.push((now - last) / LOOK);
        last = now;
    }
    let sample = sample(latencies, began.elapsed(), cpu_time().saturating_sub(cpu));
    let calls = f64::from(LOOK);
    Sample { per_second: sample.per_second * calls, cpu: sample.cpu / calls, ..sample }
}

/// What each contender did in each round. Ratios are made within a round: what else the machine
/// does changes more slowly than that.
pub(crate) fn take_turns(rounds: usize, contenders: &mut [Contender<'_>]) -> Vec<Vec<Sample>> {
    let mut samples = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            // Not always the same one first.
            let turn = (turn + round) % contenders.len();
            samples[turn].push((contenders[turn].turn)());
        }
    }
    samples
}

/// Lets all contenders take turns for some rounds, and prints a line for each, with ratios to the
/// first one.
pub(crate) fn compare(title: &str, rounds: usize, mut contenders: Vec<Contender<'_>>) {
    let samples = take_turns(rounds, &mut contenders);
    println!("\n{title}");
    println!(
        "  {:<18} {:>10} {:>5}  {:>9} {:>5}  {:>9} {:>5}  {:>9} {:>5}",
        "", "calls/s", "×", "CPU µs", "×", "p50 µs", "×", "p99 µs", "×"
    );
    for (contender, own) in contenders.iter().zip(&samples) {
        print!("  {:<18}", contender.name);
        let column = |of: fn(&Sample) -> f64, width: usize, digits: usize| {
            let ratios = own.iter().zip(&samples[0]).map(|(own, first)| of(own) / of(first));
            let value = median(own.iter().map(of));
            print!(" {value:>width$.digits$} {:>5.2} ", median(ratios));
        };
        column(|sample| sample.per_second, 10, 0);
        column(|sample| sample.cpu, 9, 2);
        column(|sample| sample.p50, 9, 1);
        column(|sample| sample.p99, 9, 1);
        println!();
    }
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What this process has used so far, all its threads together.
pub(crate) fn cpu_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("a time after zero")
}

fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}
