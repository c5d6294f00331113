// Times: relative in words, kept up to date; exact on hover in the reader's own zone.

import { language } from "./words.js";

const relative = new Intl.RelativeTimeFormat(language, { numeric: "always" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "long" });
const STEPS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12], ["year", Infinity]];
let ticking = false;

export function keepTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = exact.format(new Date(time.dateTime));
  }
  if (!ticking) {
    ticking = true;
    setInterval(tick, 1000);
  }
}

function tick() {
  if (document.hidden) return;
  const now = Date.now();
  for (const time of document.querySelectorAll("time[datetime]")) {
    const passed = (now - Date.parse(time.dateTime)) / 1000;
    // The server's words stand for the first minute: seconds that count up would only distract.
    if (Math.abs(passed) >= 60) write(time, inWords(passed));
  }
  for (const span of document.querySelectorAll("[data-elapsed-since]")) {
    write(span, elapsed((now - Date.parse(span.dataset.elapsedSince)) / 1000));
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function inWords(seconds) {
  let value = seconds;
  for (const [unit, size] of STEPS) {
    if (Math.abs(value) < size) return relative.format(-Math.round(value), unit);
    value /= size;
  }
  return "";
}

function elapsed(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
