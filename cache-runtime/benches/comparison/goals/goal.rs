//! A goal, and what became of it.

use std::fmt::{self, Display, Formatter};

use super::super::measure::{Sample, median};

/// On which side of a number is good.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Figure {
    /// Calls a second.
    Throughput,
    /// CPU time of the client per call.
    Cpu,
    /// Time that half of the calls take no longer than.
    P50,
    /// Nanoseconds that a call takes beyond the other one: a difference, and no ratio.
    Beyond,
}

/// What a contender is to reach, beside the one that comes first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    pub(super) contender: &'static str,
    pub(super) figure: Figure,
    pub(super) bound: Bound,
}

/// What became of one goal in one placement.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) work: String,
    pub(super) placement: &'static str,
    pub(super) figure: &'static str,
    first: String,
    own: String,
    /// One of each round.
    values: Vec<f64>,
    pub(super) bound: Bound,
}

impl Bound {
    pub(super) fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

impl Display for Bound {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AtLeast(bound) => write!(formatter, "at least {}", number(bound)),
            Self::AtMost(bound) => write!(formatter, "at most {}", number(bound)),
        }
    }
}

impl Figure {
    fn name(self) -> &'static str {
        match self {
            Self::Throughput => "calls a second",
            Self::Cpu => "CPU",
            Self::P50 => "p50",
            Self::Beyond => "ns beyond",
        }
    }

    fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::Throughput => sample.per_second,
            Self::Cpu => sample.cpu,
            Self::P50 | Self::Beyond => sample.p50,
        }
    }

    fn compared(self, own: &Sample, first: &Sample) -> f64 {
        match self {
            Self::Beyond => (self.of(own) - self.of(first)) * 1e3,
            _ => self.of(own) / self.of(first),
        }
    }

    /// The median of the rounds, with its unit.
    fn shown(self, samples: &[Sample]) -> String {
        let value = median(samples.iter().map(|sample| self.of(sample)));
        match self {
            Self::Throughput => format!("{value:.0}/s"),
            _ if value < 10.0 => format!("{:.0} ns", value * 1e3),
            _ => format!("{value:.1} µs"),
        }
    }
}

impl Goal {
    pub(super) fn outcome(
        &self,
        work: &str,
        placement: &'static str,
        first: &[Sample],
        own: &[Sample],
    ) -> Outcome {
        let compared = |(own, first)| self.figure.compared(own, first);
        Outcome {
            work: format!("{work}: {}", self.contender),
            placement,
            figure: self.figure.name(),
            first: self.figure.shown(first),
            own: self.figure.shown(own),
            values: own.iter().zip(first).map(compared).collect(),
            bound: self.bound,
        }
    }
}

impl Outcome {
    /// Of a goal that is not beside anything.
    pub(super) fn absolute(
        work: &str,
        figure: &'static str,
        values: Vec<f64>,
        bound: Bound,
    ) -> Self {
        let (first, own) = (String::new(), String::new());
        Self { work: work.to_owned(), placement: "", figure, first, own, values, bound }
    }

    pub(super) fn value(&self) -> f64 {
        median(self.values.iter().copied())
    }

    pub(super) fn is_reached(&self) -> bool {
        self.bound.holds(self.value())
    }
}

/// With decimals where they say something.
pub(super) fn number(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

/// What is above the lines of outcomes, which are a table in Markdown.
pub(super) fn heading() -> String {
    let names = line(["", "", "by hand", "ours", "value", "range", "goal", ""]);
    format!("{names}\n|---|---|--:|--:|--:|--:|---|---|")
}

/// A line of the table.
fn line([work, figure, first, own, value, range, goal, verdict]: [&str; 8]) -> String {
    format!(
        "| {work:<46} | {figure:<14} | {first:>8} | {own:>8} | {value:>7} | {range:>14} \
            | {goal:<13} | {verdict:<7} |"
    )
}

impl Display for Outcome {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let extreme = |of: fn(f64, f64) -> f64| self.values.iter().copied().reduce(of);
        let [least, most] = [extreme(f64::min), extreme(f64::max)].map(Option::unwrap_or_default);
        formatter.write_str(&line([
            &self.work,
            self.figure,
            &self.first,
            &self.own,
            &number(self.value()),
            &format!("{} to {}", number(least), number(most)),
            &self.bound.to_string(),
            if self.is_reached() { "reached" } else { "missed" },
        ]))
    }
}
