"""What hf-spo graph tells when it is done."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..graph.writer_options import WriterOptions
from ..model.fields import json_line
from .console import is_terminal, printable, say

if TYPE_CHECKING:
    from ..graph import Conflict, KnowledgeGraph


def summary(
    triples: str, output: Path | None, graph: "KnowledgeGraph", conflicts: "Sequence[Conflict] | None"
) -> dict[str, Any]:
    """Return the counts of a graph; those of conflicts, by kind, if it was compared with a schema."""
    from ..graph.conflicts import count_conflicts

    edges = graph.edges
    return {
        "triples": triples,
        "output": None if output is None else str(output),
        "documents": graph.documents,
        "statements": sum(edge.count for edge in edges),
        "nodes": len(graph.nodes),
        "edges": len(edges),
        "left_out": {"statements": graph.low_statements, "edges": graph.rare_edges},
        **({"models": graph.models} if graph.models else {}),
        **({} if conflicts is None else {"conflicts": count_conflicts(conflicts)}),
    }


def print_summary(report: dict[str, Any], stream: IO[str], as_json: bool | None) -> None:
    """Print a summary: a table for people, a line of JSON for programs."""
    if not (is_terminal(stream) if as_json is None else not as_json):
        typer.echo(json_line(report), file=stream)
        return
    table = Table("", "", show_header=False, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("documents", "statements", "nodes", "edges"):
        table.add_row(name, f"{report[name]:,}")
    for kind, number in report.get("conflicts", {}).items():
        table.add_row(printable(f"conflicts: {kind}"), f"{number:,}")
    Console(file=stream).print(table)


def tell(graph: "KnowledgeGraph", options: WriterOptions, listed: Path | None, *, draws_page: bool) -> None:
    """Report what the graph leaves out, and its conflicts with the schema.

    Args:
        graph: the graph that was written.
        options: what it was written with.
        listed: file of the conflicts.
        draws_page: whether it was drawn on a page, which has a limit.
    """
    low, rare = _count(graph.low_statements, "statement"), _count(graph.rare_edges, "fact")
    if graph.low_statements or graph.rare_edges:
        say(f"hf-spo: left out {low} with a low score, and {rare} stated by too few documents")
    if conflicts := options.conflicts:
        where = f"see {listed}" if listed else "--conflicts FILE lists them"
        say(f"hf-spo: {_count(len(conflicts), 'conflict')} with the schema, such as: {conflicts[0].message}; {where}")
    edges = graph.edges
    unused = sorted(set(options.rdf.predicates) - {edge.predicate for edge in edges})
    if unused:
        say(f"hf-spo: the predicate map has {_count(len(unused), 'predicate')} that no fact has: {', '.join(unused)}")
    if draws_page and len(edges) > options.limit:
        say(
            f"hf-spo: the page draws {options.limit:,} of {len(edges):,} facts, those between the most connected "
            f"nodes; --limit N draws more"
        )


def _count(number: int, one: str) -> str:
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"
