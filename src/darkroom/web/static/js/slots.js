// The slots of a batch: dragged by their handle, or moved by their buttons, without a page load.

import { language } from "./words.js";

export function begin(list) {
  const slots = new Slots(list);
  slots.listen();
  slots.show();
}

class Slots {
  constructor(list) {
    this.list = list;
    this.form = list.closest("form");
    this.most = this.form.querySelector("[data-most-previews]");
    this.price = this.form.querySelector("[data-batch-usd]");
  }

  listen() {
    this.list.addEventListener("click", (event) => this.click(event));
    this.form.addEventListener("change", () => this.show());
    for (const handle of this.list.querySelectorAll("[data-handle]")) {
      handle.hidden = false;
      handle.addEventListener("pointerdown", (event) => this.take(event));
      handle.addEventListener("pointermove", (event) => handle.hasPointerCapture(event.pointerId) && this.drag(event));
      handle.addEventListener("lostpointercapture", () => this.drop());
    }
  }

  get slots() {
    return [...this.list.querySelectorAll("[data-slot]")];
  }

  click(event) {
    const button = event.target.closest("button");
    const slot = button?.closest("[data-slot]");
    if (!slot) return;
    event.preventDefault();
    if (button.matches("[data-remove]")) slot.remove();
    else this.move(slot, Number(button.dataset.move));
    this.show();
    // Moving an element takes the focus from it.
    if (button.isConnected) button.focus();
  }

  move(slot, by) {
    const other = by < 0 ? slot.previousElementSibling : slot.nextElementSibling;
    if (other) other[by < 0 ? "before" : "after"](slot);
  }

  take(event) {
    this.taken = event.target.closest("[data-slot]");
    this.taken.classList.add("is-held");
    event.target.closest("[data-handle]").setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  /** The one that is held changes places with the one whose middle the finger has passed. */
  drag(event) {
    const middle = (slot) => slot.getBoundingClientRect().top + slot.offsetHeight / 2;
    const { previousElementSibling: above, nextElementSibling: below } = this.taken;
    const by = above && event.clientY < middle(above) ? -1 : below && event.clientY > middle(below) ? 1 : 0;
    if (!by) return;
    // The neighbour moves: moving the held one would end its capture.
    (by < 0 ? above : below).remove();
    this.taken[by < 0 ? "after" : "before"](by < 0 ? above : below);
  }

  drop() {
    this.taken?.classList.remove("is-held");
    this.show();
  }

  /** Which are made at all, and what the batch costs. */
  show() {
    const most = Number(this.most.value);
    let sum = 0;
    this.slots.forEach((slot, at) => {
      slot.classList.toggle("is-left", at >= most);
      if (at < most) sum += Number(slot.querySelector("[data-provider]").selectedOptions[0].dataset.usd);
    });
    this.price.textContent = new Intl.NumberFormat(language, {
      style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", maximumFractionDigits: 4,
    }).format(sum);
  }
}
