// The page's texts in the reader's language, put into the page by the server.

const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");

/** The text of that name with its {places} filled in. */
export function word(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (place, key) => values[key] ?? place);
}

export const language = document.documentElement.lang || "en";

/** Bytes as people read them. */
export function fileSize(bytes) {
  const unit = bytes < 1e6 ? "kilobyte" : "megabyte";
  const size = bytes / (bytes < 1e6 ? 1e3 : 1e6);
  return new Intl.NumberFormat(language, {
    style: "unit", unit, unitDisplay: "short", maximumFractionDigits: size < 10 ? 1 : 0,
  }).format(size);
}
