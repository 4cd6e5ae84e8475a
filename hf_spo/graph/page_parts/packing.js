// Puts the parts of a graph beside one another: the largest in the middle, each next one as near to it as there is room.

const MARGIN = 26, FINEST = 20, CELLS = 150; // of all boxes together, along a side

function pack(points, parts, aspect) {
  const boxes = parts.map(part => {
    if (part.length > 1) levelOut(points, part);
    const xs = part.map(i => points[i].x), ys = part.map(i => points[i].y);
    const left = xs.reduce((a, b) => Math.min(a, b)) - MARGIN - 12, top = ys.reduce((a, b) => Math.min(a, b)) - MARGIN;
    const right = xs.reduce((a, b) => Math.max(a, b)) + MARGIN + 12, below = ys.reduce((a, b) => Math.max(a, b)) + MARGIN;
    return { part, left, top, width: right - left, height: below - top };
  });
  const cell = Math.max(FINEST, Math.sqrt(boxes.reduce((sum, box) => sum + box.width * box.height, 0)) / CELLS);
  for (const box of boxes) {
    box.wide = Math.ceil(box.width / cell);
    box.high = Math.ceil(box.height / cell);
  }
  boxes.sort((a, b) => b.wide * b.high - a.wide * a.high);
  const area = boxes.reduce((sum, box) => sum + box.wide * box.high, 0);
  const longest = boxes.reduce((most, box) => Math.max(most, box.wide, box.high), 1);
  // Room enough for all, even if the boxes were spread badly.
  const side = Math.ceil(2 * Math.sqrt(area * Math.max(aspect, 1 / aspect)) + 2 * longest);
  const taken = new Uint8Array(side * side), places = nearFirst(side, aspect);
  let skip = 0;
  for (const box of boxes) {
    while (skip < places.length && taken[places[skip]]) skip++;
    for (let at = skip; at < places.length; at++) {
      const column = places[at] % side - (box.wide >> 1), row = Math.floor(places[at] / side) - (box.high >> 1);
      if (!isFree(taken, side, column, row, box)) continue;
      for (let y = row; y < row + box.high; y++) taken.fill(1, y * side + column, y * side + column + box.wide);
      for (const i of box.part) {
        points[i].x += column * cell - box.left;
        points[i].y += row * cell - box.top;
      }
      break;
    }
  }
}

// Returns all cells, those first that are nearest to the middle.
function nearFirst(side, aspect) {
  const middle = side / 2, rings = [];
  for (let at = 0; at < side * side; at++) {
    const dx = (at % side - middle) / aspect, dy = Math.floor(at / side) - middle;
    // A rectangle with round corners, as windows are rectangles.
    const ring = Math.floor(2 * (dx ** 6 + dy ** 6) ** (1 / 6));
    (rings[ring] ||= []).push(at);
  }
  return rings.filter(Boolean).flat();
}

function isFree(taken, side, column, row, box) {
  if (column < 0 || row < 0 || column + box.wide > side || row + box.high > side) return false;
  for (let y = row; y < row + box.high; y++)
    for (let x = column; x < column + box.wide; x++)
      if (taken[y * side + x]) return false;
  return true;
}

// Turns a part so that its longer side lies across: names are written across, too.
function levelOut(points, part) {
  const mx = part.reduce((sum, i) => sum + points[i].x, 0) / part.length;
  const my = part.reduce((sum, i) => sum + points[i].y, 0) / part.length;
  let xx = 0, yy = 0, xy = 0;
  for (const i of part) {
    const dx = points[i].x - mx, dy = points[i].y - my;
    xx += dx * dx; yy += dy * dy; xy += dx * dy;
  }
  const angle = -0.5 * Math.atan2(2 * xy, xx - yy), cos = Math.cos(angle), sin = Math.sin(angle);
  for (const i of part) {
    const dx = points[i].x - mx, dy = points[i].y - my;
    points[i].x = dx * cos - dy * sin;
    points[i].y = dx * sin + dy * cos;
  }
}
