// The keyboard: / searches, g and a letter goes, j and k walk a list, ? helps.

const CHORD_MS = 1200;
let goUntil = 0;

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (handle(event.key)) event.preventDefault();
  });
}

function isTyping(target) {
  return target.closest("input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]") !== null;
}

function handle(key) {
  if (Date.now() < goUntil) {
    goUntil = 0;
    return go(key);
  }
  if (key === "g") {
    goUntil = Date.now() + CHORD_MS;
    return true;
  }
  if (key === "/") return focus(document.querySelector("[data-search]"));
  if (key === "?") return help();
  if (key === "j" || key === "k") return walk(key === "j" ? 1 : -1);
  return press(key);
}

/** What the page itself puts on a key: the first element that is shown and says so. */
function press(key) {
  const wanted = [...document.querySelectorAll(`[data-press="${CSS.escape(key)}"]`)].find((element) => element.checkVisibility());
  wanted?.click();
  return wanted !== undefined;
}

function go(key) {
  const link = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
  link?.click();
  return link !== null;
}

function help() {
  document.getElementById("keys")?.togglePopover?.();
  return true;
}

function walk(by) {
  const items = [...document.querySelectorAll("[data-item]")];
  const at = items.indexOf(document.activeElement);
  return focus(items[at < 0 ? (by > 0 ? 0 : items.length - 1) : at + by]);
}

function focus(element) {
  element?.focus();
  element?.scrollIntoView({ block: "nearest" });
  return Boolean(element);
}
