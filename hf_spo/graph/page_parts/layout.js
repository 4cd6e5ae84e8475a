// Where nodes lie: a force simulation of each connected part, the same every time; packing.js puts the parts together.

const REPULSION = 900, DISTANCE = 72, THETA = 1;

// Returns a list of lists of numbers of nodes, the largest first.
function connectedParts(count, links) {
  const neighbours = Array.from({ length: count }, () => []);
  for (const [s, o] of links) { neighbours[s].push(o); neighbours[o].push(s); }
  const seen = new Uint8Array(count), parts = [];
  for (let first = 0; first < count; first++) {
    if (seen[first]) continue;
    const part = [first];
    seen[first] = 1;
    for (const node of part)
      for (const next of neighbours[node])
        if (!seen[next]) { seen[next] = 1; part.push(next); }
    parts.push(part);
  }
  return parts.sort((a, b) => b.length - a.length);
}

// Barnes and Hut: a far-off square of nodes repels like one node in its centre of mass.
function buildTree(points, members) {
  let low = [Infinity, Infinity], high = [-Infinity, -Infinity];
  for (const i of members) {
    const { x, y } = points[i];
    low = [Math.min(low[0], x), Math.min(low[1], y)];
    high = [Math.max(high[0], x), Math.max(high[1], y)];
  }
  const size = Math.max(high[0] - low[0], high[1] - low[1], 1);
  const root = square(low[0], low[1], size);
  for (const i of members) insert(root, points[i], 0);
  return root;
}

function square(x, y, size) { return { x, y, size, mass: 0, cx: 0, cy: 0, point: null, quarters: null }; }

function insert(cell, point, depth) {
  cell.cx = (cell.cx * cell.mass + point.x) / (cell.mass + 1);
  cell.cy = (cell.cy * cell.mass + point.y) / (cell.mass + 1);
  cell.mass++;
  if (cell.mass === 1) { cell.point = point; return; }
  if (depth > 40) return; // nodes on one spot
  if (!cell.quarters) {
    cell.quarters = [null, null, null, null];
    const former = cell.point;
    cell.point = null;
    insert(quarter(cell, former), former, depth + 1);
  }
  insert(quarter(cell, point), point, depth + 1);
}

function quarter(cell, point) {
  const half = cell.size / 2, right = point.x >= cell.x + half ? 1 : 0, below = point.y >= cell.y + half ? 1 : 0;
  const at = right + 2 * below;
  return cell.quarters[at] ||= square(cell.x + right * half, cell.y + below * half, half);
}

function repel(cell, point, strength) {
  if (!cell || cell.point === point) return;
  let dx = point.x - cell.cx, dy = point.y - cell.cy, squared = dx * dx + dy * dy;
  if (cell.quarters && cell.size * cell.size > THETA * THETA * squared) {
    for (const part of cell.quarters) repel(part, point, strength);
    return;
  }
  if (squared < 1) { dx = point.place % 7 - 3 || 1; dy = point.place % 5 - 2; squared = 1; }
  const push = strength * cell.mass / squared;
  point.vx += dx * push;
  point.vy += dy * push;
}

// Where the simulation starts: the node with most edges in the middle, around it its neighbours, each in front of the
// sector that its own have, so that little crosses from the beginning.
function fanOut(points, members, links) {
  const neighbours = new Map(members.map(i => [i, []]));
  for (const [s, o] of links) { neighbours.get(s).push(o); neighbours.get(o).push(s); }
  const root = members.reduce((a, b) => points[b].degree > points[a].degree ? b : a);
  const children = new Map([[root, []]]), order = [root], depth = new Map([[root, 0]]);
  for (const i of order)
    for (const next of neighbours.get(i)) {
      if (depth.has(next)) continue;
      depth.set(next, depth.get(i) + 1);
      children.set(next, []);
      children.get(i).push(next);
      order.push(next);
    }
  const leaves = new Map();
  for (const i of [...order].reverse()) leaves.set(i, children.get(i).reduce((sum, child) => sum + leaves.get(child), 0) || 1);
  const sectors = new Map([[root, [0, 2 * Math.PI]]]);
  order.forEach((i, place) => {
    let [angle, end] = sectors.get(i);
    const middle = (angle + end) / 2, radius = depth.get(i) * DISTANCE, share = (end - angle) / leaves.get(i);
    Object.assign(points[i], { x: radius * Math.cos(middle), y: radius * Math.sin(middle), vx: 0, vy: 0, place });
    for (const child of children.get(i)) {
      sectors.set(child, [angle, angle + share * leaves.get(child)]);
      angle += share * leaves.get(child);
    }
  });
}

function arrangePart(points, members, links) {
  fanOut(points, members, links);
  if (members.length < 2) return;
  const ticks = members.length > 600 ? 120 : 250, cooling = 0.002 ** (1 / ticks);
  for (let tick = 0, alpha = 1; tick < ticks; tick++, alpha *= cooling) {
    for (const [s, o] of links) {
      const a = points[s], b = points[o];
      if (a === b) continue;
      const dx = b.x + b.vx - a.x - a.vx, dy = b.y + b.vy - a.y - a.vy, length = Math.hypot(dx, dy) || 1;
      const far = DISTANCE + a.r + b.r + 12 * Math.sqrt(Math.min(a.degree, b.degree) - 1);
      const pull = (length - far) / length * alpha / Math.min(a.degree, b.degree);
      const share = a.degree / (a.degree + b.degree); // the node with more edges moves less
      b.vx -= dx * pull * share; b.vy -= dy * pull * share;
      a.vx += dx * pull * (1 - share); a.vy += dy * pull * (1 - share);
    }
    const tree = buildTree(points, members);
    for (const i of members) {
      const point = points[i];
      repel(tree, point, REPULSION * alpha);
      point.vx -= point.x * 0.02 * alpha;
      point.vy -= point.y * 0.02 * alpha;
    }
    for (const i of members) {
      const point = points[i];
      point.x += point.vx *= 0.6;
      point.y += point.vy *= 0.6;
    }
  }
}

// Gives every point, which has a radius r and a degree, its x and y.
function arrange(points, links, aspect) {
  const parts = connectedParts(points.length, links);
  const partOf = new Int32Array(points.length);
  parts.forEach((part, number) => part.forEach(i => { partOf[i] = number; }));
  const linksOf = parts.map(() => []);
  for (const link of links) linksOf[partOf[link[0]]].push(link);
  parts.forEach((part, number) => arrangePart(points, part, linksOf[number]));
  pack(points, parts, aspect);
}
