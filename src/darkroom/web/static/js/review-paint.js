// Paints a photo's plants and containers on a canvas over it: thousands in a frame.

const CYAN = "#00e5ff";
const LIME = "#c6ff3d";
const YELLOW = "#ffd34d";
const UNDER = "rgb(0 0 0 / 60%)";
const TURN = Math.PI * 2;
const SMALLEST = 3;

/** Paint a model as a view shows it: `scale` canvas pixels a photo pixel, its corner at (x, y). */
export function paint(canvas, view, model, marks) {
  const pen = fitted(canvas, view);
  const place = (point) => [point[0] * view.scale + view.x, point[1] * view.scale + view.y];
  model.containers.forEach((one) => outline(pen, one, place));
  const shown = [...model.plants.values()].filter((plant) => isSeen(plant, view));
  rings(pen, view, shown.filter((plant) => !isOurs(plant)), CYAN);
  rings(pen, view, shown.filter(isOurs), LIME);
  const gone = [...model.removed.values()].filter((plant) => isSeen(plant, view));
  gone.forEach((plant) => crossedOut(pen, view, plant));
  shown.filter((plant) => plant.from).forEach((plant) => trail(pen, place(plant.from), place([plant.x, plant.y])));
  if (marks.target) rings(pen, view, [marks.target], "#fff", 3);
  if (marks.ghost) ghost(pen, view, marks.ghost);
  if (marks.cross) cross(pen, place(marks.cross));
}

function isOurs(plant) {
  return plant.isNew || plant.byPerson || Boolean(plant.from);
}

function fitted(canvas, view) {
  const density = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(view.width * density), Math.round(view.height * density)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d");
  pen.setTransform(density, 0, 0, density, 0, 0);
  pen.clearRect(0, 0, view.width, view.height);
  return pen;
}

function isSeen(plant, view) {
  const [x, y] = [plant.x * view.scale + view.x, plant.y * view.scale + view.y];
  const reach = Math.max(plant.width, plant.height) * view.scale;
  return x > -reach && y > -reach && x < view.width + reach && y < view.height + reach;
}

function rings(pen, view, plants, colour, width = 1.5) {
  if (!plants.length) return;
  pen.beginPath();
  for (const plant of plants) ellipse(pen, view, plant);
  stroke(pen, colour, width);
}

function ellipse(pen, view, plant) {
  const [x, y] = [plant.x * view.scale + view.x, plant.y * view.scale + view.y];
  const across = Math.max((plant.width / 2) * view.scale, SMALLEST);
  const down = Math.max((plant.height / 2) * view.scale, SMALLEST);
  pen.moveTo(x + across, y);
  pen.ellipse(x, y, across, down, 0, 0, TURN);
}

function stroke(pen, colour, width) {
  pen.strokeStyle = UNDER;
  pen.lineWidth = width + 2;
  pen.stroke();
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
}

function outline(pen, container, place) {
  pen.beginPath();
  for (const ring of container.rings) {
    ring.forEach((point, at) => (at ? pen.lineTo(...place(point)) : pen.moveTo(...place(point))));
  }
  stroke(pen, YELLOW, 2);
  label(pen, String(container.number), place(topLeft(container.rings[0] ?? [[0, 0]])));
}

function topLeft(ring) {
  return ring.reduce((best, point) => (point[0] + point[1] < best[0] + best[1] ? point : best));
}

function label(pen, text, [x, y]) {
  pen.font = "600 15px system-ui, sans-serif";
  pen.lineJoin = "round";
  pen.lineWidth = 4;
  pen.strokeStyle = UNDER;
  pen.strokeText(text, x + 8, y + 20);
  pen.fillStyle = "#fff";
  pen.fillText(text, x + 8, y + 20);
}

function crossedOut(pen, view, plant) {
  pen.setLineDash([4, 3]);
  rings(pen, view, [plant], "#fff");
  pen.setLineDash([]);
  const [x, y] = [plant.x * view.scale + view.x, plant.y * view.scale + view.y];
  const arm = Math.max(4, Math.min((plant.width / 4) * view.scale, 12));
  pen.beginPath();
  pen.moveTo(x - arm, y - arm);
  pen.lineTo(x + arm, y + arm);
  pen.moveTo(x + arm, y - arm);
  pen.lineTo(x - arm, y + arm);
  stroke(pen, "#fff", 2);
}

function trail(pen, from, to) {
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  stroke(pen, LIME, 1);
}

function ghost(pen, view, plant) {
  pen.setLineDash([5, 4]);
  rings(pen, view, [plant], LIME);
  pen.setLineDash([]);
}

function cross(pen, [x, y]) {
  pen.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    pen.moveTo(x + dx * 5, y + dy * 5);
    pen.lineTo(x + dx * 16, y + dy * 16);
  }
  stroke(pen, "#fff", 2);
}
