// The review of a photo: add, remove and move plants by click, touch or keys; totals; undo.

import { Model, Outbox, newKey } from "./review-model.js";
import { paint } from "./review-paint.js";
import { PhotoStage } from "./stage.js";
import { language, word } from "./words.js";

const SLOP = 6;
const SLOP_TOUCH = 12;
const REACH = 9;
const REACH_TOUCH = 20;
const STEP = 24;
const FINE_STEP = 4;
const SIZE_STEP = 1.15;
const TOO_NEAR = 0.3;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function begin(figure) {
  const review = new Review(figure);
  review.listen();
  review.fit();
  review.load();
}

class Review extends PhotoStage {
  constructor(figure) {
    super(figure);
    this.canvas = figure.querySelector("[data-canvas]");
    this.form = document.querySelector("[data-review-form]");
    this.said = figure.querySelector("[data-said]");
    this.outbox = new Outbox(figure.dataset.token, {
      changed: () => this.tellSaved(),
      refused: (message) => this.refused(message),
    });
    this.model = new Model({ containers: [], plants: [], corrections: [], undone: [] });
    this.size = 1;
    this.reach = REACH;
    this.busy = this.isBusy();
    this.setMode("look");
  }

  listen() {
    super.listen();
    this.stage.addEventListener("focus", () => this.paintSoon());
    this.stage.addEventListener("blur", () => this.paintSoon());
    this.stage.addEventListener("pointerleave", () => this.hover(null));
    for (const button of this.figure.querySelectorAll("[data-mode]")) button.addEventListener("click", () => this.setMode(button.dataset.mode));
    for (const button of this.figure.querySelectorAll("[data-turn]")) button.addEventListener("click", () => this.turn(button.dataset.turn));
    for (const button of this.figure.querySelectorAll("[data-size]")) button.addEventListener("click", () => this.resize(button.dataset.size));
    this.form.addEventListener("change", (event) => this.entered(event.target));
    this.form.addEventListener("click", (event) => this.clicked(event.target.closest("button")));
    this.form.addEventListener("submit", (event) => this.submitted(event));
    document.addEventListener("keydown", (event) => this.pressed(event));
    document.addEventListener("darkroom:refreshed", () => this.refreshed());
    addEventListener("beforeunload", (event) => this.outbox.isEmpty || event.preventDefault());
  }

  async load() {
    const answer = await fetch(this.figure.dataset.state, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return this.say(word("offline"));
    this.model = new Model(await answer.json());
    this.figure.dataset.drawn = "true";
    this.show();
  }

  isBusy() {
    return this.figure.hasAttribute("data-readonly") || document.querySelector("#review-now .now") !== null;
  }

  /** The page was fetched anew: corrections are being applied, or have been. */
  refreshed() {
    const before = this.busy;
    this.busy = this.isBusy();
    if (before && !this.busy) this.load();
    else this.show();
  }

  // What is done to a plant

  make(correction) {
    if (this.busy) return this.say(this.figure.hasAttribute("data-readonly") ? "" : word("reviewBusy"));
    const whole = { key: newKey(), ...correction };
    this.model.make(whole);
    this.outbox.push(this.figure.dataset.corrections, whole);
    this.show();
  }

  turn(what) {
    if (this.busy) return;
    const one = this.model.turn(what);
    if (one) this.outbox.push(this.figure.dataset[what], { key: one.key });
    this.show();
  }

  act(point) {
    const [x, y] = this.onPhoto(point);
    if (this.mode === "add") this.add(x, y);
    else if (this.mode === "remove") this.remove(x, y);
    else if (this.mode === "move") this.pickOrPut(x, y);
  }

  add(x, y) {
    if (!this.isOn(x, y)) return this.say(word("reviewOutside"));
    const plant = this.ghostAt(x, y);
    const near = this.model.plantAt(x, y, 0);
    if (near && Math.hypot(near.x - x, near.y - y) < TOO_NEAR * Math.min(near.width, near.height)) return this.say(word("reviewTwice"));
    this.make({ action: "add", ...rounded(plant) });
  }

  remove(x, y) {
    const plant = this.plantAt(x, y);
    if (!plant) return this.say(word("reviewNothing"));
    this.make({ action: "remove", plant: plant.key });
  }

  pickOrPut(x, y) {
    if (!this.picked) {
      this.picked = this.plantAt(x, y);
      if (!this.picked) this.say(word("reviewNothing"));
      else this.say(word("reviewPicked"));
      return this.paintSoon();
    }
    this.put(this.picked, x, y);
  }

  put(plant, x, y) {
    this.picked = null;
    if (!this.isOn(x, y)) this.say(word("reviewOutside"));
    else this.make({ action: "move", plant: plant.key, ...rounded({ ...plant, x, y }) });
    this.paintSoon();
  }

  plantAt(x, y) {
    return this.model.plantAt(x, y, this.reach / this.scale);
  }

  /** Whether a plant may stand there: on the photo, with a container to count with. */
  isOn(x, y) {
    return x >= 0 && y >= 0 && x <= this.width && y <= this.height && this.model.containers.length > 0;
  }

  ghostAt(x, y) {
    const [width, height] = this.model.sizeAt(x, y);
    return { x, y, width: Math.min(width * this.size, this.width), height: Math.min(height * this.size, this.height) };
  }

  resize(what) {
    this.size = Math.min(Math.max(this.size * (what === "larger" ? SIZE_STEP : 1 / SIZE_STEP), 0.2), 5);
    this.say(word("reviewSize", { size: new Intl.NumberFormat(language, { style: "percent" }).format(this.size) }));
    this.paintSoon();
  }

  setMode(mode) {
    this.mode = mode;
    this.picked = null;
    for (const button of this.figure.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    this.figure.querySelector("[data-sizes]").hidden = mode !== "add";
    this.stage.dataset.mode = mode;
    this.paintSoon();
  }

  // Pointers: a tap does what the mode says, a drag pans (or, in the mode for it, moves a plant)

  press(event) {
    const isTouch = event.pointerType === "touch";
    this.reach = isTouch ? REACH_TOUCH : REACH;
    super.press(event);
    this.stage.focus({ preventScroll: true });
    this.down = { at: this.point(event), slop: isTouch ? SLOP_TOUCH : SLOP, isTap: this.pointers.size === 1 };
    if (this.pointers.size > 1) this.held = null;
    else if (this.mode === "move") this.held = this.plantAt(...this.onPhoto(this.down.at));
    this.cross = null;
  }

  drag(event) {
    if (!this.pointers.has(event.pointerId)) return this.hover(this.point(event));
    const [x, y] = this.point(event);
    if (this.down.isTap && Math.hypot(x - this.down.at[0], y - this.down.at[1]) < this.down.slop) return;
    this.down.isTap = false;
    if (this.held) {
      const [toX, toY] = this.onPhoto([x, y]);
      this.ghost = { ...this.held, x: toX, y: toY };
      return this.paintSoon();
    }
    super.drag(event);
  }

  release(event) {
    if (!this.pointers.has(event.pointerId)) return;
    const ended = event.type === "pointerup";
    super.release(event);
    const { held, ghost } = this;
    this.held = null;
    if (ended && this.down.isTap) this.act(this.down.at);
    else if (ended && held && ghost) this.put(held, ghost.x, ghost.y);
    this.ghost = null;
    this.paintSoon();
  }

  doubled(event) {
    if (this.mode === "look") super.doubled(event);
  }

  hover(point) {
    this.pointer = point;
    this.paintSoon();
  }

  onPhoto([x, y]) {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  // Keys: arrows move a cross over the photo, Enter acts there

  key(event) {
    const arrow = ARROWS[event.key];
    if (arrow && !event.ctrlKey && !event.metaKey && !event.altKey) this.moveCross(arrow, event.shiftKey ? FINE_STEP : STEP);
    else if ((event.key === "Enter" || event.key === " ") && this.cross) this.act(this.onStage(this.cross));
    else if (event.key === "Escape" && this.picked) this.setMode(this.mode);
    else return super.key(event);
    event.preventDefault();
  }

  moveCross([right, down], step) {
    const from = this.cross ?? this.onPhoto([this.stage.clientWidth / 2, this.stage.clientHeight / 2]);
    const to = [from[0] + (right * step) / this.scale, from[1] + (down * step) / this.scale];
    this.cross = [Math.min(Math.max(to[0], 0), this.width), Math.min(Math.max(to[1], 0), this.height)];
    this.pointer = null;
    this.reach = REACH;
    const [x, y] = this.onStage(this.cross);
    this.x += Math.max(0, STEP - x) - Math.max(0, x - this.stage.clientWidth + STEP);
    this.y += Math.max(0, STEP - y) - Math.max(0, y - this.stage.clientHeight + STEP);
    this.place();
  }

  onStage([x, y]) {
    return [x * this.scale + this.x, y * this.scale + this.y];
  }

  pressed(event) {
    if (event.defaultPrevented || event.altKey || event.target.closest("input, textarea, select")) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") this.turn(event.shiftKey ? "redo" : "undo");
      else if (key === "y") this.turn("redo");
      else return;
    } else if (key === "n" || key === "p") this.nextContainer(key === "n" ? 1 : -1);
    else return;
    event.preventDefault();
  }

  nextContainer(by) {
    const { containers } = this.model;
    if (!containers.length) return;
    const at = containers.findIndex((one) => one.id === this.shown);
    this.showContainer(containers.at((at + by + (at < 0 && by < 0 ? 1 : 0) + containers.length) % containers.length).id);
  }

  showContainer(id) {
    const one = this.model.containers.find((container) => container.id === id);
    const points = one?.rings.flat() ?? [];
    if (!points.length) return;
    this.shown = id;
    const [left, right] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))];
    const [top, bottom] = [Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))];
    const { clientWidth, clientHeight } = this.stage;
    this.scale = Math.max(this.least, 0.94 * Math.min(clientWidth / (right - left), clientHeight / (bottom - top)));
    this.x = clientWidth / 2 - ((left + right) / 2) * this.scale;
    this.y = clientHeight / 2 - ((top + bottom) / 2) * this.scale;
    this.place();
    this.say(word("reviewContainer", { number: one.number }));
  }

  // The form: totals are corrections like any other

  entered(input) {
    const id = Number(input.closest("[data-container]")?.dataset.container);
    if (!id || !input.matches(".review-total")) return;
    if (input.value.trim() === "" || !input.checkValidity()) return this.show();
    this.make({ action: "total", container: id, total: Number(input.value) });
  }

  clicked(button) {
    if (button?.dataset.show) this.showContainer(Number(button.dataset.show));
    if (button?.dataset.accept) this.make({ action: "accept", container: Number(button.dataset.accept) });
  }

  /** Saving waits for what is still on its way. */
  submitted(event) {
    if (this.outbox.isEmpty) return;
    event.preventDefault();
    this.submitter = event.submitter;
    this.say(word("reviewSending"));
  }

  refused(message) {
    this.submitter = null;
    this.load().then(() => this.say(message ?? word("offline")));
  }

  tellSaved() {
    this.form.ariaBusy = String(!this.outbox.isEmpty);
    if (!this.outbox.isEmpty) return this.say(this.outbox.tries > 1 ? word("offline") : "");
    if (this.submitter) this.form.requestSubmit(this.submitter);
  }

  // What is shown

  show() {
    for (const container of this.model.containers) this.showRow(container);
    for (const [name, list] of [["undo", this.model.done], ["redo", this.model.undone]]) {
      this.figure.querySelector(`[data-turn=${name}]`).disabled = this.busy || !list.length;
    }
    for (const button of this.form.querySelectorAll("[data-save]")) button.disabled = this.busy;
    this.form.querySelector("[value=save]").hidden = !this.model.done.length;
    this.form.querySelector("[data-sum]").textContent = this.summary();
    this.form.querySelector("[data-save-word]").textContent = word(this.model.done.length ? "reviewSave" : "reviewAccept");
    this.paintSoon();
  }

  summary() {
    const sums = Object.entries(this.model.sums()).filter(([, count]) => count);
    if (!sums.length) return "";
    const changes = sums.map(([name, count]) => word(`review${name}`, { count: new Intl.NumberFormat(language).format(count) }));
    return word("reviewSum", { changes: changes.join(", ") });
  }

  showRow(container) {
    const row = this.form.querySelector(`[data-container="${container.id}"]`);
    if (!row) return;
    const said = this.model.totals.get(container.id);
    const input = row.querySelector(".review-total");
    // Here totals are drafts of their own; the form must not send them again.
    input.removeAttribute("name");
    input.disabled = this.busy;
    if (document.activeElement !== input || said) input.value = this.model.totalOf(container);
    row.classList.toggle("is-changed", said !== undefined || Boolean(this.model.changes.get(container.id)));
    row.querySelector("[data-seen]").textContent = new Intl.NumberFormat(language).format(container.detected + (this.model.changes.get(container.id) ?? 0));
    const accept = row.querySelector("[data-accept]");
    accept.hidden = false;
    accept.disabled = this.busy;
    accept.setAttribute("aria-pressed", String(Boolean(said?.accepted)));
  }

  say(text) {
    this.said.textContent = text;
  }

  place() {
    super.place();
    this.paintSoon();
  }

  paintSoon() {
    this.painting ??= requestAnimationFrame(() => {
      this.painting = null;
      const view = { scale: this.scale, x: this.x, y: this.y, width: this.stage.clientWidth, height: this.stage.clientHeight };
      paint(this.canvas, view, this.model, this.marks());
    });
  }

  /** What a click would do now, where it would. */
  marks() {
    const cross = this.cross && document.activeElement === this.stage ? this.cross : null;
    const at = cross ?? (this.pointer && this.onPhoto(this.pointer));
    if (this.ghost) return { ghost: this.ghost, target: null, cross };
    if (this.picked) return { ghost: at && { ...this.picked, x: at[0], y: at[1] }, target: this.picked, cross };
    if (!at || this.busy || this.mode === "look") return { cross };
    if (this.mode === "add") return { ghost: this.isOn(...at) ? this.ghostAt(...at) : null, cross };
    return { target: this.plantAt(...at), cross };
  }
}

function rounded({ x, y, width, height }) {
  const tenths = (value) => Math.round(value * 10) / 10;
  return { x: tenths(x), y: tenths(y), width: tenths(width), height: tenths(height) };
}
