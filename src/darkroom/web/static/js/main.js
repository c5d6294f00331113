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

// Each is begun where `data-<name>` stands, by the script of its name.
const PARTS = ["selection", "drop", "viewer", "compare", "carousel", "slots", "import", "scenes", "review", "sending"];
const NEW_PARTS = ["map", "pair", "subtitles"];

const begun = [...PARTS, ...NEW_PARTS].map(begin);
if (document.querySelector("[data-live]")) begun.push(import("./live.js").then(({ followAll }) => followAll()));
if (document.querySelector("[data-refresh]")) begun.push(import("./refresh.js").then(({ keepFresh }) => keepFresh()));
document.querySelector("[data-go-on]")?.requestSubmit();
// Who drives a browser sees by this that clicks and keys are heard.
Promise.all(begun).then(() => { document.documentElement.dataset.begun = ""; });

document.addEventListener("darkroom:refreshed", () => {
  NEW_PARTS.forEach(begin);
  keepTimes(document);
  offerCopies(document);
});

async function begin(name) {
  const elements = document.querySelectorAll(`[data-${name}]:not(.is-live)`);
  if (!elements.length) return;
  const part = await import(`./${name}.js`);
  elements.forEach((element) => part.begin(element));
}
