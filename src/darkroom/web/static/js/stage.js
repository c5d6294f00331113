// A photo on a stage: zoom by wheel, pinch or double tap, pan, and the keys for them.

import { language, word } from "./words.js";

const MOST = 16;
const STEP = 1.4;

/** The stage of a figure; what is drawn over the photo is its heirs'. */
export class PhotoStage {
  constructor(figure) {
    this.figure = figure;
    this.stage = figure.querySelector("[data-stage]");
    this.plane = figure.querySelector("[data-plane]");
    this.width = Number(figure.dataset.width);
    this.height = Number(figure.dataset.height);
    this.pointers = new Map();
    figure.classList.add("is-live");
    figure.querySelector("[data-bar]").hidden = false;
    this.stage.style.setProperty("--aspect", `${this.width} / ${this.height}`);
    this.plane.style.width = `${this.width}px`;
    this.plane.style.height = `${this.height}px`;
  }

  listen() {
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.stage.addEventListener("dblclick", (event) => this.doubled(event));
    this.stage.addEventListener("pointerdown", (event) => this.press(event));
    this.stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      this.stage.addEventListener(name, (event) => this.release(event));
    }
    this.stage.addEventListener("keydown", (event) => this.key(event));
    for (const button of this.figure.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.tool(button.dataset.zoom));
    }
    this.listenToScreen();
    new ResizeObserver(() => this.resized()).observe(this.stage);
  }

  listenToScreen() {
    const button = this.figure.querySelector("[data-full]");
    button.hidden = !document.fullscreenEnabled;
    button.addEventListener("click", () => this.fullScreen());
    document.addEventListener("fullscreenchange", () => {
      const full = document.fullscreenElement === this.figure;
      button.setAttribute("aria-label", word(full ? "leaveFullScreen" : "fullScreen"));
    });
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.figure.requestFullscreen();
  }

  // Where the photo is: `scale` screen pixels a photo pixel, its corner at (x, y) of the stage.

  get least() {
    return Math.min(this.stage.clientWidth / this.width, this.stage.clientHeight / this.height);
  }

  fit() {
    this.scale = this.least;
    this.x = this.y = 0;
    this.place();
  }

  resized() {
    if (this.fitted || this.scale < this.least) this.fit();
    else this.place();
  }

  zoomTo(scale, atX, atY) {
    const next = Math.min(Math.max(scale, this.least), Math.max(MOST * this.least, 4));
    this.x = atX - ((atX - this.x) * next) / this.scale;
    this.y = atY - ((atY - this.y) * next) / this.scale;
    this.scale = next;
    this.place();
  }

  place() {
    this.x = inside(this.x, this.stage.clientWidth, this.width * this.scale);
    this.y = inside(this.y, this.stage.clientHeight, this.height * this.scale);
    this.fitted = Math.abs(this.scale - this.least) < 1e-6;
    this.stage.classList.toggle("is-fitted", this.fitted);
    this.plane.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    const percent = new Intl.NumberFormat(language, { style: "percent" }).format(this.scale);
    this.figure.querySelector("[data-zoom-now]").textContent = percent;
  }

  tool(what) {
    if (what === "fit") return this.fit();
    const factor = what === "in" ? STEP : 1 / STEP;
    return this.zoomTo(this.scale * factor, this.stage.clientWidth / 2, this.stage.clientHeight / 2);
  }

  wheel(event) {
    // Over a photo at rest the wheel scrolls the page; it zooms once the photo has the focus.
    const meant = event.ctrlKey || document.activeElement === this.stage || !this.fitted;
    if (!meant || (this.fitted && event.deltaY > 0 && !event.ctrlKey)) return;
    event.preventDefault();
    const [x, y] = this.point(event);
    this.zoomTo(this.scale * Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), x, y);
  }

  doubled(event) {
    const [x, y] = this.point(event);
    if (this.fitted) this.zoomTo(this.scale * 3, x, y);
    else this.fit();
  }

  point(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  press(event) {
    if (event.button > 0) return;
    this.pointers.set(event.pointerId, this.point(event));
    this.stage.setPointerCapture(event.pointerId);
    this.stage.classList.add("is-held");
  }

  drag(event) {
    if (!this.pointers.has(event.pointerId)) return;
    const before = this.grip();
    this.pointers.set(event.pointerId, this.point(event));
    const after = this.grip();
    this.x += after.x - before.x;
    this.y += after.y - before.y;
    if (this.pointers.size > 1) this.zoomTo(this.scale * (after.spread / before.spread), after.x, after.y);
    else this.place();
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.stage.classList.remove("is-held");
  }

  /** The middle of the fingers, and how far they are apart. */
  grip() {
    const points = [...this.pointers.values()];
    const x = points.reduce((sum, point) => sum + point[0], 0) / points.length;
    const y = points.reduce((sum, point) => sum + point[1], 0) / points.length;
    const spread = points.length < 2 ? 1 : Math.hypot(points[0][0] - points[1][0], points[0][1] - points[1][1]) || 1;
    return { x, y, spread };
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const move = moves[event.key];
    if (move && !this.fitted) this.pan(...move);
    else if (event.key === "+" || event.key === "=") this.tool("in");
    else if (event.key === "-") this.tool("out");
    else if (event.key === "0") this.tool("fit");
    else if (event.key === "f") this.fullScreen();
    else return;
    event.preventDefault();
  }

  pan(right, down) {
    this.x += right * this.stage.clientWidth * 0.15;
    this.y += down * this.stage.clientHeight * 0.15;
    this.place();
  }
}

/** Keep a photo of `size` over a window of `room`: centred when smaller, without gaps when larger. */
function inside(at, room, size) {
  return size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, at));
}
