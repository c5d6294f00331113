// Begins what the page asks for by its attributes. Every page works without this.

import { keepTimes } from "./times.js";
import { listenToKeys } from "./keys.js";
import { offerCopies } from "./copy.js";
import { switchTheme } from "./theme.js";

switchTheme();
keepTimes(document);
listenToKeys();
offerCopies(document);
// On a phone the tabs are wider than the screen.
for (const here of document.querySelectorAll(":is(.console-nav, .sub-nav, .nav-tabs-low) [aria-current]")) {
  here.parentElement.scrollLeft = here.offsetLeft - (here.parentElement.clientWidth - here.offsetWidth) / 2;
}
for (const form of document.querySelectorAll("[data-filters]")) {
  form.addEventListener("change", (event) => event.target.matches("select") && form.requestSubmit());
}

if (document.querySelector("[data-live]")) import("./live.js").then(({ followAll }) => followAll());
if (document.querySelector("[data-refresh]")) import("./refresh.js").then(({ keepFresh }) => keepFresh());
if (document.querySelector("[data-selection]")) import("./selection.js").then(({ begin }) => document.querySelectorAll("[data-selection]").forEach(begin));
document.querySelector("[data-go-on]")?.requestSubmit();
if (document.querySelector("[data-drop]")) import("./drop.js").then(({ begin }) => document.querySelectorAll("[data-drop]").forEach(begin));
if (document.querySelector("[data-viewer]")) import("./viewer.js").then(({ begin }) => document.querySelectorAll("[data-viewer]").forEach(begin));
if (document.querySelector("[data-compare]")) import("./compare.js").then(({ begin }) => document.querySelectorAll("[data-compare]").forEach(begin));
if (document.querySelector("[data-carousel]")) import("./carousel.js").then(({ begin }) => document.querySelectorAll("[data-carousel]").forEach(begin));
if (document.querySelector("[data-slots]")) import("./slots.js").then(({ begin }) => document.querySelectorAll("[data-slots]").forEach(begin));
if (document.querySelector("[data-import]")) import("./import.js").then(({ begin }) => document.querySelectorAll("[data-import]").forEach(begin));
if (document.querySelector("[data-scenes]")) import("./scenes.js").then(({ begin }) => document.querySelectorAll("[data-scenes]").forEach(begin));
showMaps();
showPairs();
editCues();

if (document.querySelector("[data-review]")) import("./review.js").then(({ begin }) => document.querySelectorAll("[data-review]").forEach(begin));

if (document.querySelector("[data-sending]")) import("./sending.js").then(({ begin }) => document.querySelectorAll("[data-sending]").forEach(begin));

document.addEventListener("darkroom:refreshed", () => {
  showMaps();
  showPairs();
  editCues();
  keepTimes(document);
  offerCopies(document);
});

function showPairs() {
  if (!document.querySelector("[data-pair]")) return;
  import("./pair.js").then(({ begin }) => document.querySelectorAll("[data-pair]:not(.is-live)").forEach(begin));
}

function editCues() {
  const desks = document.querySelectorAll("[data-subtitles]");
  if (desks.length) import("./subtitles.js").then(({ begin }) => desks.forEach(begin));
}

function showMaps() {
  const maps = document.querySelectorAll("[data-map]");
  if (maps.length) import("./map.js").then(({ begin }) => maps.forEach(begin));
}
