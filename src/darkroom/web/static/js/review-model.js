// What a person corrects on a photo, before it is applied, and its way to the server.
//
// Every correction is a row on the server at once, under a key of ours: what is sent twice after a
// lost connection is one correction.

const RETRY_MS = [1000, 2000, 4000, 8000];

/** The plants of a photo with the corrections made so far. Plants: {x, y, width, height, …}. */
export class Model {
  constructor(state) {
    this.containers = state.containers;
    this.base = new Map(state.plants.map(([key, x, y, width, height, source]) => [key, { key, x, y, width, height, byPerson: source === "person" }]));
    this.done = state.corrections;
    this.undone = state.undone;
    this.build();
  }

  build() {
    this.plants = new Map(this.base);
    this.removed = new Map();
    this.totals = new Map();
    this.accepted = false;
    this.changes = new Map();
    this.done.forEach((one) => this.apply(one));
  }

  make(correction) {
    this.done.push(correction);
    this.undone = [];
    this.apply(correction);
  }

  /** Take back the newest correction, or make again the one taken back last; answers which. */
  turn(what) {
    const [from, to] = what === "undo" ? [this.done, this.undone] : [this.undone, this.done];
    const one = what === "undo" ? from.pop() : from.shift();
    if (!one) return null;
    if (what === "undo") to.unshift(one);
    else to.push(one);
    this.build();
    return one;
  }

  apply(one) {
    const before = this.plants.get(one.plant);
    if (one.action === "add") {
      this.plants.set(one.key, { ...one, key: one.key, isNew: true });
      this.change(one, 1);
    } else if (one.action === "remove" && before) {
      this.plants.delete(one.plant);
      if (!before.isNew) this.removed.set(one.plant, before);
      this.change(before, -1);
    } else if (one.action === "move" && before) {
      const { x, y, width, height } = one;
      this.plants.set(one.plant, { ...before, x, y, width, height, from: before.from ?? (before.isNew ? null : [before.x, before.y]) });
      this.change(before, -1);
      this.change(one, 1);
    } else if (one.action === "total") this.totals.set(one.container, { total: one.total });
    else if (one.action === "accept" && one.container) this.totals.set(one.container, { accepted: true });
    else if (one.action === "accept") this.accepted = true;
  }

  change(place, by) {
    const container = this.containerAt(place.x, place.y);
    if (container) this.changes.set(container.id, (this.changes.get(container.id) ?? 0) + by);
  }

  /** The container that a plant counts with: the smallest that it is in, else the nearest. */
  containerAt(x, y) {
    const outlined = this.containers.filter((one) => one.rings.length);
    const found = outlined.filter((one) => isInside(x, y, one.rings));
    if (found.length) return least(found, (one) => area(one.rings[0]));
    return least(outlined, (one) => distance(x, y, one.rings[0]));
  }

  /** What a container's total would be: as entered, as said before, or as counted and corrected. */
  totalOf(container) {
    const said = this.totals.get(container.id);
    if (said?.total !== undefined) return said.total;
    const counted = container.detected + container.estimated;
    const entered = container.reviewed !== null && container.reviewed !== counted;
    if (entered && !said?.accepted) return container.reviewed;
    return Math.max(0, counted + (this.changes.get(container.id) ?? 0));
  }

  /** How many corrections of each kind there are. */
  sums() {
    const of = (action) => this.done.filter((one) => one.action === action).length;
    return { Added: of("add"), Removed: of("remove"), Moved: of("move"), Totals: of("total") + of("accept") };
  }

  /** The plant whose mark is at a point, or within `reach` of it; the nearest of several. */
  plantAt(x, y, reach) {
    let nearest = null;
    let least = 1;
    for (const plant of this.plants.values()) {
      const across = Math.max(plant.width / 2, reach);
      const down = Math.max(plant.height / 2, reach);
      const distance = ((x - plant.x) / across) ** 2 + ((y - plant.y) / down) ** 2;
      if (distance <= least) [nearest, least] = [plant, distance];
    }
    return nearest;
  }

  /** How large a plant at a point would be: as the plants about it are. */
  sizeAt(x, y) {
    const around = [...this.plants.values()]
      .sort((one, other) => (one.x - x) ** 2 + (one.y - y) ** 2 - (other.x - x) ** 2 - (other.y - y) ** 2)
      .slice(0, 9);
    if (around.length) return [median(around.map((plant) => plant.width)), median(around.map((plant) => plant.height))];
    const container = this.containerAt(x, y);
    const side = container ? Math.sqrt(area(container.rings[0])) / 8 : 32;
    return [side, side];
  }
}

/** Sends corrections one after the other, in order, again and again while there is no connection. */
export class Outbox {
  constructor(token, { changed, refused }) {
    this.token = token;
    this.changed = changed;
    this.refused = refused;
    this.waiting = [];
    this.tries = 0;
    this.sending = false;
  }

  get isEmpty() {
    return this.waiting.length === 0;
  }

  push(url, body) {
    this.waiting.push({ url, body });
    this.run();
  }

  async run() {
    if (this.sending) return;
    this.sending = true;
    while (this.waiting.length) {
      this.changed();
      if (await this.send(this.waiting[0])) this.waiting.shift();
      else await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)]));
    }
    this.sending = false;
    this.changed();
  }

  /** Whether it need not be sent again: it arrived, or it never will be taken. */
  async send({ url, body }) {
    let answer;
    try {
      const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.token };
      answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    } catch {
      return false;
    }
    if (answer.status >= 500 || answer.status === 429) return false;
    this.tries = 0;
    if (!answer.ok) {
      this.waiting = [this.waiting[0]];
      this.refused((await answer.json().catch(() => null))?.error?.message);
    }
    return true;
  }
}

/** A random UUID; `crypto.randomUUID` is not there on plain http. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function isInside(x, y, rings) {
  let crossed = false;
  for (const ring of rings) {
    for (let at = 0; at + 1 < ring.length; at += 1) {
      const [[x1, y1], [x2, y2]] = [ring[at], ring[at + 1]];
      if ((y1 > y) !== (y2 > y) && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) crossed = !crossed;
    }
  }
  return crossed;
}

/** How far a point is from an outline, squared. */
function distance(x, y, ring) {
  let nearest = Infinity;
  for (let at = 0; at + 1 < ring.length; at += 1) {
    const [[x1, y1], [x2, y2]] = [ring[at], ring[at + 1]];
    const length = (x2 - x1) ** 2 + (y2 - y1) ** 2 || 1;
    const along = Math.min(1, Math.max(0, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length));
    nearest = Math.min(nearest, (x - x1 - along * (x2 - x1)) ** 2 + (y - y1 - along * (y2 - y1)) ** 2);
  }
  return nearest;
}

function least(items, of) {
  return items.map((item) => [of(item), item]).sort(([one], [other]) => one - other)[0]?.[1];
}

function area(ring) {
  let twice = 0;
  for (let at = 0; at + 1 < ring.length; at += 1) twice += ring[at][0] * ring[at + 1][1] - ring[at + 1][0] * ring[at][1];
  return Math.abs(twice) / 2;
}

function median(values) {
  return values.sort((one, other) => one - other)[Math.floor(values.length / 2)];
}
