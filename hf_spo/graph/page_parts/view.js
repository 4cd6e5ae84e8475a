// The drawing on the page: buttons and keys that move it, and which nodes stand out.

const stage = document.getElementById("graph");
const cy = drawGraph(stage, data);
nodes.forEach((node, at) => { node.drawn = cy.getElementById(`n${at}`); });
edges.forEach((edge, at) => { edge.drawn = cy.getElementById(`e${at}`); });
let selected = null, moved = false; // moved: the user has chosen a part of the graph, so a resize does not change it

function zoom(factor) {
  moved = true;
  cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
}

function fit() {
  moved = false;
  fitGraph(cy);
}

function goTo(node) {
  moved = true;
  const { x, y } = node.drawn.position(), zoom = Math.max(cy.zoom(), 0.9);
  const pan = { x: cy.width() / 2 - x * zoom, y: cy.height() / 2 - y * zoom };
  cy.stop().animate({ zoom, pan }, { duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 350 });
}

// Emphasises the selected node with its neighbours, and the nodes that the search found.
function emphasise(found) {
  cy.batch(() => {
    cy.elements().removeClass("faded marked selected");
    for (const node of found) node.drawn.addClass("marked");
    if (!selected) return;
    const near = selected.drawn.closedNeighborhood();
    cy.elements().not(near).addClass("faded");
    near.addClass("marked");
    selected.drawn.addClass("selected");
  });
}

cy.on("tap", event => select(event.target.isNode?.() ? nodes[event.target.data("at")] : null, false));
cy.on("mouseover", "node", () => { stage.style.cursor = "pointer"; });
cy.on("mouseout", "node", () => { stage.style.cursor = ""; });
cy.on("dragpan scrollzoom pinchzoom", () => { moved = true; });

const STEPS = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
const KEYS = { "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit };
stage.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const [x, y] = STEPS[event.key] ?? [];
  if (x === undefined && !KEYS[event.key]) return;
  event.preventDefault();
  if (x === undefined) KEYS[event.key](); else { moved = true; cy.panBy({ x, y }); }
});
for (const [id, act] of Object.entries({ closer: () => zoom(1.35), further: () => zoom(0.74), whole: fit }))
  document.getElementById(id).addEventListener("click", act);
new ResizeObserver(() => { cy.resize(); if (!moved) fit(); }).observe(stage);
