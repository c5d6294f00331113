// A picture before and after: the one left of a line that can be moved, the other right of it.

import { PhotoStage } from "./stage.js";
import { withCut } from "./cut.js";

export function begin(figure) {
  const pair = new Pair(figure);
  pair.listen();
  pair.fit();
}

class Pair extends withCut(PhotoStage) {
  constructor(figure) {
    super(figure);
    this.sides = figure.querySelectorAll("[data-plane] img");
  }
}
