// What two counts found on one photo: one left of a line that can be moved, the other right of it.

import { language } from "./words.js";
import { Viewer } from "./viewer.js";
import { withCut } from "./cut.js";

export function begin(figure) {
  const viewer = new CompareViewer(figure);
  viewer.listen();
  viewer.fit();
  viewer.load();
}

class CompareViewer extends withCut(Viewer) {
  constructor(figure) {
    super(figure);
    this.sides = [this.svg, figure.querySelector("[data-layers-other]")];
    this.counts = {};
  }

  listenToLayers() {
    super.listenToLayers();
    const strength = this.figure.querySelector("[data-strength]");
    const apply = () => this.sides[1].style.setProperty("--strength", strength.value / 100);
    strength.addEventListener("input", apply);
    apply();
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
