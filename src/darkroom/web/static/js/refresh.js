// Keeps a page fresh that has `data-refresh` (milliseconds): its live regions are fetched again and
// again, but not while nobody looks, and not while rows are selected.

import { refresh } from "./live.js";
import { word } from "./words.js";

export function keepFresh() {
  const every = Number(document.querySelector("[data-refresh]").dataset.refresh);
  tell();
  setInterval(() => { if (isWanted()) refresh(); }, every);
  document.addEventListener("change", tell);
}

function isWanted() {
  return !document.hidden && !isSelecting() && document.querySelector("[data-refresh]") !== null;
}

function isSelecting() {
  return document.querySelector("[data-select]:checked") !== null;
}

function tell() {
  const what = word(isSelecting() ? "paused" : "live");
  for (const element of document.querySelectorAll("[data-live-word]")) element.textContent = what;
}
