// The panel of one node: its facts, their scores, and the sentences that state them. All data is inserted as text.

const panel = document.getElementById("facts");

function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (key === "onclick") made.addEventListener("click", value); else made.setAttribute(key, value);
  made.append(...content);
  return made;
}

const plural = (number, one) => `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;
const name = text => element("bdi", {}, text);
const swatch = type => element("i", { class: "swatch", style: `background:${typeColour(type)}` });
const score = value => value === null ? "" : value.toFixed(2);

function nodeButton(node) {
  return element("button", { type: "button", class: "node", title: types[node.type].name, onclick: () => select(node, true) },
    swatch(node.type), name(node.label));
}

function select(node, move) {
  selected = node;
  panel.hidden = !node;
  panel.replaceChildren(...(node ? about(node) : []));
  if (node) {
    panel.scrollIntoView({ block: "nearest" });
    if (move) goTo(node);
  }
  emphasise(searched());
}

function about(node) {
  const outgoing = node.edges.filter(edge => edge.visible && edge.from === node);
  const incoming = node.edges.filter(edge => edge.visible && edge.to === node && edge.from !== node);
  const hidden = node.edges.filter(edge => !edge.visible).length;
  const parts = [
    element("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => select(null) }, "✕"),
    element("h2", { tabindex: "-1" }, name(node.label)),
    element("p", {}, swatch(node.type), name(types[node.type].name), ` · ${plural(node.mentions, "mention")}`),
  ];
  if (node.aliases.length) parts.push(element("p", {}, "also ", name(node.aliases.join(" · "))));
  if (outgoing.length) parts.push(element("ul", { class: "list" }, ...outgoing.map(edge => fact(edge, edge.to, false))));
  if (incoming.length) parts.push(element("h3", {}, "Object of"), element("ul", { class: "list" }, ...incoming.map(edge => fact(edge, edge.from, true))));
  if (hidden) parts.push(element("p", {}, `${plural(hidden, "fact")} hidden by the filters.`));
  return parts;
}

function fact(edge, other, isObject) {
  const predicate = element("span", { class: "predicate" }, name(predicates[edge.p].name));
  const line = element("div", { class: "fact" }, ...(isObject ? [nodeButton(other), predicate] : [predicate, nodeButton(other)]));
  line.append(element("small", { class: "support" }, [score(edge.score), plural(edge.documents, "document")].filter(Boolean).join(" · ")));
  const item = element("li", edge.conflicts.length ? { class: "wrong" } : {}, line);
  for (const qualifiers of edge.evidence.length ? [] : edge.qualifiers) // the sentences below show them otherwise
    item.append(element("div", { class: "qualifiers" }, ...slots(qualifiers)));
  for (const number of edge.conflicts)
    item.append(element("div", { class: "conflict" }, "⚠ ", name(conflictText(number))));
  if (edge.evidence.length) {
    const left = edge.count - edge.evidence.length;
    const summary = element("summary", {}, plural(edge.count, "statement") + (edge.mean === null || edge.count === 1 ? "" : `, mean score ${score(edge.mean)}`));
    const list = element("details", {}, summary, ...edge.evidence.map(sentence));
    if (left > 0) list.append(element("p", {}, `and ${left.toLocaleString("en")} more`));
    // A single sentence is short enough to show at once.
    list.open = edge.evidence.some(one => one.pieces.length) && edge.count === 1 && selectedHasFew();
    item.append(list);
  }
  return item;
}

const selectedHasFew = () => selected.edges.length <= 6;

function slots(qualifiers) {
  return Object.entries(qualifiers).flatMap(([slot, value]) => [element("small", {}, name(slot), ": "), name(value), " "]);
}

function sentence({ document: source, score: value, qualifiers, pieces }) {
  const roles = ["", "subject", "object", "subject object"];
  const text = pieces.map(([words, role]) => role ? element("mark", { class: roles[role] }, words) : words);
  const about = element("small", {}, name(source), value === null ? "" : ` · ${score(value)}`, " ", ...slots(qualifiers));
  return element("blockquote", {}, ...(text.length ? [element("p", {}, ...text)] : []), about);
}

const conflictItems = document.querySelectorAll("#conflicts li");
const conflictText = number => conflictItems[number].querySelector("bdi").textContent;
conflictItems.forEach((item, number) => {
  const [first] = data.conflicts[number];
  if (first === undefined) return;
  item.append(" ", element("button", { type: "button", class: "show", onclick: () => select(edges[first].from, true) }, "show"));
});
