// A line over a photo that can be moved: one thing is shown left of it, another right of it.

const WHOLE = { one: 100, other: 0 };
const MIDDLE = 50;

/** A stage with such a line; its `sides` are the two things that are cut. */
export const withCut = (Stage) => class extends Stage {
  constructor(figure) {
    super(figure);
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

  /** Show the one left of `cut` percent of the stage, and the other right of it. */
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
};
