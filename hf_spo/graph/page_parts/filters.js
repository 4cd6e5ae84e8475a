// The search, and filters by type, predicate and score.

const search = document.getElementById("search"), results = document.getElementById("results");
const least = document.getElementById("least"), leastShown = document.getElementById("least-shown");
const RESULTS = 8;

function applyFilters() {
  const from = Number(least.value);
  for (const node of nodes) node.visible = false;
  let shown = 0;
  for (const edge of edges) {
    edge.visible = predicates[edge.p].on && types[edge.from.type].on && types[edge.to.type].on
      && (edge.score === null || edge.score >= from);
    if (edge.visible) { edge.from.visible = edge.to.visible = true; shown++; }
  }
  cy.batch(() => {
    for (const { drawn, visible } of [...nodes, ...edges]) drawn.toggleClass("hidden", !visible);
  });
  leastShown.textContent = from.toFixed(2);
  const count = nodes.reduce((sum, node) => sum + node.visible, 0);
  document.getElementById("shown").textContent = `${plural(count, "node")}, ${plural(shown, "fact")} visible`;
  if (selected) select(selected.visible ? selected : null, false);
  find();
}

function legend(id, entries, mark) {
  const list = document.getElementById(id);
  for (const entry of entries) {
    const box = element("input", { type: "checkbox" });
    box.checked = true;
    box.addEventListener("change", () => { entry.on = box.checked; applyFilters(); });
    entry.box = box;
    list.append(element("li", {}, element("label", {}, box, ...mark(entry), name(entry.name), " ", element("small", {}, entry.count.toLocaleString("en")))));
  }
  const all = on => () => {
    for (const entry of entries) entry.on = entry.box.checked = on;
    applyFilters();
  };
  list.before(element("p", { class: "all" },
    element("button", { type: "button", onclick: all(true) }, "all"), " ",
    element("button", { type: "button", onclick: all(false) }, "none")));
}

function matching() {
  const query = folded(search.value.trim());
  const fits = node => node.visible && (!query || node.names.some(text => text.includes(query)));
  const found = byDegree.filter(fits);
  const rank = node => node.names[0] === query ? 0 : node.names[0].startsWith(query) ? 1 : 2;
  return query ? found.sort((a, b) => rank(a) - rank(b)) : found;
}

// Nodes to emphasise in the drawing.
const searched = () => search.value.trim() ? matching().slice(0, 200) : [];

function find() {
  const found = matching();
  results.replaceChildren(...found.slice(0, RESULTS).map(node =>
    element("li", {}, nodeButton(node), " ", element("small", {}, name(types[node.type].name), ` · ${plural(node.edges.length, "fact")}`))));
  const more = found.length - RESULTS;
  document.getElementById("found").textContent = !nodes.length ? "" : !found.length ? "no matching node"
    : more > 0 ? `and ${more.toLocaleString("en")} more` : "";
  emphasise(searched());
}

search.addEventListener("input", find);
search.addEventListener("keydown", event => {
  if (event.key !== "Enter") return;
  const [first] = matching();
  if (first) select(first, true);
});
least.addEventListener("input", applyFilters);
document.addEventListener("keydown", event => {
  if (event.key === "Escape") select(null);
  if (event.key === "/" && document.activeElement?.tagName !== "INPUT") { event.preventDefault(); search.focus(); }
});

const scores = edges.map(edge => edge.score).filter(value => value !== null);
document.getElementById("by-score").hidden = !scores.length;
least.max = scores.reduce((a, b) => Math.max(a, b), 1);
legend("types", types, entry => [swatch(types.indexOf(entry))]);
legend("predicates", predicates, () => []);
applyFilters();
