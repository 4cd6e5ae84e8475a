// The graph as objects that refer to each other.

const data = JSON.parse(document.getElementById("data").textContent);
const folded = text => text.normalize("NFKC").toLowerCase();
const named = name => ({ name: name || "no type", on: true, count: 0 });
const types = data.types.map(named), predicates = data.predicates.map(named);
const nodes = data.nodes.map(node => ({ ...node, edges: [], visible: true, names: [node.label, ...node.aliases].map(folded) }));
const edges = data.edges.map(edge => ({ ...edge, from: nodes[edge.s], to: nodes[edge.o], visible: true }));
for (const edge of edges) {
  edge.from.edges.push(edge);
  if (edge.from !== edge.to) edge.to.edges.push(edge);
  predicates[edge.p].count++;
}
for (const node of nodes) types[node.type].count++;
const byDegree = [...nodes].sort((a, b) => b.edges.length - a.edges.length);
