"""Triples of many documents as one graph: mentions of one name and type are a node, equal statements an edge."""

from collections import Counter
from collections.abc import Iterable, Mapping

from ..model.schema import Mention, Triple
from ..support.safe_text import one_line, printable
from .elements import Edge, Evidence, Node
from .names import normalised
from .triple_rows import Row


class KnowledgeGraph:
    """Nodes and edges, in the order in which they were first met.

    Args:
        min_score: statements that score less are left out; those without a score are not.
        provenance: keep where each statement was found. It takes some hundred bytes a statement; without it memory
            grows with the facts alone.
        texts: keep the texts of documents, too, for the HTML page.

    Types and predicates tell nodes and edges apart as they are written; of names see [`normalised`].
    """

    def __init__(self, *, min_score: float | None = None, provenance: bool = True, texts: bool = False) -> None:
        self.min_score, self.provenance = min_score, provenance
        self.documents = 0
        """Number of documents read, with triples or without."""
        self.models: list[str] = []
        """Models that found the triples, as far as rows name them."""
        self.texts: dict[str, str] | None = {} if texts else None
        """Texts by document, of those that have a fact; None unless they are to be kept."""
        self.low_statements = 0
        """Number of statements left out for their score."""
        self.rare_edges = 0
        """Number of edges left out for their documents."""
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
        """Merge rows; edges that fewer than `min_documents` documents state are left out in the end."""
        graph = cls(min_score=min_score, provenance=provenance, texts=texts)
        for row in rows:
            graph.add(row)
        graph.prune(min_documents)
        return graph

    def add(self, row: Row) -> None:
        """Put the triples of a row in."""
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
        """Leave out edges that fewer documents state."""
        kept = {key: edge for key, edge in self._edges.items() if edge.documents >= min_documents}
        self.rare_edges += len(self._edges) - len(kept)
        self._edges = kept

    @property
    def edges(self) -> list[Edge]:
        """All edges."""
        return list(self._edges.values())

    @property
    def nodes(self) -> list[Node]:
        """The nodes that are subject or object of an edge."""
        joined = {node for edge in self._edges.values() for node in (edge.subject, edge.object)}
        return [node for node in self._nodes.values() if node in joined]

    def edge(self, subject: Node, predicate: str, value: Node) -> Edge | None:
        """Return an edge, if it is there."""
        return self._edges.get((subject, predicate, value))

    def degrees(self) -> Mapping[Node, int]:
        """Count the edges of each node; one that leads back to its node counts twice."""
        return Counter(node for edge in self._edges.values() for node in (edge.subject, edge.object))

    def _count_document(self, document: str) -> None:
        # Names of all documents are only worth their memory beside all statements.
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
