// Puts the page together.

function start() {
  for (const edge of edges) {
    edge.from.edges.push(edge);
    if (edge.from !== edge.to) edge.to.edges.push(edge);
    edge.from.degree++;
    edge.to.degree++;
    predicates[edge.p].count++;
  }
  const pairs = new Map();
  for (const edge of edges) {
    const key = Math.min(edge.s, edge.o) * nodes.length + Math.max(edge.s, edge.o);
    pairs.set(key, [...pairs.get(key) ?? [], edge]);
  }
  for (const pair of pairs.values())
    pair.forEach((edge, at) => {
      const bend = edge.s === edge.o ? at : at - (pair.length - 1) / 2;
      edge.bend = edge.s > edge.o ? -bend : bend; // seen from the other end, left is right
    });
  for (const node of nodes) {
    types[node.type].count++;
    node.r = Math.min(24, 5 + 2.4 * Math.sqrt(node.degree));
    node.name = shortened(node.label);
    node.names = [node.label, ...node.aliases].map(folded);
  }
  byDegree.push(...[...nodes].sort((a, b) => b.degree - a.degree));
  arrange(nodes, edges.map(edge => [edge.s, edge.o]), Math.max(0.6, width() / Math.max(1, height())));
  const scores = edges.map(edge => edge.score).filter(value => value !== null);
  document.getElementById("by-score").hidden = !scores.length;
  least.max = scores.reduce((a, b) => Math.max(a, b), 1);
  legend("types", types, entry => [swatch(types.indexOf(entry))]);
  legend("predicates", predicates, () => []);
  readColours();
  applyFilters();
  fit();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); redraw(); });
// At once, not with the next frame: until then the browser would stretch what is drawn.
new ResizeObserver(() => { if (!touched) fit(); draw(); }).observe(canvas);
start();
