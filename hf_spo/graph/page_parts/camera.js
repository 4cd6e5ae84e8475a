// Moves the view: wheel, pinch, drag, buttons and keys. A node that is dragged stays where it is put.

const touches = new Map(); // pointers that are down, by id
let dragged = null, pinch = 0, moved = 0, touched = false; // touched: the view is where somebody put it

function zoom(factor, x = width() / 2, y = height() / 2) {
  const [wx, wy] = toWorld(x, y);
  touched = true;
  camera.k = Math.min(6, Math.max(0.03, camera.k * factor));
  camera.x = wx - (x - width() / 2) / camera.k;
  camera.y = wy - (y - height() / 2) / camera.k;
  redraw();
}

function fit() {
  touched = false;
  const shown = nodes.filter(node => node.visible);
  if (!shown.length || !width()) return;
  let [left, top, right, below] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, r } of shown) {
    left = Math.min(left, x - r); right = Math.max(right, x + r);
    top = Math.min(top, y - r); below = Math.max(below, y + r);
  }
  camera.x = (left + right) / 2;
  camera.y = (top + below) / 2;
  camera.k = Math.min(1.6, (width() - 70) / (right - left + 1), (height() - 80) / (below - top + 1));
  camera.k = Math.max(0.03, camera.k);
  redraw();
}

// Brings a node into the middle, near enough to read the names around it.
function goTo(node) {
  touched = true;
  const from = { ...camera }, to = { x: node.x, y: node.y, k: Math.max(camera.k, 0.9) };
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches, start = performance.now();
  const step = now => {
    const part = still ? 1 : Math.min(1, (now - start) / 350), eased = 1 - (1 - part) ** 3;
    for (const name of ["x", "y", "k"]) camera[name] = from[name] + (to[name] - from[name]) * eased;
    draw();
    if (part < 1) requestAnimationFrame(step);
  };
  step(start);
}

function nodeAt(x, y, reach) {
  let best = null, least = Infinity;
  for (const node of nodes) {
    if (!node.visible) continue;
    const [nx, ny] = toScreen(node.x, node.y), distance = Math.hypot(nx - x, ny - y) - radius(node);
    if (distance < reach && distance < least) { best = node; least = distance; }
  }
  return best;
}

function pointerSpread() {
  const [a, b] = [...touches.values()];
  return { distance: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

canvas.addEventListener("pointerdown", event => {
  canvas.setPointerCapture(event.pointerId);
  touches.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  moved = 0;
  dragged = touches.size === 1 ? nodeAt(event.offsetX, event.offsetY, event.pointerType === "mouse" ? 3 : 12) : null;
  pinch = touches.size === 2 ? pointerSpread().distance : 0;
});

canvas.addEventListener("pointermove", event => {
  const last = touches.get(event.pointerId);
  if (!last) {
    const found = nodeAt(event.offsetX, event.offsetY, 3);
    if (found !== hovered) { hovered = found; canvas.style.cursor = found ? "pointer" : ""; redraw(); }
    return;
  }
  const dx = event.offsetX - last.x, dy = event.offsetY - last.y;
  moved += Math.abs(dx) + Math.abs(dy);
  touched = true;
  Object.assign(last, { x: event.offsetX, y: event.offsetY });
  if (touches.size === 2) {
    const { distance, x, y } = pointerSpread();
    zoom(distance / (pinch || distance), x, y);
    pinch = distance;
  } else if (dragged && moved > 4) {
    [dragged.x, dragged.y] = toWorld(event.offsetX, event.offsetY);
  } else if (!dragged) {
    camera.x -= dx / camera.k;
    camera.y -= dy / camera.k;
  }
  redraw();
});

function release(event) {
  if (!touches.delete(event.pointerId)) return;
  if (event.type === "pointerup" && moved <= 4 && !touches.size) select(dragged, false);
  dragged = null;
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", () => { if (hovered) { hovered = null; redraw(); } });
canvas.addEventListener("wheel", event => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
}, { passive: false });

const KEYS = {
  ArrowLeft: () => { camera.x -= 60 / camera.k; }, ArrowRight: () => { camera.x += 60 / camera.k; },
  ArrowUp: () => { camera.y -= 60 / camera.k; }, ArrowDown: () => { camera.y += 60 / camera.k; },
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit,
};
canvas.addEventListener("keydown", event => {
  if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  touched = true;
  KEYS[event.key]();
  redraw();
});
for (const [name, act] of Object.entries({ closer: () => zoom(1.35), further: () => zoom(0.74), whole: fit }))
  document.getElementById(name).addEventListener("click", act);
