// The desk where cues are changed: a player, and the list that follows it.
//
// Every change is saved as it is made, with the version it was made to; where somebody else was
// quicker, nothing is overwritten. The server splits, joins and breaks lines, for the rules are there.

const SAVE_AFTER = 900;
const AGAIN_AFTER = 3000;
const STEPS = 100;

export function begin(root) {
  if (root.dataset.begun) return;
  root.dataset.begun = "yes";
  new Desk(root).listen();
}

class Desk {
  constructor(root) {
    const find = (name) => root.querySelector(`[data-cue-${name}]`);
    Object.assign(this, {
      root, form: find("form"), list: find("list"), row: find("row"), player: find("player"), now: find("now"),
      says: find("word"), problem: find("problem"), undo: find("undo"), reload: find("reload"),
    });
    Object.assign(this, JSON.parse(find("state").textContent));
    this.past = [];
    this.shown = -1;
    this.mayChange = this.undo !== null;
    this.token = this.form.elements.csrf_token.value;
    this.queue = Promise.resolve();
  }

  listen() {
    this.track = this.player.addTextTrack("subtitles", "", this.language ?? "en");
    for (const element of this.player.querySelectorAll("track")) element.track.mode = "disabled";
    this.player.addEventListener("timeupdate", () => this.follow());
    this.list.addEventListener("click", (event) => this.click(event));
    this.render();
    if (!this.mayChange) return;
    this.undo.hidden = this.root.querySelector("[data-cue-keys]").hidden = false;
    this.root.querySelector("[data-cue-save]").hidden = true;
    this.undo.addEventListener("click", () => this.takeBack());
    this.reload.addEventListener("click", () => this.load());
    this.list.addEventListener("input", (event) => this.typed(event.target.closest("[data-cue]")));
    this.list.addEventListener("change", () => this.save());
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.root.querySelector("[data-cue-burn]")?.addEventListener("submit", (event) => this.burn(event));
    addEventListener("beforeunload", (event) => { if (this.dirty) event.preventDefault(); });
  }

  // What is seen.

  render(focus = null) {
    const rows = this.cues.map((cue) => this.made(cue));
    this.list.replaceChildren(...rows);
    this.mark();
    if (focus !== null) rows[Math.min(focus, rows.length - 1)]?.querySelector("textarea").focus();
  }

  made(cue) {
    const row = this.row.content.firstElementChild.cloneNode(true);
    row.querySelector("[data-cue-seek]").textContent = cue.number;
    row.querySelector("[name=start]").value = clock(cue.start);
    row.querySelector("[name=end]").value = clock(cue.end);
    row.querySelector("textarea").value = cue.lines.join("\n");
    for (const button of row.querySelectorAll("[data-do]")) button.value = `${button.dataset.do}-${cue.number}`;
    this.measure(row, cue);
    return row;
  }

  /** How long its lines are and how fast it is to be read, while it is being written. */
  measure(row, cue) {
    const letters = cue.lines.reduce((sum, line) => sum + line.length, 0);
    const speed = letters / Math.max(0.001, cue.end - cue.start);
    const facts = row.querySelector("[data-cue-facts]");
    facts.textContent = `${cue.lines.map((line) => line.length).join(" + ") || 0} · ${fill(this.said.letters, { found: speed.toFixed(1) })}`;
    const { line, lines, speed: fastest } = this.limits;
    facts.classList.toggle("is-over", speed > fastest || cue.lines.length > lines || cue.lines.some((one) => one.length > line));
  }

  /** Write what the rules say to every row, and the cues to the player. */
  mark() {
    const said = new Map();
    for (const one of this.report.violations) said.set(one.number, [...(said.get(one.number) ?? []), this.miss(one)]);
    [...this.list.children].forEach((row, at) => {
      const misses = said.get(at + 1) ?? [];
      row.classList.toggle("has-misses", misses.length > 0);
      row.querySelector("[data-cue-misses]").replaceChildren(...misses.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    });
    this.sum();
    this.fillTrack();
    this.form.elements.version.value = this.version;
    const last = this.root.querySelector("[data-cue-last]");
    if (last) last.value = `after-${this.cues.length}`;
  }

  miss(one) {
    const said = fill(this.misses[one.rule], { found: one.found, allowed: one.allowed });
    return one.is_avoidable ? said : `${said} (${this.helpless})`;
  }

  sum() {
    const { violations, rules } = this.report;
    const sum = this.root.querySelector("[data-report-sum]");
    sum.textContent = sum.textContent.replace(/\d+/, violations.length);
    for (const row of this.root.querySelectorAll("[data-rule]")) {
      row.querySelector("[data-rule-missed]").textContent = rules[row.dataset.rule].violations;
      row.querySelector("[data-rule-avoidable]").textContent = rules[row.dataset.rule].avoidable;
    }
  }

  fillTrack() {
    this.track.mode = "hidden";
    for (const cue of [...(this.track.cues ?? [])]) this.track.removeCue(cue);
    for (const cue of this.cues) if (cue.end > cue.start) this.track.addCue(this.shownCue(cue));
    this.track.mode = "showing";
  }

  shownCue(cue) {
    const text = cue.lines.join("\n").replace(/&/g, "&amp;").replace(/</g, "&lt;");
    return new VTTCue(cue.start, cue.end, text);
  }

  say(what) { this.says.textContent = what; }

  complain(message, isOld = false) {
    this.problem.hidden = !message;
    this.root.querySelector("[data-cue-problem-text]").textContent = message;
    this.reload.hidden = !isOld;
  }

  // The player.

  follow() {
    const at = this.player.currentTime;
    const found = this.cues.findIndex((cue) => cue.start <= at && at < cue.end);
    if (this.now) this.now.textContent = found < 0 ? "" : this.cues[found].lines.join("\n");
    if (found === this.shown) return;
    this.list.children[this.shown]?.removeAttribute("aria-current");
    this.shown = found;
    const row = this.list.children[found];
    row?.setAttribute("aria-current", "true");
    // The list follows while it plays, unless somebody is at work in it.
    if (row && !this.player.paused && !this.list.contains(document.activeElement)) this.scrollTo(row);
  }

  scrollTo(row) {
    const { clientHeight, scrollHeight } = this.list;
    if (scrollHeight > clientHeight) this.list.scrollTop = row.offsetTop - (clientHeight - row.offsetHeight) / 2;
    else if (getComputedStyle(this.list).overflowY === "visible") row.scrollIntoView({ block: "nearest" });
  }

  seek(row, plays = true) {
    this.player.currentTime = this.cues[this.place(row)].start + 0.001;
    if (plays) this.player.play();
  }

  click(event) {
    if (event.target.closest("[data-cue-seek]")) this.seek(event.target.closest("[data-cue]"));
  }

  // Changes.

  place(row) { return [...this.list.children].indexOf(row); }

  typed(row) {
    const cue = this.cues[this.place(row)];
    if (!this.dirty) this.before = structuredClone(this.cues);
    const [start, end] = ["start", "end"].map((name) => seconds(row.querySelector(`[name=${name}]`).value));
    for (const [name, value] of [["start", start], ["end", end]]) {
      row.querySelector(`[name=${name}]`).toggleAttribute("aria-invalid", value === null);
      if (value !== null) cue[name] = value;
    }
    cue.lines = row.querySelector("textarea").value.split("\n").map((line) => line.trim()).filter(Boolean);
    this.measure(row, cue);
    this.dirty = true;
    this.say(this.said.unsaved);
    clearTimeout(this.later);
    this.later = setTimeout(() => this.save(), SAVE_AFTER);
  }

  save() {
    clearTimeout(this.later);
    return this.line(() => this.put());
  }

  /** One after another: each needs the version that the one before it made. */
  line(work) {
    this.queue = this.queue.then(work, work);
    return this.queue;
  }

  async put() {
    if (!this.dirty) return true;
    this.dirty = false;
    const before = this.before;
    const answer = await this.send("PUT", "", { cues: this.cues.map(({ start, end, lines }) => ({ start, end, lines })) });
    if (!answer) {
      this.dirty = true;
      return false;
    }
    this.remember(before);
    // What was written meanwhile stays; its own saving follows.
    this.take(answer, this.dirty ? this.cues : answer.cues);
    this.mark();
    return true;
  }

  remember(cues) {
    this.past = [...this.past.slice(1 - STEPS), cues];
    this.undo.disabled = false;
  }

  take(answer, cues) {
    Object.assign(this, { version: answer.version, report: answer.report, cues });
    this.complain("");
    this.say(this.dirty ? this.said.unsaved : this.said.saved);
  }

  /** A change that the server makes: split, merge, shift. */
  change(path, body, focus) {
    return this.line(async () => {
      if (!(await this.put())) return;
      const before = structuredClone(this.cues);
      const answer = await this.send("POST", path, body);
      if (!answer) return;
      this.remember(before);
      this.take(answer, answer.cues);
      this.render(focus);
    });
  }

  replace(cues, focus) {
    return this.line(async () => {
      if (!(await this.put())) return;
      const before = structuredClone(this.cues);
      const answer = await this.send("PUT", "", { cues: cues(this.cues) });
      if (!answer) return;
      this.remember(before);
      this.take(answer, answer.cues);
      this.render(focus);
    });
  }

  takeBack() {
    return this.line(async () => {
      if (!(await this.put()) || !this.past.length) return;
      const answer = await this.send("PUT", "", { cues: this.past.at(-1) });
      if (!answer) return;
      this.past.pop();
      this.undo.disabled = !this.past.length;
      this.take(answer, answer.cues);
      this.render();
      this.say(this.said.undone);
    });
  }

  async load() {
    const answer = await fetch(this.root.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    this.dirty = false;
    this.past = [];
    this.undo.disabled = true;
    const found = await answer.json();
    this.take(found, found.cues);
    this.render();
  }

  /** What the server answers; null where it refused, which is said. */
  async send(method, path, body) {
    this.say(this.said.saving);
    const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.token };
    const call = { method, headers, body: JSON.stringify({ version: this.version, ...body }) };
    for (;;) {
      try {
        const answer = await fetch(this.root.dataset.url + path, call);
        const told = await answer.json();
        if (answer.ok) return told;
        this.say("");
        this.complain(told.error.message, answer.status === 409);
        return null;
      } catch {
        this.say(this.said.offline);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER));
      }
    }
  }

  // Buttons and keys.

  submit(event) {
    event.preventDefault();
    const order = event.submitter?.value ?? "";
    const [what, number] = order.split("-");
    if (order === "shift") this.shift();
    else if (number !== undefined) this.obey(what, Number(number));
    else this.save();
  }

  obey(what, number, caret = null) {
    const cue = this.cues[number - 1];
    if (what === "merge") this.change("/merge", { number }, number - 1);
    if (what === "split") this.change("/split", { number, at: caret ?? this.caretOf(number) }, number);
    if (what === "remove") this.replace((cues) => cues.toSpliced(number - 1, 1), number - 1);
    if (what === "after") {
      const start = cue?.end ?? 0;
      this.replace((cues) => cues.toSpliced(number, 0, { start, end: start + 2, lines: ["…"] }), number);
    }
  }

  /** Where the cursor was last in that cue, in its text as one line; its middle where it was nowhere. */
  caretOf(number) {
    const area = this.list.children[number - 1].querySelector("textarea");
    const text = area.value.replace(/\n/g, " ");
    const at = area.selectionStart;
    if (at > 0 && at < text.length) return at;
    const starts = [...text.matchAll(/\s+/g)].map((space) => space.index + space[0].length);
    return starts.sort((one, other) => Math.abs(2 * one - text.length) - Math.abs(2 * other - text.length))[0] ?? 0;
  }

  shift() {
    const by = Number(this.form.elements.by.value.replace(",", "."));
    const first = Number(this.form.elements.first.value) || 1;
    this.change("/shift", { by, first }, null);
  }

  key(event) {
    const row = event.target.closest("[data-cue]");
    const act = event.altKey && row && {
      ArrowDown: () => this.go(row.nextElementSibling),
      ArrowUp: () => this.go(row.previousElementSibling),
      Enter: () => this.obey("split", this.place(row) + 1),
      KeyP: () => (this.player.paused ? this.seek(row) : this.player.pause()),
      KeyJ: () => this.obey("merge", this.place(row) + 1),
      KeyZ: () => this.takeBack(),
    }[event.code];
    if (!act) return;
    event.preventDefault();
    act();
  }

  go(row) {
    if (!row) return;
    row.querySelector("textarea").focus();
    this.seek(row, false);
  }

  /** What was written is saved before it is put into the video. */
  async burn(event) {
    if (!this.dirty) return;
    event.preventDefault();
    if (await this.save()) event.target.submit();
  }
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, key) => values[key] ?? place);
}

function clock(at) {
  const all = Math.round(at * 1000);
  const [hours, minutes, rest] = [Math.floor(all / 3600000), Math.floor(all / 60000) % 60, (all % 60000) / 1000];
  const tail = rest.toFixed(3).padStart(6, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** Seconds of 1:02:03.450; null where it is no time. */
function seconds(text) {
  const found = /^(?:(\d+):)?(?:(\d+):)?(\d+(?:[.,]\d{1,3})?)$/.exec(text.trim());
  if (!found) return null;
  const parts = found.slice(1, 3).filter((part) => part !== undefined).map(Number);
  return parts.reduce((sum, part) => sum * 60 + part, 0) * 60 ** (parts.length ? 1 : 0) + Number(found[3].replace(",", "."));
}
