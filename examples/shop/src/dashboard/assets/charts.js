// The charts, which are drawn anew for each tick.

import { AS, OUTCOMES, counts, sum } from "./figures.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 200;

// What is drawn, from the oldest tick to the newest.
let ticks = [];

export function drawCharts(shown) {
  ticks = shown;
  drawCalls();
  drawLatency();
  drawQueries();
}

function draw(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

// How many seconds a chart is wide: as many as there are, but for the first ones.
function seconds() {
  return Math.max(ticks.length, 15);
}

// The x of a tick: the newest is at the right.
function x(index) {
  return WIDTH - ((ticks.length - 1 - index) * WIDTH) / (seconds() - 1);
}

// The parts of a line between values that are not there.
function path(values, y) {
  let pen = "M";
  let text = "";
  values.forEach((value, index) => {
    if (value === null) {
      pen = "M";
      return;
    }
    text += `${pen}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
  });
  return text;
}

function area(lower, upper, y) {
  const above = path(upper, y);
  const below = lower.map((value, index) => `L${x(index).toFixed(1)} ${y(value).toFixed(1)}`);
  return `${above}${below.reverse().join("")}Z`;
}

function begin(id, marks, y, said) {
  const chart = document.getElementById(id);
  chart.replaceChildren();
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", said);
  const svg = draw("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true",
  }, chart);
  const label = (kind, text) => {
    const span = document.createElement("span");
    span.className = kind;
    span.textContent = text;
    span.ariaHidden = "true";
    chart.append(span);
    return span;
  };
  for (const [value, text] of marks) {
    draw("line", { x1: 0, x2: WIDTH, y1: y(value), y2: y(value) }, svg);
    label("y", text).style.top = `${(100 * y(value)) / HEIGHT}%`;
  }
  label("then", `${seconds() - 1} s ago`);
  label("now", "now");
  return svg;
}

// A round number that is not less.
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 10)));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((round) => round >= value);
}

function linear(highest) {
  const top = roundUp(highest);
  const y = (value) => HEIGHT - (HEIGHT * value) / top;
  return [y, [0, top / 2, top].map((value) => [value, counts.format(value)])];
}

function drawCalls() {
  const [y, marks] = linear(Math.max(...ticks.map((tick) => sum(tick.calls))));
  const said = `Calls each second, now ${sum(ticks.at(-1).calls)}`;
  const svg = begin("calls", marks, y, said);
  let lower = ticks.map(() => 0);
  for (const name of OUTCOMES) {
    const upper = ticks.map((tick, index) => lower[index] + tick.calls[name]);
    draw("path", { class: `area ${name}`, d: area(lower, upper, y) }, svg);
    lower = upper;
  }
}

function drawQueries() {
  const asked = ticks.map((tick) => tick.queries);
  const without = ticks.map((tick) => tick.queries_without);
  const [y, marks] = linear(Math.max(...asked, ...without));
  const said = `Queries each second, now ${asked.at(-1)}; ` +
    `without a cache ${without.at(-1) ?? "unknown"}`;
  const svg = begin("queries", marks, y, said);
  draw("path", { class: "area coalesced faint", d: area(asked.map(() => 0), asked, y) }, svg);
  draw("path", { class: "stroke dashed without", d: path(without, y) }, svg);
  draw("path", { class: "stroke coalesced", d: path(asked, y) }, svg);
}

// From 100 µs to 10 s, each step ten times the one below.
const DECADES = [100, 1e3, 1e4, 1e5, 1e6, 1e7].map((us) => [us, AS.us(us).replace(".0", "")]);

function drawLatency() {
  const y = (us) => HEIGHT - (HEIGHT * Math.log10(Math.min(Math.max(us, 100), 1e7) / 100)) / 5;
  const latest = ticks.at(-1);
  const said = `Response times, now ${AS.us(latest.cached.p50_us)} with the cache and ` +
    `${AS.us(latest.past_the_cache.p50_us)} without`;
  const svg = begin("latency", DECADES, y, said);
  for (const [group, color] of [["past_the_cache", "loaded"], ["cached", "hit"]]) {
    for (const [quantile, thin] of [["p99_us", " thin"], ["p50_us", ""]]) {
      const values = ticks.map((tick) => (tick[group].count > 0 ? tick[group][quantile] : null));
      draw("path", { class: `stroke ${color}${thin}`, d: path(values, y) }, svg);
    }
  }
}
