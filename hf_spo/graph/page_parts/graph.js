// Draws a graph with cytoscape, in places that d3-force computes. The graph page and the demo share it.

const TYPE_COLOURS = ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#2fa5a0", "#d4a72c", "#ff7f9e", "#9c755f",
  "#6b8e23", "#5a67d8", "#c05621"];
const typeColour = type => TYPE_COLOURS[type] ?? "#8c959f";
const shortened = text => [...text].length > 16 ? [...text].slice(0, 15).join("") + "…" : text;

// `boxes`: nodes are boxes with their name and type inside, for small graphs; otherwise circles above their name. Other
// options are cytoscape's.
function drawGraph(container, data, { boxes = false, ...options } = {}) {
  const degrees = data.nodes.map(() => 0);
  for (const { s, o } of data.edges) { degrees[s]++; degrees[o]++; }
  const names = data.nodes.map(({ label, type }) => boxes ? `${shortened(label)}\n${shortened(data.types[type])}` : shortened(label));
  const sizes = names.map((name, at) => boxes ? textWidth(name) + 24 : 10 + 5 * Math.min(8, Math.sqrt(degrees[at])));
  const places = arrange(data, sizes, container.clientWidth / Math.max(1, container.clientHeight));
  const drawn = cytoscape({
    container,
    elements: {
      nodes: data.nodes.map((node, at) => ({
        data: { id: `n${at}`, at, name: names[at], colour: typeColour(node.type), size: sizes[at], degree: degrees[at] },
        position: places[at],
      })),
      edges: data.edges.map((edge, at) => ({
        data: {
          id: `e${at}`, source: `n${edge.s}`, target: `n${edge.o}`, name: edgeText(edge, data.predicates),
          width: Math.min(4, 1 + 0.6 * Math.log2(edge.documents)), opacity: edge.score === null ? 0.8 : 0.4 + 0.5 * Math.min(1, Math.max(0, edge.score)),
        },
        classes: edge.conflicts.length ? "wrong" : "",
      })),
    },
    style: graphStyle(container, boxes, data.nodes.length),
    layout: { name: "preset" },
    minZoom: 0.03, maxZoom: 4, autounselectify: true, boxSelectionEnabled: false,
    hideEdgesOnViewport: data.edges.length > 1000, ...options,
  });
  fitGraph(drawn);
  // Colours come from the page's style sheet, which may have a light and a dark form.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.style(graphStyle(container, boxes, data.nodes.length)));
  return drawn;
}

const FONT = "system-ui, sans-serif";

function textWidth(text) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `13px ${FONT}`;
  return Math.max(...text.split("\n").map(line => pen.measureText(line).width));
}

// Shows all visible elements, small graphs not too large.
function fitGraph(drawn) {
  const visible = drawn.elements(":visible");
  drawn.fit(visible, 30);
  if (drawn.zoom() > 1.4) { drawn.zoom(1.4); drawn.center(visible); }
}

// The predicate, and below it the qualifiers.
function edgeText({ p, qualifiers }, predicates) {
  const slots = qualifiers.flatMap(Object.entries).map(([slot, value]) => shortened(`${slot}: ${value}`));
  return [shortened(predicates[p]), ...new Set(slots)].slice(0, 3).join("\n");
}

// Computes positions: the same graph gets the same ones. `ratio` is the width of the container over its height.
function arrange(data, sizes, ratio) {
  const places = sizes.map(size => ({ size })), count = places.length;
  const links = data.edges.filter(({ s, o }) => s !== o).map(({ s, o }) => ({ source: s, target: o }));
  const ticks = count > 400 ? 100 : 300;
  d3.forceSimulation(places)
    .alphaDecay(1 - 0.001 ** (1 / ticks))
    .force("link", d3.forceLink(links).distance(({ source, target }) => 70 + (source.size + target.size) / 2))
    .force("charge", d3.forceManyBody().strength(({ size }) => -200 - 10 * size).distanceMax(900))
    .force("apart", d3.forceCollide(({ size }) => 18 + size / 2))
    .force("x", d3.forceX().strength(0.06 / Math.max(0.5, ratio)))
    .force("y", d3.forceY().strength(0.06 * Math.min(1.5, Math.max(0.5, ratio))))
    .stop().tick(ticks);
  return places.map(({ x, y }) => ({ x, y }));
}

function graphStyle(container, boxes, count) {
  const page = getComputedStyle(container), colour = name => page.getPropertyValue(`--${name}`).trim();
  const text = { label: "data(name)", "font-family": FONT, "text-outline-color": colour("paper"), "text-outline-width": 2.5, "text-wrap": "wrap" };
  const circle = {
    width: "data(size)", height: "data(size)", "border-width": 1.5, "border-color": colour("paper"),
    // In large graphs, names of nodes with many facts are larger, so that they are legible when all is shown.
    "font-size": `mapData(degree, 1, 30, 11, ${Math.min(44, 12 + count / 30)})`, "min-zoomed-font-size": 9, "text-valign": "bottom", "text-margin-y": 3,
  };
  const box = {
    shape: "round-rectangle", width: "data(size)", height: 42, "background-color": colour("paper"), "border-width": 2, "border-color": "data(colour)",
    "font-size": 13, "text-valign": "center", "text-outline-width": 0,
  };
  return [
    { selector: "node", style: { ...text, color: colour("ink"), "background-color": "data(colour)", ...boxes ? box : circle } },
    { selector: "edge", style: {
      ...text, width: "data(width)", "line-opacity": "data(opacity)", "curve-style": "bezier", "control-point-step-size": 34,
      "line-color": colour("edge"), "target-arrow-color": colour("edge"), "target-arrow-shape": "triangle", "arrow-scale": 0.8,
      color: colour("soft"), "font-size": boxes ? 12 : 10, "min-zoomed-font-size": 8, "text-rotation": "autorotate",
    } },
    { selector: "edge.wrong", style: {
      "line-color": colour("wrong"), "target-arrow-color": colour("wrong"), color: colour("wrong"), "line-style": "dashed",
    } },
    { selector: ".faded", style: { opacity: 0.15 } },
    { selector: "node.marked", style: { "font-weight": 700, "min-zoomed-font-size": 0, "z-index": 1 } },
    { selector: "edge.marked", style: { "line-opacity": 1, "min-zoomed-font-size": 0 } },
    { selector: "node.selected", style: { "border-width": 3, "border-color": colour("ink") } },
    { selector: ".hidden", style: { display: "none" } },
  ];
}
