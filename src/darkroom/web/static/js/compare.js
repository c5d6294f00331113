// What two counts found on one photo: one left of a line that can be moved, the other right of it.

import { language } from "./words.js";
import { Viewer } from "./viewer.js";

const WHOLE = { one: 100, other: 0 };
const MIDDLE = 50;

export function begin(figure) {
  const viewer = new CompareViewer(figure);
  viewer.listen();
  viewer.fit();
  viewer.load();
}

class CompareViewer extends Viewer {
  constructor(figure) {
    super(figure);
    this.sides = [this.svg, figure.querySelector("[data-layers-other]")];
    this.counts = {};
    this.line = figure.querySelector("[data-line]");
    this.range = figure.querySelector("[data-cut]");
    this.cut = MIDDLE;
  }

  listen() {
    super.listen();
    this.range.addEventListener("input", () => this.moveTo(Number(this.range.value)));
    for (const choice of this.figure.querySelectorAll("[data-shown]")) {
      choice.addEventListener("change", () => this.moveTo(WHOLE[choice.dataset.shown] ?? Number(this.range.value), choice.dataset.shown));
    }
    this.line.addEventListener("pointerdown", (event) => this.take(event));
    this.line.addEventListener("pointermove", (event) => this.line.hasPointerCapture(event.pointerId) && this.follow(event));
    this.range.hidden = false;
  }

  listenToLayers() {
    super.listenToLayers();
    const strength = this.figure.querySelector("[data-strength]");
    const apply = () => this.sides[1].style.setProperty("--strength", strength.value / 100);
    strength.addEventListener("input", apply);
    apply();
  }

  // The line is taken before the stage hears of it, which would move the photo.

  take(event) {
    event.stopPropagation();
    this.line.setPointerCapture(event.pointerId);
  }

  follow(event) {
    event.stopPropagation();
    const [x] = this.point(event);
    this.moveTo(Math.min(Math.max((100 * x) / this.stage.clientWidth, 0), 100));
  }

  /** Show the one count left of `cut` percent of the stage, and the other right of it. */
  moveTo(cut, shown = "both") {
    this.cut = cut;
    if (shown === "both") this.range.value = String(cut);
    this.figure.querySelector(`[data-shown=${shown}]`).checked = true;
    this.figure.dataset.sides = shown;
    this.place();
  }

  place() {
    super.place();
    const at = (this.cut / 100) * this.stage.clientWidth;
    const share = (100 * (at - this.x)) / (this.width * this.scale);
    const left = Math.min(Math.max(share, 0), 100);
    this.sides[0].style.clipPath = `inset(0 ${100 - left}% 0 0)`;
    this.sides[1].style.clipPath = `inset(0 0 0 ${left}%)`;
    this.line.style.left = `${at}px`;
  }

  // What was found

  async load() {
    const { overlays, overlaysOther } = this.figure.dataset;
    const answers = await Promise.all(
      [overlays, overlaysOther].map((url) => fetch(url, { headers: { Accept: "application/json" } })),
    );
    if (!answers.every((answer) => answer.ok)) return;
    const found = await Promise.all(answers.map((answer) => answer.json()));
    this.loaded = found.every((one) => one.containers.length > 0);
    found.forEach((one, side) => this.drawSide(one, side));
    this.figure.dataset.drawn = String(this.loaded);
  }

  drawSide(found, side) {
    this.svg = this.sides[side];
    this.side = side;
    this.drawAll(found);
    this.svg = this.sides[0];
  }

  showCount(name, count) {
    this.counts[name] ??= ["–", "–"];
    this.counts[name][this.side] = new Intl.NumberFormat(language).format(count);
    this.figure.querySelector(`[data-layer-count=${name}]`).textContent = this.counts[name].join(" · ");
  }

  showLayer(box) {
    for (const svg of this.sides ?? []) {
      const layer = svg.querySelector(`[data-drawn=${box.dataset.layer}]`);
      if (layer) layer.style.display = box.checked ? "" : "none";
    }
  }
}
