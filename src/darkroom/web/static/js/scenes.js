// The scenes of a video: added and removed without a page load, so that chosen files stay chosen.

export function begin(list) {
  new Scenes(list).listen();
}

class Scenes {
  constructor(list) {
    this.list = list;
    this.form = list.closest("form");
    this.template = this.form.querySelector("[data-scene-template]");
    this.adder = this.form.querySelector("[data-scene-add]");
    this.next = Math.max(...this.scenes.map((scene) => Number(/scenes\.(\d+)\./.exec(scene.querySelector("input").name)[1]))) + 1;
  }

  get scenes() {
    return [...this.list.querySelectorAll("[data-scene]")];
  }

  listen() {
    this.adder.addEventListener("click", (event) => this.add(event));
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("[data-scene-remove]");
      if (button) this.remove(button.closest("[data-scene]"));
    });
    this.show();
  }

  add(event) {
    event.preventDefault();
    this.list.insertAdjacentHTML("beforeend", this.template.innerHTML.replaceAll("NUMBER", this.next));
    this.next += 1;
    this.show();
    this.scenes.at(-1).querySelector("input").focus();
  }

  remove(scene) {
    const beside = scene.nextElementSibling ?? scene.previousElementSibling;
    scene.remove();
    this.show();
    beside.querySelector("input").focus();
  }

  /** Scenes bear the numbers of their places; their fields keep theirs, whose order is the same. */
  show() {
    const scenes = this.scenes;
    scenes.forEach((scene, at) => {
      scene.querySelector("[data-scene-number]").textContent = at + 1;
      scene.querySelector("[data-scene-remove]").hidden = scenes.length === 1;
    });
    this.adder.hidden = scenes.length >= Number(this.list.dataset.most);
  }
}
