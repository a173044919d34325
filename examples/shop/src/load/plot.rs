//! The plot: how many queries a request costs, and how many reads take how long.

use std::fmt::Write as _;

use crate::measure::Measured;
use crate::options::{Plan, Store};
use crate::table::{conditions, time};

/// From 100 µs to 10 s, in decades.
const DECADES: [(f64, &str); 6] =
    [(0.0, "0.1 ms"), (1.0, "1 ms"), (2.0, "10 ms"), (3.0, "100 ms"), (4.0, "1 s"), (5.0, "10 s")];

const STYLE: &str = "
    text { font: 13px system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; fill: #1b1e21 }
    .title { font-size: 15px; font-weight: 600 }
    .soft { fill: #616870; font-size: 12px }
    .right { text-anchor: end }
    .middle { text-anchor: middle }
    .grid { stroke: #e2e5e2; stroke-width: 1 }
    .curve { fill: none; stroke-width: 2.5; stroke-linejoin: round }";

/// A drawing of 920 by 380.
pub(crate) fn svg(plan: &Plan, measured: &[Measured]) -> String {
    let all: Vec<(Store, &Measured)> = plan.stores.iter().copied().zip(measured).collect();
    let [visitors, database] = conditions(plan);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 920 380\" role=\"img\">\
            <title>What the cache saves</title><style>{STYLE}</style>\
            <rect width=\"920\" height=\"380\" rx=\"14\" fill=\"#ffffff\"/>\n\
            {}\n{}\n<text class=\"soft\" x=\"28\" y=\"360\">{visitors} {database}</text>\n</svg>\n",
        bars(&all),
        curves(&all),
    )
}

fn color(store: Store) -> &'static str {
    match store {
        Store::Off => "#e39a2d",
        Store::Memory => "#0b8f7d",
        Store::Redis => "#4673e0",
    }
}

/// Queries for each request. They are the legend of the curves, too.
fn bars(all: &[(Store, &Measured)]) -> String {
    let mut drawn =
        "<text class=\"title\" x=\"28\" y=\"38\">Queries for each request</text>".to_owned();
    let most = all.iter().map(|(_, it)| it.queries_per_request()).fold(f64::EPSILON, f64::max);
    let mut y = 76.0;
    for (store, it) in all {
        let (queries, color) = (it.queries_per_request(), color(*store));
        let median = time(it.quantile(500));
        let width = 220.0 * queries / most;
        _ = write!(
            drawn,
            "\n<text x=\"28\" y=\"{y}\">{store}\
                <tspan class=\"soft\" dx=\"8\">a read takes {median}</tspan></text>\
                <rect x=\"28\" y=\"{}\" width=\"{width:.1}\" height=\"26\" rx=\"4\" \
                    fill=\"{color}\"/>\
                <text x=\"{:.1}\" y=\"{}\">{queries:.2}</text>",
            y + 9.0,
            36.0 + width,
            y + 27.0,
        );
        y += 84.0;
    }
    drawn
}

/// For each time, the share of reads that took no longer.
fn curves(all: &[(Store, &Measured)]) -> String {
    let x = |decades: f64| 390.0 + 98.0 * decades;
    let y = |per_mille: u16| 310.0 - 240.0 * f64::from(per_mille) / 1000.0;
    let mut drawn =
        "<text class=\"title\" x=\"390\" y=\"38\">Reads that take no longer</text>".to_owned();
    for (decades, label) in DECADES {
        let x = x(decades);
        _ = write!(
            drawn,
            "\n<line class=\"grid\" x1=\"{x}\" y1=\"70\" x2=\"{x}\" y2=\"310\"/>\
                <text class=\"soft middle\" x=\"{x}\" y=\"330\">{label}</text>"
        );
    }
    for percent in [0, 50, 100] {
        let y = y(10 * percent);
        _ = write!(
            drawn,
            "\n<line class=\"grid\" x1=\"390\" y1=\"{y}\" x2=\"880\" y2=\"{y}\"/>\
                <text class=\"soft right\" x=\"382\" y=\"{}\">{percent} %</text>",
            y + 4.0
        );
    }
    for (store, it) in all {
        let at = |per_mille: u16| {
            let ms = it.quantile(per_mille.into()).as_secs_f64() * 1e3;
            x((ms / 0.1).log10().clamp(0.0, 5.0))
        };
        let points = (0..=1000).step_by(5).map(|part| format!("{:.1},{:.1}", at(part), y(part)));
        let points: Vec<_> = points.collect();
        _ = write!(
            drawn,
            "\n<polyline class=\"curve\" stroke=\"{}\" points=\"{}\"/>",
            color(*store),
            points.join(" "),
        );
    }
    drawn
}
