// Variants side by side: a finger swipes from one to the next, as the browser does it; arrow keys and
// the names above lead there, too. Each can be looked into, and held to see the photo it was made of.

import { PhotoStage } from "./stage.js";

const HOLD_MS = 180;
const STILL = 8;

export function begin(list) {
  const carousel = new Carousel(list);
  carousel.listen();
  carousel.look();
}

class Carousel {
  constructor(list) {
    this.list = list;
    this.nav = document.querySelector("[data-carousel-nav]");
  }

  listen() {
    this.list.addEventListener("scroll", () => this.mark(), { passive: true });
    this.nav.addEventListener("click", (event) => this.follow(event));
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("darkroom:refreshed", () => this.look());
  }

  /** Begin what is new: a variant that has just been made. */
  look() {
    for (const figure of this.list.querySelectorAll("[data-held]:not(.is-live)")) hold(figure);
    this.mark();
  }

  get slides() {
    return [...this.list.children].filter((slide) => slide.offsetWidth);
  }

  get at() {
    const places = this.slides.map((slide) => Math.abs(slide.offsetLeft - this.list.offsetLeft - this.list.scrollLeft));
    return places.indexOf(Math.min(...places));
  }

  go(index) {
    const slide = this.slides[index];
    if (!slide) return;
    this.list.scrollTo({ left: slide.offsetLeft - this.list.offsetLeft, behavior: "smooth" });
  }

  mark() {
    const id = this.slides[this.at]?.id;
    for (const link of this.nav.querySelectorAll("a")) {
      if (link.hash === `#${id}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  follow(event) {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    this.go(this.slides.findIndex((slide) => `#${slide.id}` === link.hash));
  }

  // A stage that is zoomed takes the arrows for itself.

  key(event) {
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!turn || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, :popover-open")) return;
    event.preventDefault();
    this.go(this.at + turn);
  }
}

function hold(figure) {
  const stage = new HeldStage(figure);
  stage.listen();
  stage.fit();
}

class HeldStage extends PhotoStage {
  constructor(figure) {
    super(figure);
    this.photo = figure.querySelector("[data-before]");
    this.button = figure.querySelector("[data-hold]");
    this.side = figure.querySelector("[data-held-side]");
  }

  listen() {
    super.listen();
    // A long press is ours.
    this.stage.addEventListener("contextmenu", (event) => event.preventDefault());
    if (!this.photo) return;
    this.button.addEventListener("pointerdown", () => this.show(true));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      this.button.addEventListener(name, () => this.show(false));
    }
    // From the keyboard it cannot be held.
    this.button.addEventListener("click", (event) => event.detail === 0 && this.turn());
  }

  press(event) {
    super.press(event);
    this.from = this.point(event);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.pointers.size === 1 && this.show(true), HOLD_MS);
  }

  drag(event) {
    super.drag(event);
    if (!this.pointers.has(event.pointerId)) return;
    const [x, y] = this.point(event);
    if (Math.hypot(x - this.from[0], y - this.from[1]) > STILL) clearTimeout(this.waiting);
  }

  release(event) {
    super.release(event);
    clearTimeout(this.waiting);
    this.show(false);
  }

  key(event) {
    if (event.key === "o" && !event.ctrlKey && !event.metaKey && !event.altKey) this.turn();
    else super.key(event);
  }

  turn() {
    this.show(this.figure.dataset.shown === "after");
  }

  /** Show the photo instead of the variant: its small picture first, then the whole. */
  show(before) {
    if (!this.photo) return;
    if (before && this.photo.dataset.whole !== this.photo.getAttribute("src")) this.fetchWhole();
    this.figure.dataset.shown = before ? "before" : "after";
    this.button.setAttribute("aria-pressed", String(before));
    this.side.hidden = !before;
  }

  fetchWhole() {
    const whole = new Image();
    whole.addEventListener("load", () => { this.photo.src = whole.src; }, { once: true });
    whole.src = this.photo.dataset.whole;
  }
}
