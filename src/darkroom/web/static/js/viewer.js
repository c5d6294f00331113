// The photo viewer: a photo on a stage, and what was found drawn over it.

import { PhotoStage } from "./stage.js";
import { language } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

export function begin(figure) {
  const viewer = new Viewer(figure);
  viewer.listen();
  viewer.fit();
  viewer.load();
}

export class Viewer extends PhotoStage {
  constructor(figure) {
    super(figure);
    this.svg = figure.querySelector("[data-layers]");
    this.loaded = false;
  }

  listen() {
    super.listen();
    this.listenToLayers();
    document.addEventListener("darkroom:refreshed", () => this.loaded || this.load());
  }

  listenToLayers() {
    for (const box of this.figure.querySelectorAll("[data-layer]")) {
      box.addEventListener("change", () => this.showLayer(box));
    }
    const strength = this.figure.querySelector("[data-strength]");
    const apply = () => this.svg.style.setProperty("--strength", strength.value / 100);
    strength.addEventListener("input", apply);
    apply();
  }

  // What was found

  async load() {
    const answer = await fetch(this.figure.dataset.overlays, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const found = await answer.json();
    this.loaded = found.containers.length > 0;
    this.drawAll(found);
    this.figure.dataset.drawn = String(this.loaded);
  }

  drawAll(found) {
    this.draw("estimates", found.estimates.map((one) => this.estimate(one)), sum(found.estimates));
    this.draw("detections", found.detections.map(detection), found.detections.length);
    this.draw("containers", found.containers.flatMap((one) => this.container(one)), found.containers.length);
  }

  draw(name, shapes, count) {
    const layer = element("g", { "data-drawn": name });
    layer.append(...shapes);
    this.svg.querySelector(`[data-drawn=${name}]`)?.remove();
    this.svg.append(layer);
    const box = this.figure.querySelector(`[data-layer=${name}]`);
    this.showLayer(box);
    if (this.loaded) this.showCount(name, count);
  }

  showCount(name, count) {
    const shown = this.figure.querySelector(`[data-layer-count=${name}]`);
    shown.textContent = new Intl.NumberFormat(language).format(count);
  }

  showLayer(box) {
    const layer = this.svg.querySelector(`[data-drawn=${box.dataset.layer}]`);
    if (layer) layer.style.display = box.checked ? "" : "none";
  }

  container(one) {
    const d = path(one.rings);
    const [x, y] = one.rings[0]?.reduce((top, point) => (point[0] + point[1] < top[0] + top[1] ? point : top)) ?? [0, 0];
    const size = Math.max(this.width, this.height) / 45;
    const label = element("text", { class: "shape-label", x: x + size * 0.5, y: y + size * 1.2, "font-size": size, "stroke-width": size / 6 });
    label.textContent = `${one.number} · ${new Intl.NumberFormat(language).format(one.total)}`;
    return [element("path", { class: "shape-container-under", d }), element("path", { class: "shape-container", d }), label];
  }

  estimate(one) {
    return element("path", { class: "shape-estimate", d: path(one.rings), "fill-rule": "evenodd" });
  }
}

function detection([x, y, width, height]) {
  return element("ellipse", { class: "shape-detection", cx: x, cy: y, rx: width / 2, ry: height / 2 });
}

function sum(estimates) {
  return estimates.reduce((total, one) => total + one.count, 0);
}

function path(rings) {
  return rings.map((ring) => `M${ring.map((point) => point.join(" ")).join("L")}Z`).join("");
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
