// Draws a graph with cytoscape, in places that d3-force computes. The graph page and the demo share it.

const TYPE_COLOURS = ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#2fa5a0", "#d4a72c", "#ff7f9e", "#9c755f",
  "#6b8e23", "#5a67d8", "#c05621"];
const typeColour = type => TYPE_COLOURS[type] ?? "#8c959f";
const shortened = text => [...text].length > 16 ? [...text].slice(0, 15).join("") + "…" : text;

function drawGraph(container, data) {
  const degrees = data.nodes.map(() => 0);
  for (const { s, o } of data.edges) { degrees[s]++; degrees[o]++; }
  const places = arrange(data, container.clientWidth / Math.max(1, container.clientHeight));
  const drawn = cytoscape({
    container,
    elements: {
      nodes: data.nodes.map((node, at) => ({
        data: { id: `n${at}`, at, name: shortened(node.label), colour: typeColour(node.type), root: Math.sqrt(degrees[at]) },
        position: places[at],
      })),
      edges: data.edges.map((edge, at) => ({
        data: {
          id: `e${at}`, source: `n${edge.s}`, target: `n${edge.o}`, name: shortened(data.predicates[edge.p]),
          width: Math.min(4, 1 + 0.6 * Math.log2(edge.documents)), opacity: edge.score === null ? 0.8 : 0.4 + 0.5 * Math.min(1, Math.max(0, edge.score)),
        },
        classes: edge.conflicts.length ? "wrong" : "",
      })),
    },
    style: graphStyle(container),
    layout: { name: "preset", padding: 30 },
    minZoom: 0.03, maxZoom: 4, autounselectify: true, boxSelectionEnabled: false,
    hideEdgesOnViewport: data.edges.length > 1000,
  });
  if (drawn.zoom() > 1.4) { drawn.zoom(1.4); drawn.center(); }
  // Colours come from the page's style sheet, which may have a light and a dark form.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.style(graphStyle(container)));
  return drawn;
}

// Computes positions: the same graph gets the same ones. `ratio` is the width of the container over its height.
function arrange(data, ratio) {
  const places = data.nodes.map(() => ({})), count = places.length;
  const links = data.edges.filter(({ s, o }) => s !== o).map(({ s, o }) => ({ source: s, target: o }));
  const ticks = count > 400 ? 100 : 300;
  d3.forceSimulation(places)
    .alphaDecay(1 - 0.001 ** (1 / ticks))
    .force("link", d3.forceLink(links).distance(95))
    .force("charge", d3.forceManyBody().strength(-320).distanceMax(900))
    .force("apart", d3.forceCollide(26))
    .force("x", d3.forceX().strength(0.06 / Math.max(0.5, ratio)))
    .force("y", d3.forceY().strength(0.06 * Math.min(2, Math.max(0.5, ratio))))
    .stop().tick(ticks);
  return places.map(({ x, y }) => ({ x, y }));
}

function graphStyle(container) {
  const page = getComputedStyle(container), colour = name => page.getPropertyValue(`--${name}`).trim();
  const text = { label: "data(name)", "font-family": "system-ui, sans-serif", "text-outline-color": colour("paper"), "text-outline-width": 2.5 };
  return [
    { selector: "node", style: {
      ...text, width: "mapData(root, 0, 8, 10, 50)", height: "mapData(root, 0, 8, 10, 50)", "background-color": "data(colour)",
      "border-width": 1.5, "border-color": colour("paper"), color: colour("ink"),
      // Names of nodes with many facts are larger, so that they are legible from afar.
      "font-size": "mapData(root, 0, 6, 11, 44)", "min-zoomed-font-size": 9, "text-valign": "bottom", "text-margin-y": 3,
    } },
    { selector: "edge", style: {
      ...text, width: "data(width)", opacity: "data(opacity)", "curve-style": "bezier", "control-point-step-size": 34,
      "line-color": colour("edge"), "target-arrow-color": colour("edge"), "target-arrow-shape": "triangle", "arrow-scale": 0.8,
      color: colour("soft"), "font-size": 10, "min-zoomed-font-size": 8, "text-rotation": "autorotate",
    } },
    { selector: "edge.wrong", style: {
      "line-color": colour("wrong"), "target-arrow-color": colour("wrong"), color: colour("wrong"), "line-style": "dashed",
    } },
    { selector: ".faded", style: { opacity: 0.15 } },
    { selector: "node.marked", style: { "font-weight": 700, "min-zoomed-font-size": 0, "z-index": 1 } },
    { selector: "edge.marked", style: { opacity: 1, "min-zoomed-font-size": 0 } },
    { selector: "node.selected", style: { "border-width": 3, "border-color": colour("ink") } },
    { selector: ".hidden", style: { display: "none" } },
  ];
}
