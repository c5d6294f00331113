// An import: files that are dropped go to the field that takes their kind, and sending says so.

export function begin(form) {
  const area = form.querySelector("[data-import-area]");
  addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    area.classList.add("is-over");
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && area.classList.remove("is-over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("is-over");
    for (const file of event.dataTransfer.files) take(form, file);
  });
  form.addEventListener("submit", () => {
    form.setAttribute("aria-busy", "true");
    // After the form was read: a disabled button is not sent.
    setTimeout(() => { form.querySelector("[type=submit]").disabled = true; });
  });
  // Back on the page by the browser's button.
  addEventListener("pageshow", () => { form.querySelector("[type=submit]").disabled = false; });
}

function take(form, file) {
  const inputs = [...form.querySelectorAll("[data-takes]")];
  const input = inputs.find((one) => one.dataset.takes.split(",").some((kind) => file.name.toLowerCase().endsWith(kind)));
  if (!input) return;
  const files = new DataTransfer();
  files.items.add(file);
  input.files = files.files;
}
