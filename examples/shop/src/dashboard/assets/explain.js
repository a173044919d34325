// Asks the service what is in a key, and shows what it says: in words, and each field that there is.

import { AS } from "./figures.js";

const form = document.getElementById("explain");
const sentence = form.querySelector("output");
const fields = form.querySelector("dl");

const list = (items) => items.join(", ");
const tag = (it) => `${it.tag ?? "?"} (${it.state})`;
const reasons = (it) => list([it.missed, it.uncached].filter((reason) => reason !== null));

// The path of a field, how it is called, and how its value becomes text.
const FIELDS = [
  ["stored_as", "In the store it is"],
  ["functions", "Function", list],
  ["holds", "Holds"],
  ["bytes", "Bytes", AS.count],
  ["codec", "Codec"],
  ["version", "Version", AS.count],
  ["age_ms", "Age", AS.span],
  ["load_ms", "The load took", AS.span],
  ["fresh_ms", "Fresh for another", AS.span],
  ["left_ms", "Kept for another", AS.span],
  ["tags", "Tags", (tags) => list(tags.map(tag))],
  ["obstacle", "In the way of a call"],
  ["last_miss", "Why the last miss", reasons],
  ["last_miss.ago_ms", "The last miss, ago", AS.span],
];

function row(found, [path, name, text]) {
  const value = path.split(".").reduce((inner, part) => inner?.[part], found);
  const empty = value === undefined || value === null || value.length === 0;
  if (empty) return [];
  const [line, term, said] = ["div", "dt", "dd"].map((it) => document.createElement(it));
  const data = document.createElement("data");
  data.dataset.field = path;
  data.value = typeof value === "object" ? JSON.stringify(value) : value;
  data.textContent = text ? text(value) : value;
  term.textContent = name;
  said.append(data);
  line.append(term, said);
  return [line];
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = new FormData(form).get("key");
  form.ariaBusy = "true";
  try {
    const response = await fetch(`api/explain?${new URLSearchParams({ key })}`);
    if (!response.ok) throw new Error(await response.text());
    const found = await response.json();
    sentence.textContent = found.sentence;
    fields.replaceChildren(...FIELDS.flatMap((field) => row(found, field)));
  } catch (error) {
    sentence.textContent = error.message;
    fields.replaceChildren();
  } finally {
    form.ariaBusy = "false";
  }
});
