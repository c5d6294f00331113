// A map of places without tiles: outlines lead to their pages, or, on a count that waits for its
// location, choose one. Beside a form it shows the outline being edited, and draws one by corners.

export async function begin(element) {
  if (element.dataset.begun) return;
  element.dataset.begun = "true";
  const [features] = await Promise.all([
    fetch(element.dataset.features, { headers: { Accept: "application/json" } }).then((answer) => answer.json()),
    import(element.dataset.leaflet),
  ]);
  element.hidden = false;
  new PlacesMap(element, features.features).show();
}

const LOCATIONS = "storage-locations";
const MOST_LABELS = 400;
const CLOSE = 20;
const FAR_METRES = 2000;

class PlacesMap {
  constructor(element, features) {
    this.element = element;
    this.features = features;
    this.leaflet = globalThis.L;
    this.layers = new Map();
    this.labels = [];
    this.photos = JSON.parse(element.dataset.positions || "[]");
    this.map = this.leaflet.map(element, { attributionControl: false, zoomSnap: 0.25, minZoom: 1, maxZoom: 24 });
    this.leaflet.control.scale({ imperial: false }).addTo(this.map);
  }

  show() {
    const editor = this.element.dataset.outline ? new Editor(this) : null;
    this.edited = editor?.shape() ?? null;
    // Leaflet places what it draws only once it knows where it looks.
    this.look();
    this.drawPlaces();
    this.fitLabels();
    this.map.on("zoomend", () => this.fitLabels());
    for (const where of this.photos) this.leaflet.circleMarker(where, { className: "place-photo", radius: 6, interactive: false }).addTo(this.map);
    editor?.listen();
    if (this.element.dataset.choice) this.offerChoice();
  }

  drawPlaces() {
    const { dataset } = this.element;
    // The place being edited is drawn by the editor.
    const drawn = this.features.filter((one) => !dataset.outline || one.id !== dataset.here);
    for (const feature of drawn) this.drawPlace(feature);
  }

  drawPlace(feature) {
    const { kind, code, name, is_active: active } = feature.properties;
    const look = { className: `place place-${kind}${active ? "" : " is-off"}`, interactive: kind === LOCATIONS };
    const layer = this.leaflet.geoJSON(feature, {
      style: () => look,
      pointToLayer: (_, where) => this.leaflet.circleMarker(where, { ...look, radius: 8 }),
    }).addTo(this.map);
    if (kind !== LOCATIONS) return;
    layer.bindTooltip(text(`${code} · ${name}`), { sticky: true });
    layer.on("click", () => this.pick(feature));
    this.layers.set(String(feature.properties.id), layer);
    if (this.labels.length < MOST_LABELS) this.label(code, layer.getBounds());
  }

  label(code, bounds) {
    const label = this.leaflet.tooltip({ permanent: true, direction: "center", className: "place-label" });
    this.labels.push({ label: label.setContent(text(code)).setLatLng(bounds.getCenter()).addTo(this.map), bounds });
  }

  /** Hide the labels that do not fit into their outlines. */
  fitLabels() {
    for (const { label, bounds } of this.labels) {
      const [west, east] = [bounds.getNorthWest(), bounds.getNorthEast()].map((corner) => this.map.latLngToLayerPoint(corner).x);
      const element = label.getElement();
      element.classList.toggle("is-tight", east - west < element.offsetWidth);
    }
  }

  pick(feature) {
    if (this.element.classList.contains("is-drawing")) return;
    if (!this.element.dataset.choice) {
      location.assign(feature.properties.url);
      return;
    }
    const radio = [...this.radios()].find((one) => one.value === String(feature.properties.id));
    if (!radio) return;
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
    radio.closest("li").scrollIntoView({ block: "nearest" });
  }

  radios() {
    return document.querySelectorAll(`input[name="${this.element.dataset.choice}"]`);
  }

  offerChoice() {
    const mark = () => {
      for (const radio of this.radios()) this.mark(radio.value, radio.checked);
    };
    for (const radio of this.radios()) radio.addEventListener("change", mark);
    mark();
  }

  mark(id, chosen) {
    this.layers.get(id)?.eachLayer((part) => part.getElement()?.classList.toggle("is-chosen", chosen));
  }

  /** At the photos and what is nearest to them, at the place of this page, or at everything. */
  look() {
    const bounds = this.leaflet.latLngBounds([]);
    if (this.edited?.getBounds().isValid()) bounds.extend(this.edited.getBounds());
    for (const where of this.photos) bounds.extend(where);
    if (bounds.isValid()) this.addNearest(bounds);
    else for (const one of this.boundsOf(() => true)) bounds.extend(one);
    if (bounds.isValid()) this.map.fitBounds(bounds.pad(0.15), { maxZoom: CLOSE, animate: false });
    else this.map.setView(this.middle() ?? [0, 0], this.middle() ? CLOSE : 1);
  }

  addNearest(bounds) {
    const here = bounds.getCenter();
    const far = (one) => this.map.distance(here, one.getCenter());
    const nearest = this.boundsOf((kind) => kind === LOCATIONS).sort((a, b) => far(a) - far(b)).slice(0, 4);
    for (const one of nearest) if (far(one) < FAR_METRES) bounds.extend(one);
  }

  boundsOf(wanted) {
    return this.features.filter((one) => wanted(one.properties.kind)).map((one) => this.leaflet.geoJSON(one).getBounds());
  }

  middle() {
    const text = document.querySelector(this.element.dataset.middle || "#none")?.value ?? "";
    const parts = text.split(",").map(Number);
    return parts.length === 2 && parts.every(Number.isFinite) && text.trim() ? parts : null;
  }
}

function text(words) {
  return Object.assign(document.createElement("span"), { textContent: words });
}

class Editor {
  constructor(places) {
    this.places = places;
    this.leaflet = places.leaflet;
    this.input = document.querySelector(places.element.dataset.outline);
    this.tools = document.querySelector("[data-map-tools]");
    this.corners = [];
  }

  listen() {
    this.read();
    if (!this.tools || this.input.closest("fieldset:disabled")) return;
    this.tools.hidden = false;
    this.input.addEventListener("input", () => { this.read(); this.places.look(); });
    this.button("draw").addEventListener("click", () => this.draw(true));
    this.button("draw-back").addEventListener("click", () => { this.corners.pop(); this.sketch(); });
    this.button("draw-done").addEventListener("click", () => this.done());
    this.places.map.on("click", (event) => this.add(event.latlng));
  }

  button(name) {
    return this.tools.querySelector(`[data-${name}]`);
  }

  /** What the field holds; what cannot be read yet is left to the server's words. */
  shape() {
    try {
      return this.leaflet.geoJSON(JSON.parse(this.input.value), { style: { className: "place-edited", interactive: false } });
    } catch {
      return null;
    }
  }

  read() {
    this.replace(this.shape());
  }

  replace(shape) {
    this.places.edited?.remove();
    this.places.edited = shape?.addTo(this.places.map) ?? null;
  }

  draw(going) {
    this.drawing = going;
    this.places.element.classList.toggle("is-drawing", going);
    this.button("draw").hidden = going;
    for (const name of ["draw-back", "draw-done", "draw-hint"]) this.button(name).hidden = !going;
    this.corners = [];
    if (going) this.sketch();
  }

  add(where) {
    if (!this.drawing) return;
    this.corners.push(where);
    this.sketch();
  }

  sketch() {
    const look = { className: "place-edited", interactive: false };
    this.replace(this.corners.length < 3 ? this.leaflet.polyline(this.corners, look) : this.leaflet.polygon(this.corners, look));
    this.button("draw-done").disabled = this.corners.length < 3;
  }

  done() {
    const ring = [...this.corners, this.corners[0]].map((one) => [Number(one.lng.toFixed(8)), Number(one.lat.toFixed(8))]);
    this.input.value = JSON.stringify({ type: "Polygon", coordinates: [ring] });
    this.draw(false);
    this.read();
  }
}
