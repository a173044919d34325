// The figures of a tick as text.

// From the bottom of the stack to its top.
export const OUTCOMES = ["hit", "stale", "coalesced", "loaded", "uncached", "bypassed", "shed", "cancelled"];

export const counts = new Intl.NumberFormat("en");

function span(us) {
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${(us / 1e3).toFixed(us < 1e4 ? 1 : 0)} ms`;
  if (us < 6e7) return `${(us / 1e6).toFixed(us < 1e7 ? 1 : 0)} s`;
  const minutes = Math.floor(us / 6e7);
  if (minutes < 60) return `${minutes} min ${Math.floor((us % 6e7) / 1e6)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const AS = {
  count: (value) => counts.format(value),
  percent: (value) => `${(100 * value).toFixed(1)} %`,
  us: (value) => (value > 0 ? span(value) : "–"),
  ms: (value) => (value > 0 ? span(1000 * value) : "–"),
  span: (value) => span(1000 * value),
  text: (value) => value,
};

export function sum(calls, names = OUTCOMES) {
  return names.reduce((all, name) => all + calls[name], 0);
}

// Calls that asked the database nothing.
function saved(calls) {
  return sum(calls, ["hit", "stale", "coalesced"]);
}

// A figure of a tick by its path, and the few that are made of others.
function figure(tick, path) {
  switch (path) {
    case "found": {
      const looked = sum(tick.totals.calls) - tick.totals.calls.bypassed;
      return looked > 0 ? saved(tick.totals.calls) / looked : null;
    }
    case "store.breaker":
      return tick.store.breaker ?? "none: it is in this process";
    default:
      return path.split(".").reduce((inner, name) => inner[name], tick);
  }
}

// Writes the figures of a tick where the page has places for them.
export function write(tick) {
  for (const element of document.querySelectorAll("data[data-figure]")) {
    const value = figure(tick, element.dataset.figure);
    element.value = value ?? "";
    element.textContent = value === null ? "–" : AS[element.dataset.as ?? "count"](value);
  }
  document.getElementById("functions").replaceChildren(...tick.functions.map(row));
}

function cell(name, text, kind) {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

// A row of the catalogue.
function row(it) {
  const element = document.createElement("tr");
  const name = cell("th", it.name.split("::").slice(-2).join("::"));
  name.scope = "row";
  const rate = cell("td", "");
  if (it.hit_rate === null) {
    rate.textContent = "–";
  } else {
    const meter = document.createElement("meter");
    meter.value = it.hit_rate;
    meter.ariaHidden = "true";
    rate.append(meter, AS.percent(it.hit_rate));
  }
  const loads = it.calls.loaded + it.calls.uncached + it.calls.bypassed;
  element.append(
    name,
    cell("td", it.key, "key"),
    rate,
    cell("td", counts.format(sum(it.calls))),
    cell("td", counts.format(loads)),
    cell("td", AS.us(it.load_us)),
  );
  return element;
}
