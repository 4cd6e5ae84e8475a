// Draws what is visible: edges with their predicates, nodes with their names as far as these do not overlap.

const canvas = document.getElementById("graph"), pen = canvas.getContext("2d");
const camera = { x: 0, y: 0, k: 1 }; // the point in the middle of the canvas, and the scale
const TYPE_COLOURS = ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#2fa5a0", "#d4a72c", "#ff7f9e", "#9c755f",
  "#6b8e23", "#5a67d8", "#c05621"];
const OTHER_COLOUR = "#8c959f";
const typeColour = type => TYPE_COLOURS[type] ?? OTHER_COLOUR;
let colours = {}, frame = 0, selected = null, hovered = null;

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["paper", "ink", "soft", "edge", "wrong", "first"]) colours[name] = style.getPropertyValue("--" + name).trim();
}

function redraw() { frame ||= requestAnimationFrame(() => { frame = 0; draw(); }); }

const toScreen = (x, y) => [(x - camera.x) * camera.k + width() / 2, (y - camera.y) * camera.k + height() / 2];
const toWorld = (x, y) => [(x - width() / 2) / camera.k + camera.x, (y - height() / 2) / camera.k + camera.y];
const width = () => canvas.clientWidth, height = () => canvas.clientHeight;
const radius = node => node.r * Math.min(1.5, Math.max(0.35, Math.sqrt(camera.k)));

function draw() {
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width() * ratio) || canvas.height !== Math.round(height() * ratio)) {
    canvas.width = Math.round(width() * ratio);
    canvas.height = Math.round(height() * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width(), height());
  const focus = hovered ?? selected;
  const near = new Set(focus === null ? [] : [focus]);
  if (focus !== null) for (const edge of focus.edges) if (edge.visible) near.add(edge.from).add(edge.to);
  const isNear = edge => focus === null || edge.from === focus || edge.to === focus;
  const shown = edges.filter(edge => edge.visible && inView(edge));
  for (const edge of shown) edge.path = pathOf(edge);
  for (const edge of shown) if (!isNear(edge)) drawEdge(edge, 0.18);
  const dense = shown.length > 300 && shown.length > 1.5 * nodes.length;
  for (const edge of shown) if (isNear(edge)) drawEdge(edge, dense && focus === null ? 0.6 : 1);
  const taken = [];
  for (const node of nodes) if (node.visible) drawNode(node, focus === null || near.has(node) ? 1 : 0.25, taken);
  drawNames(focus, near, taken);
  for (const edge of shown) if (focus !== null ? isNear(edge) : shown.length < 300) drawPredicate(edge, focus !== null, taken);
}

function inView({ from, to }) {
  const [ax, ay] = toScreen(from.x, from.y), [bx, by] = toScreen(to.x, to.y), far = 80;
  return Math.max(ax, bx) > -far && Math.min(ax, bx) < width() + far && Math.max(ay, by) > -far && Math.min(ay, by) < height() + far;
}

// A quadratic curve on the screen, from border to border; edges of one pair are bent away from one another.
function pathOf({ from, to, bend }) {
  const [ax, ay] = toScreen(from.x, from.y), [bx, by] = toScreen(to.x, to.y);
  if (from === to) {
    const r = radius(from), reach = r + (26 + 14 * Math.abs(bend)) * Math.min(1, camera.k);
    return { ax: ax - r * 0.7, ay: ay - r * 0.7, bx: ax + r * 0.7, by: ay - r * 0.7, loop: reach, cx: ax, cy: ay - reach * 1.6, mx: ax, my: ay - reach };
  }
  const dx = bx - ax, dy = by - ay, length = Math.hypot(dx, dy) || 1, off = bend * 40 * Math.min(1.2, camera.k);
  const cx = (ax + bx) / 2 - dy / length * off, cy = (ay + by) / 2 + dx / length * off;
  const [sx, sy] = towards(ax, ay, cx, cy, radius(from)), [ex, ey] = towards(bx, by, cx, cy, radius(to) + 2);
  return { ax: sx, ay: sy, bx: ex, by: ey, cx, cy, mx: (sx + 2 * cx + ex) / 4, my: (sy + 2 * cy + ey) / 4 };
}

function towards(x, y, tx, ty, by) {
  const length = Math.hypot(tx - x, ty - y) || 1;
  return [x + (tx - x) / length * by, y + (ty - y) / length * by];
}

function drawEdge(edge, alpha) {
  const { ax, ay, bx, by, cx, cy, loop } = edge.path, wrong = edge.conflicts.length > 0;
  pen.globalAlpha = alpha * (edge.score === null ? 0.8 : 0.4 + 0.5 * Math.min(1, Math.max(0, edge.score)));
  pen.strokeStyle = pen.fillStyle = wrong ? colours.wrong : colours.edge;
  pen.lineWidth = Math.min(4, 1 + 0.6 * Math.log2(edge.documents)) * Math.min(1.3, Math.max(0.7, camera.k));
  pen.setLineDash(wrong ? [5, 3] : []);
  pen.beginPath();
  pen.moveTo(ax, ay);
  if (loop) pen.bezierCurveTo(ax - loop, cy, bx + loop, cy, bx, by); else pen.quadraticCurveTo(cx, cy, bx, by);
  pen.stroke();
  pen.setLineDash([]);
  const size = Math.min(9, Math.max(3, 8 * Math.sqrt(camera.k))), angle = loop ? Math.PI * 0.6 : Math.atan2(by - cy, bx - cx);
  pen.beginPath();
  pen.moveTo(bx, by);
  pen.lineTo(bx - size * Math.cos(angle - 0.4), by - size * Math.sin(angle - 0.4));
  pen.lineTo(bx - size * Math.cos(angle + 0.4), by - size * Math.sin(angle + 0.4));
  pen.fill();
  pen.globalAlpha = 1;
}

function drawNode(node, alpha, taken) {
  const [x, y] = toScreen(node.x, node.y), r = radius(node);
  if (x < -r || y < -r || x > width() + r || y > height() + r) return;
  pen.globalAlpha = alpha;
  pen.beginPath();
  pen.arc(x, y, r, 0, 2 * Math.PI);
  pen.fillStyle = typeColour(node.type);
  pen.fill();
  pen.lineWidth = node === selected ? 3 : 1.5;
  pen.strokeStyle = node === selected ? colours.ink : colours.paper;
  pen.stroke();
  pen.globalAlpha = 1;
  taken.push([x - r, y - r, x + r, y + r, node]);
}

function drawNames(focus, near, taken) {
  const rank = node => node === focus ? 2 : near.has(node) ? 1 : 0;
  const order = focus === null ? byDegree : [...byDegree].sort((a, b) => rank(b) - rank(a));
  const marked = marks(), foremost = new Set(byDegree.slice(0, 15));
  for (const node of order) {
    if (!node.visible) continue;
    const important = rank(node) > 0 || marked.has(node);
    if (!important && !foremost.has(node) && camera.k * (node.degree + 1) < 0.75) continue;
    const [x, y] = toScreen(node.x, node.y);
    if (x < 0 || y < 0 || x > width() || y > height()) continue;
    const size = node === focus ? 14 : Math.min(14, 11.5 + node.r / 10);
    const faded = focus !== null && !near.has(node) && !marked.has(node);
    pen.font = `${important ? 650 : 450} ${size}px system-ui, sans-serif`;
    const r = radius(node), half = textWidth(node.name) / 2, below = r + size * 0.75;
    const places = [[x, y + below], [x, y - below], [x + r + half + 4, y], [x - r - half - 4, y]];
    const free = others => places.find(([px, py]) => isEmpty(textBox(node.name, px, py, size), others, node));
    // What has many facts may write over circles, though not over names.
    const place = free(taken) ?? (node.degree > 5 ? free(taken.filter(other => !other[4])) : null) ?? (node === focus ? places[0] : null);
    if (place) write(node.name, ...place, size, faded ? 0.25 : 1, colours.ink, taken);
  }
}

function drawPredicate(edge, always, taken) {
  const { ax, ay, bx, by, mx, my, loop } = edge.path, length = loop ? 100 * camera.k : Math.hypot(bx - ax, by - ay);
  const name = predicates[edge.p].short;
  if (camera.k < 0.55 && !always || length < 12 * Math.min(8, name.length) * 0.6 + 14) return;
  pen.font = "400 10.5px system-ui, sans-serif";
  if (isEmpty(textBox(name, mx, my, 10.5), taken))
    write(name, mx, my, 10.5, 1, edge.conflicts.length ? colours.wrong : colours.soft, taken);
}

function textBox(text, x, y, size) {
  const half = textWidth(text) / 2 + 2;
  return [x - half, y - size * 0.6, x + half, y + size * 0.6];
}

// Whether nothing stands in a box, but for the circle of the node that the text is about.
function isEmpty(box, taken, owner) {
  return !taken.some(other => other[4] !== owner && box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
}

// Writes a name around its middle, in the font that is set.
function write(text, x, y, size, alpha, colour, taken) {
  taken.push([...textBox(text, x, y, size), null]);
  pen.globalAlpha = alpha;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  pen.lineWidth = 3.5;
  pen.strokeStyle = colours.paper;
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
  pen.globalAlpha = 1;
}

const widths = new Map();
function textWidth(text) {
  const key = pen.font + text;
  if (!widths.has(key)) widths.set(key, pen.measureText(text).width);
  return widths.get(key);
}
