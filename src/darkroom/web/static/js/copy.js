// Copy buttons, where the browser lets a page write to the clipboard.

import { word } from "./words.js";

export function offerCopies(root) {
  for (const input of root.querySelectorAll("[data-select-all]")) {
    input.addEventListener("focus", () => input.select());
  }
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy][hidden]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

async function copy(button) {
  const source = document.querySelector(button.dataset.copy);
  await navigator.clipboard.writeText(source.value ?? source.textContent);
  button.querySelector("span").textContent = word("copied");
}
