//! The plot: how far each figure is from its goal.

use std::fmt::Write as _;

use super::goal::{Bound, Outcome, number};

/// Where the bars begin, and how long one is that just reaches its goal.
const LEFT: f64 = 470.0;
const GOAL: f64 = 170.0;
/// Longer bars are cut off, in goals.
const MOST: f64 = 2.0;
const TOP: f64 = 72.0;
const LINE: f64 = 26.0;

const STYLE: &str = "
    text { font: 13px system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; fill: #1b1e21 }
    .title { font-size: 15px; font-weight: 600 }
    .soft { fill: #616870; font-size: 12px }
    .middle { text-anchor: middle }
    .goal { stroke: #1b1e21; stroke-width: 1.5; stroke-dasharray: 4 3 }";

/// A bar for each outcome. What is to be low has a longer bar the lower it is.
pub(super) fn svg(outcomes: &[Outcome]) -> String {
    let bottom = TOP + LINE * outcomes.len() as f64;
    let (height, goal) = (bottom + 24.0, LEFT + GOAL);
    let mut drawn = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 {height}\" role=\"img\">\
            <title>What is reached of each goal</title><style>{STYLE}</style>\
            <rect width=\"960\" height=\"{height}\" rx=\"14\" fill=\"#ffffff\"/>\n\
            <text class=\"title\" x=\"28\" y=\"36\">What is reached of each goal</text>\
            <text class=\"soft\" x=\"28\" y=\"56\">longer is better, also of what is to be low\
            </text>\
            <text class=\"soft middle\" x=\"{goal}\" y=\"56\">goal</text>"
    );
    for (outcome, y) in outcomes.iter().zip((0..).map(|line| TOP + LINE * f64::from(line))) {
        let color = if outcome.is_reached() { "#0b8f7d" } else { "#e39a2d" };
        let width = GOAL * reached(outcome).clamp(0.02, MOST);
        _ = write!(
            drawn,
            "\n<text x=\"28\" y=\"{}\">{}\
                <tspan class=\"soft\" dx=\"8\">{} {}</tspan></text>\
                <rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"18\" rx=\"4\" \
                    fill=\"{color}\"/>\
                <text class=\"soft\" x=\"{:.1}\" y=\"{}\">{}, {}</text>",
            y + 14.0,
            escaped(&outcome.work),
            outcome.placement,
            outcome.figure,
            LEFT + width.max(GOAL) + 10.0,
            y + 14.0,
            number(outcome.value()),
            outcome.bound,
        );
    }
    _ = write!(
        drawn,
        "\n<line class=\"goal\" x1=\"{goal}\" y1=\"62\" x2=\"{goal}\" y2=\"{bottom}\"/>\n</svg>\n"
    );
    drawn
}

/// In goals.
fn reached(outcome: &Outcome) -> f64 {
    match outcome.bound {
        Bound::AtLeast(goal) => outcome.value() / goal,
        // What is better than nothing at all is as good as can be.
        Bound::AtMost(goal) if outcome.value() <= 0.0 => goal.max(MOST),
        Bound::AtMost(goal) => goal / outcome.value(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
