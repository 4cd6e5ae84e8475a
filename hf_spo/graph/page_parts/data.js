// The graph, as objects that point to one another.

const data = JSON.parse(document.getElementById("data").textContent);
const shortened = text => [...text].length > 16 ? [...text].slice(0, 15).join("") + "…" : text;
const named = name => ({ name: name || "no type", short: shortened(name), on: true, count: 0 });
const types = data.types.map(named), predicates = data.predicates.map(named);
const nodes = data.nodes.map(node => ({ ...node, edges: [], degree: 0, visible: true, x: 0, y: 0 }));
const edges = data.edges.map(edge => ({ ...edge, from: nodes[edge.s], to: nodes[edge.o], visible: true, bend: 0 }));
const byDegree = [];
