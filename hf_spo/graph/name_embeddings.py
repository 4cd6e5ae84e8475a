"""Claims that nodes mean the same because the embeddings of their names are similar.

claims = embedding_claims(graph, sentence_encoder("sentence-transformers/LaBSE"), 0.95, "LaBSE")
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ..support.extras import require
from .elements import Node
from .knowledge import KnowledgeGraph
from .merging import Merge, importance

Matrix = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Matrix]
"""Returns a row of length 1 for each name."""

_ROWS, _COLUMNS = 512, 16_384
"""Size of a block of similarities; whole, they would take memory that grows with the square of the names."""


def sentence_encoder(model: str) -> Encode:
    """Load a model of sentence-transformers.

    Args:
        model: its folder, or its name on the Hub.

    Raises:
        ImportError: sentence-transformers is not installed.
        OSError: there is no such model.
    """
    package = require("sentence_transformers", "embeddings", "merging by embeddings")
    loaded = package.SentenceTransformer(model)

    def encode(names: Sequence[str]) -> Matrix:
        rows = loaded.encode(list(names), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False)
        return np.asarray(rows, np.float32)

    return encode


def embedding_claims(graph: KnowledgeGraph, encode: Encode, threshold: float, model: str) -> list[Merge]:
    """Claim that names of a type are the same if the cosine of their embeddings is at least `threshold`.

    A name is only ever claimed to be the same as one that it was itself compared with: going from the most mentioned
    name to the least, a name that is like none of those kept before is kept, any other goes to the one that it is most
    like. Names whose digits or numerals differ are not compared, since embeddings hardly tell 2008 from 2009.
    """
    groups: dict[tuple[str, str], list[Node]] = {}
    for node in sorted(graph.all_nodes, key=importance):
        numerals = "".join(filter(str.isnumeric, node.key))
        groups.setdefault((node.type, numerals), []).append(node)
    claims = []
    for nodes in groups.values():
        if len(nodes) > 1:
            for merged, kept, similarity in _similar(encode([node.label for node in nodes]), threshold):
                like = nodes[kept].label
                reason = f"embeddings of {model}: like {like}"
                claim = Merge(like, nodes[merged].label, nodes[merged].type, reason, 4, similarity=similarity)
                claims.append(claim)
    return claims


def _similar(rows: Matrix, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Yield (row, kept row before it, similarity) for each row that is like a row that is kept."""
    kept: list[int] = []
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS]
        best, place = _best(block, rows, kept)
        within, new = block @ block.T, list[int]()
        for at in range(len(block)):
            if new:
                top = new[int(within[at, new].argmax())]
                if within[at, top] > best[at]:
                    best[at], place[at] = within[at, top], start + top
            if best[at] >= threshold:
                yield start + at, int(place[at]), min(1.0, float(best[at]))
            else:
                new.append(at)
        kept += [start + at for at in new]


def _best(block: Matrix, rows: Matrix, kept: Sequence[int]) -> tuple[Matrix, npt.NDArray[np.intp]]:
    """Return, for each row of a block, the similarity to the most similar of the rows kept, and which it is."""
    best, place = np.full(len(block), -np.inf, np.float32), np.zeros(len(block), np.intp)
    for start in range(0, len(kept), _COLUMNS):
        columns = np.array(kept[start : start + _COLUMNS])
        found = block @ rows[columns].T
        top = found.argmax(axis=1)
        value = found[np.arange(len(block)), top]
        better = value > best
        best[better], place[better] = value[better], columns[top[better]]
    return best, place
