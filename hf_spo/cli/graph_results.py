"""What hf-spo graph tells when it is done."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..graph.settings import GraphFormat, RdfSettings
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


def tell(
    graph: "KnowledgeGraph",
    conflicts: "Sequence[Conflict]",
    listed: Path | None,
    rdf: RdfSettings,
    limit: int | None,
) -> None:
    """Say what is not in the graph or not right in it.

    Args:
        graph: that was written.
        conflicts: with its schema.
        listed: where they are written.
        rdf: whose predicates should all be in the graph.
        limit: facts that a page draws; None where none is drawn.
    """
    low, rare = _count(graph.low_statements, "statement"), _count(graph.rare_edges, "fact")
    if graph.low_statements or graph.rare_edges:
        say(f"hf-spo: left out {low} for the score, and {rare} that too few documents state")
    if conflicts:
        where = f"see {listed}" if listed else "--conflicts FILE lists them"
        say(f"hf-spo: {_count(len(conflicts), 'conflict')} with the schema, such as: {conflicts[0].message}; {where}")
    edges = graph.edges
    unused = sorted(set(rdf.predicates) - {edge.predicate for edge in edges})
    if unused:
        say(f"hf-spo: the predicate map names {_count(len(unused), 'predicate')} that no fact has: {', '.join(unused)}")
    if limit is not None and len(edges) > limit:
        say(
            f"hf-spo: the page draws {limit:,} of {len(edges):,} facts, those between the most connected nodes; "
            f"--limit N draws more"
        )


def tell_next_step(to: GraphFormat, output: Path) -> None:
    """Say how what was written gets into a database."""
    if to == GraphFormat.NEO4J_CSV:
        from ..graph.neo4j_csv import import_command

        say(f"hf-spo: import it with: {import_command(output)}")
    elif to == GraphFormat.CYPHER:
        from ..graph.cypher import parameters_path

        say(f"hf-spo: {output} takes its data from {parameters_path(output)}; its first lines say how to run it")


def _count(number: int, one: str) -> str:
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"
