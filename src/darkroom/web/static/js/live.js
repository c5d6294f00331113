// Follows runs: server-sent events, or polling where the server has no stream to spare.
//
// Progress is written into the page as it comes. When there is more to show than progress (a step
// began, a photo was counted, the run ended) the page is fetched again and its live regions are
// replaced, but never one that holds the reader's focus, selection or an open dialog: that waits.

import { word } from "./words.js";

const POLL_MS = [1000, 2000, 3000, 5000, 8000];
const STREAM_AGAIN_MS = 30000;
const REFRESH_MS = 700;
const REFRESH_AGAIN_MS = 4000;

export function followAll() {
  for (const element of document.querySelectorAll("[data-live]")) follow(element);
}

function follow(element) {
  const { live, poll } = element.dataset;
  if (!window.EventSource) return pollFrom(element, poll);
  const source = new EventSource(live);
  source.addEventListener("state", (event) => {
    const state = JSON.parse(event.data);
    show(state);
    if (state.finished) source.close();
  });
  source.onopen = () => say(word("live"));
  source.onerror = () => {
    // While it is CONNECTING the browser tries again by itself, from the last event on.
    if (source.readyState === EventSource.CLOSED) pollFrom(element, poll);
  };
  addEventListener("pagehide", () => source.close(), { once: true });
}

function pollFrom(element, poll, tries = 0, before = "", begun = Date.now()) {
  setTimeout(async () => {
    if (Date.now() - begun > STREAM_AGAIN_MS && window.EventSource) return follow(element);
    let next = tries + 1;
    let now = before;
    try {
      const answer = await fetch(poll, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      now = await answer.text();
      if (now !== before) next = 0;
      const state = JSON.parse(now);
      show(state);
      if (state.finished) return;
      say(word("polling"));
    } catch {
      say(word("offline"));
    }
    pollFrom(element, poll, next, now, begun);
  }, POLL_MS[Math.min(tries, POLL_MS.length - 1)]);
}

/** Write the state into the page; fetch what else changed. */
function show(state) {
  const states = state.runs ?? [state];
  states.forEach(write);
  if (states.filter(isNews).length) refreshSoon();
  if (state.finished) say("");
}

// What the page shows of each run, and so what is news.
const shapes = new Map();

function isNews(run) {
  const shown = shapes.get(run.id) ?? document.querySelector(`[data-run="${run.id}"]`)?.dataset.shape;
  shapes.set(run.id, run.shape);
  if (shown === run.shape) return false;
  if (shown?.split(" ")[0] !== run.status) announce(run);
  return true;
}

function announce(run) {
  text(document.querySelector("[data-announce]"), `${run.title}: ${run.word}`);
}

function write(run) {
  for (const root of document.querySelectorAll(`[data-run="${run.id}"]`)) {
    // A list shows many runs, each in its own card; a page of one run may hold cards of others.
    const bind = (name, set) => root.querySelectorAll(`[data-bind="${name}"]`).forEach((element) => {
      if (!element.closest("[data-step]") && element.closest("[data-run]") === root) set(element);
    });
    bind("progress", (element) => { element.value = run.progress; });
    bind("note", (element) => text(element, run.note || element.textContent));
    bind("left", (element) => text(element, run.left));
    bind("percent", (element) => text(element, new Intl.NumberFormat(document.documentElement.lang, { style: "percent" }).format(run.progress)));
    for (const step of run.steps) writeStep(root, step);
  }
}

function writeStep(root, step) {
  for (const element of root.querySelectorAll(`[data-step="${step.job_id}"]`)) {
    element.querySelectorAll("[data-bind=progress]").forEach((bar) => { bar.value = step.progress; });
    element.querySelectorAll("[data-bind=note]").forEach((note) => text(note, step.note));
    if (step.waiting_for) element.querySelectorAll("[data-bind=waiting]").forEach((note) => text(note, step.waiting_for));
  }
}

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

function say(what) {
  for (const element of document.querySelectorAll("[data-live-word]")) text(element, what);
}

let timer = null;
let isFetching = false;
// Whether something happened since the page was asked for that is coming now.
let isStale = false;

function refreshSoon() {
  if (isFetching) isStale = true;
  else timer ??= setTimeout(refresh, REFRESH_MS);
}

/** Fetch the page again and replace its live regions. */
export async function refresh() {
  clearTimeout(timer);
  timer = null;
  if (isFetching) return;
  isFetching = true;
  isStale = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const region of page.querySelectorAll("[data-region]")) replaceWhenFree(region);
  } catch {
    setTimeout(refreshSoon, REFRESH_AGAIN_MS);
  } finally {
    isFetching = false;
    document.dispatchEvent(new Event("darkroom:refreshed"));
    if (isStale) refreshSoon();
  }
}

// What is to be shown of regions that are in use: the newest only.
const newest = new Map();

function replaceWhenFree(fresh) {
  newest.set(fresh.id, fresh);
  const old = document.getElementById(fresh.id);
  if (!old || isSame(old, fresh)) return;
  if (isInUse(old)) {
    setTimeout(() => newest.get(fresh.id) === fresh && replaceWhenFree(fresh), 1000);
    return;
  }
  const open = new Set([...old.querySelectorAll("details[open][data-key]")].map((one) => one.dataset.key));
  for (const details of fresh.querySelectorAll("details[data-key]")) details.open = open.has(details.dataset.key);
  old.replaceChildren(...document.importNode(fresh, true).childNodes);
  if (fresh.dataset.as) old.dataset.as = fresh.dataset.as;
  document.dispatchEvent(new Event("darkroom:refreshed"));
}

/** A region that scripts change, or that holds signed addresses, says in `data-as` what it shows. */
function isSame(old, fresh) {
  return fresh.dataset.as ? old.dataset.as === fresh.dataset.as : old.innerHTML === fresh.innerHTML;
}

function isInUse(region) {
  const selection = document.getSelection();
  const selected = selection && !selection.isCollapsed && region.contains(selection.anchorNode);
  return selected || region.contains(document.activeElement) || region.querySelector(":popover-open, [data-select]:checked") !== null;
}
