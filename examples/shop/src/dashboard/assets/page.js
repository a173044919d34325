// Shows what the service tells: the last ticks once, then each new one as it comes; and causes
// trouble.

import { drawCharts } from "./charts.js";
import "./explain.js";
import { counts, write } from "./figures.js";

// How many ticks are shown.
const SECONDS = 90;

let ticks = [];

// What is wrong, in words and by a colour

function chips(tick) {
  const { breaker, journal } = tick.store;
  const store = document.getElementById("store");
  const well = breaker === null || breaker === "closed";
  store.className = `chip ${well ? (journal > 0 ? "wait" : "") : "bad"}`;
  store.lastChild.textContent = breaker === null ? "embedded store" : `Redis: breaker ${breaker}`;
  document.getElementById("failed").className = `chip ${tick.totals.failed > 0 ? "bad" : ""}`;
}

// Troubles

function said(button, text) {
  button.parentElement.querySelector("output").textContent = text;
}

async function ask(button, method, body) {
  const name = button.dataset.act ?? button.dataset.switch;
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  button.ariaBusy = "true";
  try {
    const response = await fetch(`troubles/${name}`, { method, headers, body });
    if (!response.ok) throw new Error(await response.text());
    return await response.json();
  } catch (error) {
    said(button, error.message);
    return null;
  } finally {
    button.ariaBusy = "false";
  }
}

const RESULTS = {
  stampede: (it) => `${counts.format(it.answered)} answers from ${it.loads} ` +
    `${it.loads === 1 ? "query" : "queries"}, in ${it.took_ms} ms`,
  storm: (it) => `${counts.format(it.invalidated)} invalidations, in ${it.took_ms} ms`,
};

const NAMES = { outage: "outage", "slow-database": "slow_database", traffic: "traffic" };

function show(switches) {
  for (const button of document.querySelectorAll("[data-switch]")) {
    const on = switches[NAMES[button.dataset.switch]];
    button.ariaPressed = String(on === true);
    button.ariaDisabled = String(on === null);
    if (on === null) said(button, "Needs a Redis: start with CACHE_URL.");
  }
}

for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", async () => {
    said(button, "…");
    const result = await ask(button, "POST");
    if (result) said(button, RESULTS[button.dataset.act](result));
  });
}

for (const button of document.querySelectorAll("[data-switch]")) {
  button.addEventListener("click", async () => {
    if (button.ariaDisabled === "true") return;
    const switches = await ask(button, "PUT", String(button.ariaPressed !== "true"));
    if (switches) show(switches);
  });
}

// What is told

function take(tick) {
  if (ticks.length > 0 && tick.number <= ticks.at(-1).number) return;
  ticks = [...ticks, tick].slice(-SECONDS);
}

function showAll() {
  const tick = ticks.at(-1);
  if (!tick) return;
  write(tick);
  drawCharts(ticks);
  chips(tick);
  show(tick.switches);
  document.documentElement.dataset.tick = tick.number;
}

const events = new EventSource("dashboard/events");
events.addEventListener("message", (message) => {
  take(JSON.parse(message.data));
  showAll();
});
events.addEventListener("error", () => {
  const store = document.getElementById("store");
  store.className = "chip bad";
  store.lastChild.textContent = "the service does not answer";
});
// A service that was started again counts its seconds from 1.
events.addEventListener("open", async () => {
  ticks = [];
  const last = await (await fetch("dashboard/ticks")).json();
  ticks = last.filter((tick) => ticks.every((newer) => tick.number < newer.number)).concat(ticks);
  showAll();
});
