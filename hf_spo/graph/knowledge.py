"""Merge the triples of many documents: mentions of the same name and type form a node, equal statements an edge."""

from collections import Counter
from collections.abc import Iterable, Mapping

from ..model.schema import Mention, Triple
from ..support.safe_text import one_line, printable
from .elements import Edge, Evidence, Node
from .names import normalised
from .triple_rows import Row


class KnowledgeGraph:
    """Nodes and edges, in the order of their first occurrence.

    Args:
        min_score: leave out statements with a lower score; statements without a score are kept.
        provenance: keep document, offsets and score of each statement, a few hundred bytes each. Without it, memory
            grows with the number of facts only.
        texts: keep the texts of the documents for the HTML page.

    Types and predicates are compared as written, names as described at [`normalised`].
    """

    def __init__(self, *, min_score: float | None = None, provenance: bool = True, texts: bool = False) -> None:
        self.min_score, self.provenance = min_score, provenance
        self.documents = 0
        """Number of documents read, including those without triples."""
        self.models: list[str] = []
        """Models that found the triples, if the rows name them."""
        self.texts: dict[str, str] | None = {} if texts else None
        """Texts of the documents with triples, by document; None if texts are not kept."""
        self.low_statements = 0
        """Number of statements left out because of a low score."""
        self.rare_edges = 0
        """Number of edges left out because too few documents state them."""
        self._nodes: dict[tuple[str, str], Node] = {}
        self._by_mention: dict[tuple[str, str], tuple[Node, str]] = {}
        self._edges: dict[tuple[Node, str, Node], Edge] = {}
        self._seen: set[str] = set()
        self._last_document: str | None = None

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Row],
        *,
        min_score: float | None = None,
        min_documents: int = 1,
        provenance: bool = True,
        texts: bool = False,
    ) -> "KnowledgeGraph":
        """Merge rows, then leave out edges that fewer than `min_documents` documents state."""
        graph = cls(min_score=min_score, provenance=provenance, texts=texts)
        for row in rows:
            graph.add(row)
        graph.prune(min_documents)
        return graph

    def add(self, row: Row) -> None:
        """Add the triples of a row."""
        document, model = one_line(row.document), one_line(row.model)
        if document != self._last_document:
            self._last_document = document
            self._count_document(document)
        if model and model not in self.models:
            self.models.append(model)
        for triple in row.triples:
            if self.min_score is not None and triple.score is not None and triple.score < self.min_score:
                self.low_statements += 1
            else:
                self._state(triple, document)
        if self.texts is not None and row.text is not None and row.triples:
            self.texts[document] = printable(row.text)

    def prune(self, min_documents: int) -> None:
        """Remove edges that fewer documents state."""
        kept = {key: edge for key, edge in self._edges.items() if edge.documents >= min_documents}
        self.rare_edges += len(self._edges) - len(kept)
        self._edges = kept

    def merge(self, pairs: Iterable[tuple[Node, Node]]) -> None:
        """Merge nodes into others: (merged, kept) pairs, in which no kept node is itself merged.

        Later rows that name a merged node add to the kept one.
        """
        into = dict(pairs)
        if not into:
            return
        for merged, kept in into.items():
            kept.name = kept.label
            kept.forms.update(merged.forms)

        def kept_node(node: Node) -> Node:
            return into.get(node, node)

        self._nodes = {key: kept_node(node) for key, node in self._nodes.items()}
        self._by_mention = {written: (kept_node(node), form) for written, (node, form) in self._by_mention.items()}
        old, self._edges = self._edges, {}
        for edge in old.values():
            key = (kept_node(edge.subject), edge.predicate, kept_node(edge.object))
            self._edges.setdefault(key, Edge(*key)).absorb(edge, kept_node)

    @property
    def all_nodes(self) -> list[Node]:
        """All nodes, those that only qualify an edge included."""
        return list(dict.fromkeys(self._nodes.values()))

    def node(self, type_: str, name: str) -> Node | None:
        """Return the node of a name, in any writing that is [`normalised`] to its key, or None."""
        return self._nodes.get((type_, normalised(name)))

    @property
    def edges(self) -> list[Edge]:
        """All edges."""
        return list(self._edges.values())

    @property
    def nodes(self) -> list[Node]:
        """The nodes that are subject or object of an edge."""
        joined = {node for edge in self._edges.values() for node in (edge.subject, edge.object)}
        return [node for node in self.all_nodes if node in joined]

    def edge(self, subject: Node, predicate: str, value: Node) -> Edge | None:
        """Return an edge, or None if the graph lacks it."""
        return self._edges.get((subject, predicate, value))

    def degrees(self) -> Mapping[Node, int]:
        """Count the edges of each node; an edge from a node to itself counts twice."""
        return Counter(node for edge in self._edges.values() for node in (edge.subject, edge.object))

    def _count_document(self, document: str) -> None:
        # Without provenance, memory must not grow with the number of documents.
        self.documents += document not in self._seen
        if self.provenance:
            self._seen.add(document)

    def _state(self, triple: Triple, document: str) -> None:
        subject, value = self._node(triple.subject), self._node(triple.object)
        key = (subject, one_line(triple.predicate), value)
        edge = self._edges.get(key)
        if edge is None:
            edge = self._edges[key] = Edge(*key)
        qualifiers = tuple((one_line(slot), self._node(mention)) for slot, mention in sorted(triple.qualifiers.items()))
        statement = Evidence(document, triple.subject.span, triple.object.span, triple.score, qualifiers)
        edge.add(statement, self.provenance)

    def _node(self, mention: Mention) -> Node:
        written = (mention.type, mention.text)
        if written not in self._by_mention:
            key = (one_line(mention.type), normalised(mention.text))
            self._by_mention[written] = self._nodes.setdefault(key, Node(*key)), one_line(mention.text)
        node, form = self._by_mention[written]
        node.forms[form] += 1
        return node
