"""Nodes and edges with flat properties, as property graphs have them."""

from typing import Any

from ..model.fields import json_line
from .elements import Edge, Node, plain


def node_properties(node: Node) -> dict[str, Any]:
    """Return name, type, aliases and mentions of a node."""
    return {"name": node.label, "type": node.type, "aliases": node.aliases, "mentions": node.mentions}


def edge_properties(edge: Edge) -> dict[str, Any]:
    """Return what is known of a fact, scores only if there are any.

    Qualifiers and evidence are lists of JSON objects, as strings: no property graph nests values.
    """
    scores = {"score": edge.best_score, "mean_score": edge.mean_score}
    return {
        "predicate": edge.predicate,
        "documents": edge.documents,
        "count": edge.count,
        **{name: score for name, score in scores.items() if score is not None},
        "qualifiers": [json_line(plain(qualifiers)) for qualifiers in edge.qualifiers],
        "sources": list(dict.fromkeys(statement.document for statement in edge.evidence)),
        "evidence": [json_line(statement.to_dict()) for statement in edge.evidence],
    }
