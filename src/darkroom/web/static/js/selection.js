// Rows that are selected, and the buttons that do something to them.
//
// The list may be replaced at any time, so that the form listens and not the rows.

import { word } from "./words.js";

export function begin(form) {
  form.addEventListener("change", (event) => changed(form, event.target));
  form.addEventListener("click", (event) => clicked(form, event));
  document.addEventListener("darkroom:refreshed", () => show(form));
  show(form);
}

function boxes(form) {
  return [...form.querySelectorAll("[data-select]")];
}

function changed(form, target) {
  if (target.matches("[data-select-all]")) boxes(form).forEach((box) => { box.checked = target.checked; });
  if (target.matches("[data-select], [data-select-all]") && boxes(form).some((box) => box.checked)) {
    form.querySelector("[data-scope=selected]").checked = true;
  }
  show(form);
}

function clicked(form, event) {
  if (event.target.closest("[data-select-none]")) {
    boxes(form).forEach((box) => { box.checked = false; });
    // A list that has the focus is not replaced.
    if (form.contains(document.activeElement)) document.activeElement.blur();
    form.dispatchEvent(new Event("change", { bubbles: true }));
  }
  if (event.target.closest("[data-select-this]")) toggleFocused(form);
}

/** The row that has the keyboard: its box is ticked or cleared. */
function toggleFocused(form) {
  const row = document.activeElement.closest("[data-row]");
  if (row && form.contains(row)) row.querySelector("[data-select]")?.click();
}

function show(form) {
  const all = boxes(form);
  const count = all.filter((box) => box.checked).length;
  const everything = form.querySelector("[data-scope=all]")?.checked;
  const header = form.querySelector("[data-select-all]");
  if (header) {
    header.checked = count > 0 && count === all.length;
    header.indeterminate = count > 0 && count < all.length;
  }
  form.querySelectorAll("[data-selected-count]").forEach((element) => { element.textContent = word("selected", { count }); });
  form.querySelectorAll("[data-needs-selection]").forEach((button) => { button.disabled = count === 0 && !everything; });
  form.classList.toggle("has-selection", count > 0 || Boolean(everything));
}
