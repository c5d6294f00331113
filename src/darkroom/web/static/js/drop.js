// The drop zone: drag, choose, paste or photograph; look at the photos, then send them with progress.

import { fileSize, word } from "./words.js";

const TYPES = new Set(["image/jpeg", "image/png", "image/webp"]);

export function begin(form) {
  const zone = new DropZone(form);
  zone.listen();
  // Chosen before this script had come, or kept by the browser on the way back.
  zone.take(zone.input);
  zone.take(zone.camera);
}

class DropZone {
  constructor(form) {
    this.form = form;
    this.photos = [];
    this.area = form.querySelector("[data-drop-area]");
    this.input = form.querySelector("[data-drop-input]");
    this.camera = form.querySelector("[data-camera-input]");
    this.list = form.querySelector("[data-drop-files]");
    this.problem = form.querySelector("[data-drop-problem]");
    this.button = form.querySelector("[data-drop-submit]");
    this.sum = form.querySelector("[data-drop-sum]");
    this.maxBytes = Number(form.dataset.maxBytes);
    this.maxPhotos = Number(form.dataset.maxPhotos);
  }

  listen() {
    this.form.classList.add("is-scripted");
    this.input.required = false;
    this.form.querySelector("[data-paste-hint]").hidden = false;
    this.form.querySelector("[data-camera]").hidden = !matchMedia("(pointer: coarse)").matches;
    for (const input of [this.input, this.camera]) {
      input.addEventListener("change", () => this.take(input));
    }
    this.listenToDrops();
    addEventListener("paste", (event) => this.add(event.clipboardData?.files ?? []));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  listenToDrops() {
    const over = (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      this.area.classList.add("is-over");
    };
    const leave = (event) => event.relatedTarget === null && this.area.classList.remove("is-over");
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", (event) => {
      event.preventDefault();
      this.area.classList.remove("is-over");
      this.add(event.dataTransfer.files);
    });
  }

  take(input) {
    this.add(input.files);
    input.value = "";
  }

  add(files) {
    if (this.sending) return;
    // Where one photo is taken, the next takes its place.
    if (this.maxPhotos === 1 && files.length) this.photos = [];
    for (const file of files) {
      const twice = this.photos.some((one) => one.file.name === file.name && one.file.size === file.size && one.file.lastModified === file.lastModified);
      if (!twice) this.photos.push(this.row(file));
    }
    this.show();
  }

  row(file) {
    const photo = { file, wrong: this.wrongWith(file), item: document.createElement("li") };
    photo.item.className = `drop-file${photo.wrong ? " is-wrong" : ""}`;
    photo.item.append(this.preview(photo), this.about(photo), this.state(photo), this.remove(photo));
    return photo;
  }

  wrongWith(file) {
    if (file.type && !TYPES.has(file.type)) return word("notAPhoto");
    if (file.size === 0) return word("empty");
    if (file.size > this.maxBytes) return word("tooLarge", { limit: Math.round(this.maxBytes / 1048576) });
    return "";
  }

  preview(photo) {
    if (photo.wrong) return Object.assign(document.createElement("span"), { className: "blank" });
    const image = Object.assign(document.createElement("img"), { alt: "", src: URL.createObjectURL(photo.file) });
    image.addEventListener("load", () => URL.revokeObjectURL(image.src));
    image.addEventListener("error", () => this.spoil(photo, word("notAPhoto")));
    return image;
  }

  spoil(photo, reason) {
    photo.wrong = reason;
    photo.item.classList.add("is-wrong");
    photo.item.querySelector(".drop-state").textContent = `${reason}, ${word("leftOut")}`;
    photo.item.querySelector("img")?.replaceWith(Object.assign(document.createElement("span"), { className: "blank" }));
    this.show();
  }

  about(photo) {
    const name = Object.assign(document.createElement("span"), { textContent: photo.file.name, title: photo.file.name });
    const size = Object.assign(document.createElement("span"), { className: "quiet", textContent: fileSize(photo.file.size) });
    const about = Object.assign(document.createElement("div"), { className: "drop-name" });
    photo.bar = Object.assign(document.createElement("progress"), { className: "bar bar-live", max: 1, value: 0, hidden: true });
    about.append(name, " ", size, photo.bar);
    return about;
  }

  state(photo) {
    const says = photo.wrong ? `${photo.wrong}, ${word("leftOut")}` : word("ready");
    photo.says = Object.assign(document.createElement("span"), { className: "drop-state quiet", textContent: says });
    return photo.says;
  }

  remove(photo) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "drop-remove", textContent: "×" });
    button.setAttribute("aria-label", word("remove", { name: photo.file.name }));
    button.addEventListener("click", () => {
      this.photos = this.photos.filter((one) => one !== photo);
      this.show();
      this.input.focus();
    });
    return button;
  }

  show() {
    for (const item of [...this.list.children]) {
      if (!this.photos.some((photo) => photo.item === item)) item.remove();
    }
    for (const photo of this.photos) if (!photo.item.isConnected) this.list.append(photo.item);
    const good = this.good();
    const bytes = good.reduce((sum, photo) => sum + photo.file.size, 0);
    this.tell(good.length > this.maxPhotos ? word("tooMany", { limit: this.maxPhotos }) : "");
    this.form.querySelector("[data-drop-send]").classList.toggle("is-idle", !this.photos.length);
    this.button.disabled = !good.length || good.length > this.maxPhotos;
    this.button.textContent = this.form.dataset.send ?? (good.length === 1 ? word("countOne") : word("countSome", { count: good.length || "" }).replace("  ", " "));
    this.sum.textContent = !good.length ? "" : word(good.length === 1 ? "onePhoto" : "somePhotos", { count: good.length, size: fileSize(bytes) });
  }

  good() {
    return this.photos.filter((photo) => !photo.wrong);
  }

  tell(text) {
    this.problem.replaceChildren();
    if (!text) return;
    this.problem.append(Object.assign(document.createElement("p"), { className: "problem", textContent: text }));
  }

  send() {
    const good = this.good();
    if (!good.length || this.sending) return;
    const data = new FormData(this.form);
    data.delete("file");
    for (const photo of good) data.append("file", photo.file, photo.file.name);
    const request = new XMLHttpRequest();
    request.open("POST", this.form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Idempotency-Key", this.keyOf(good, data));
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => this.progress(good, event.loaded * (this.bytes(good) / event.total)));
    request.upload.addEventListener("load", () => { this.sum.textContent = word("checking"); });
    request.addEventListener("load", () => this.answered(request));
    request.addEventListener("error", () => this.failed(word("connectionLost")));
    this.busy(true);
    request.send(data);
  }

  /** The same photos with the same fields go under the same key: sent again after a lost connection, they are taken once. */
  keyOf(photos, data) {
    const sent = [...photos.map((photo) => photo.file), ...[...data.values()].filter((value) => typeof value === "string")];
    if (this.sent?.length !== sent.length || sent.some((part, at) => part !== this.sent[at])) {
      this.sent = sent;
      this.key = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    return this.key;
  }

  bytes(photos) {
    return photos.reduce((sum, photo) => sum + photo.file.size, 0);
  }

  /** The files travel one after the other, so that the bytes sent tell how far each is. */
  progress(photos, sent) {
    let left = sent;
    for (const photo of photos) {
      const part = Math.min(1, Math.max(0, left / photo.file.size));
      photo.bar.value = part;
      photo.says.textContent = part >= 1 ? word("sent") : part > 0 ? word("sending") : word("ready");
      left -= photo.file.size;
    }
  }

  answered(request) {
    if (request.response?.location) location.assign(request.response.location);
    else this.failed(request.response?.error?.message ?? word("connectionLost"));
  }

  failed(message) {
    this.busy(false);
    this.show();
    this.tell(message);
  }

  busy(sending) {
    this.sending = sending;
    this.button.disabled = sending;
    for (const photo of this.photos) {
      photo.bar.hidden = !sending || Boolean(photo.wrong);
      if (!photo.wrong) photo.says.textContent = word("ready");
    }
    this.form.querySelectorAll(".drop-remove").forEach((button) => { button.disabled = sending; });
  }
}
