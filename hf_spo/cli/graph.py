"""hf-spo graph."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..graph.settings import (
    BASE_IRI,
    LIMIT,
    LITERAL_TYPES,
    RDF_FORMATS,
    GraphFormat,
    RdfSettings,
    guess_format,
    read_predicate_map,
)
from .app import app
from .graph_input import build, declared_schema
from .graph_results import print_summary, summary, tell, tell_next_step
from .options import FILES_PANEL, AsJson, SkipBadLines

if TYPE_CHECKING:
    from ..graph import Conflict, KnowledgeGraph
    from ..model.schema import Schema

MERGING_PANEL, RDF_PANEL, PAGE_PANEL, CHECK_PANEL = "Merging", "RDF", "HTML", "Checking"


@app.command()
def graph(
    triples: Annotated[
        str,
        typer.Argument(
            metavar="TRIPLES",
            help="What hf-spo extract wrote: a .jsonl or .parquet file, a folder of parts, or - for JSON lines from "
            "stdin.",
            show_default=False,
        ),
    ],
    to: Annotated[
        GraphFormat | None,
        typer.Option(
            metavar="FORMAT",
            help=f"{', '.join(GraphFormat)}.",
            show_default="what the name of --output says",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="File to write, for neo4j-csv a folder; .ttl, .nt, .jsonld, .graphml, .gexf, .cypher and .html say "
            "the format, too.",
            show_default="stdout",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    min_score: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Leave out triples that score less; those without a score stay.",
            show_default="none",
            rich_help_panel=MERGING_PANEL,
        ),
    ] = None,
    min_count: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Leave out facts that fewer documents state.",
            rich_help_panel=MERGING_PANEL,
        ),
    ] = 1,
    provenance: Annotated[
        bool,
        typer.Option(
            "--provenance/--no-provenance",
            help="Keep where each fact was found, with offsets and scores. Without it, memory and output grow with the "
            "facts alone.",
            rich_help_panel=MERGING_PANEL,
        ),
    ] = True,
    schema: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="List what contradicts this schema and its rules.",
            rich_help_panel=CHECK_PANEL,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="base|lite|FOLDER|NAME",
            help="The same with the schema of a model, which is not loaded.",
            show_default=False,
            rich_help_panel=CHECK_PANEL,
        ),
    ] = None,
    conflicts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Where contradictions are listed, as JSON lines.",
            show_default="beside the output: graph.conflicts.jsonl",
            rich_help_panel=CHECK_PANEL,
        ),
    ] = None,
    base_iri: Annotated[
        str | None,
        typer.Option(
            metavar="IRI",
            help="Under which all entities, types, predicates and documents are.",
            show_default=BASE_IRI,
            rich_help_panel=RDF_PANEL,
        ),
    ] = None,
    predicate_map: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help='IRIs of predicates: {"出生日期": "https://schema.org/birthDate"}.',
            rich_help_panel=RDF_PANEL,
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(metavar="TAG", help="Language tag of labels, such as zh.", rich_help_panel=RDF_PANEL),
    ] = None,
    literal_types: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE,…",
            help="Objects of these types are literals, not entities; so are those that a schema's rules give a format. "
            "None with an empty string.",
            show_default=",".join(sorted(LITERAL_TYPES)),
            rich_help_panel=RDF_PANEL,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Draw this many facts, those between the most connected nodes.",
            show_default=str(LIMIT),
            rich_help_panel=PAGE_PANEL,
        ),
    ] = None,
    title: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Title.", show_default="the name of TRIPLES", rich_help_panel=PAGE_PANEL),
    ] = None,
) -> None:
    """Merge extracted triples into a knowledge graph: as RDF, for Neo4j, for Gephi, or as a page to look at.

    Mentions of one type are one node if their names are the same but for case, width, white space and enclosing 《》 or
    quotation marks. A fact keeps its documents, with offsets and scores.

    [dim]hf-spo graph triples.jsonl --output graph.html --model base
    hf-spo graph triples.jsonl --output graph.ttl --base-iri https://my.org/kg/
    hf-spo graph triples.jsonl --to neo4j-csv --output import --min-score 0.5[/]
    """
    chosen = _chosen_format(to, output)
    for_rdf = {"--base-iri": base_iri, "--predicate-map": predicate_map, "--language": language}
    _refuse({**for_rdf, "--literal-types": literal_types}, chosen in RDF_FORMATS, chosen)
    _refuse({"--limit": limit, "--title": title}, chosen == GraphFormat.HTML, chosen)
    declared = declared_schema(schema, model)
    if conflicts is not None and declared is None:
        raise typer.BadParameter("--conflicts needs a schema to compare with; give --schema or --model")
    rdf = _rdf_settings(base_iri, predicate_map, language, literal_types, declared)

    from ..graph import find_conflicts, write_conflicts
    from ..graph.writing import check_target

    check_target(output, chosen)  # before what may take minutes
    built = build(triples, output, skip_bad_lines, min_score, min_count, provenance, chosen == GraphFormat.HTML)
    found = [] if declared is None else find_conflicts(built, declared)
    most = limit or LIMIT
    _write(built, output, chosen, rdf, found, most, title or Path(triples).stem)
    listed = conflicts or (output and output.with_suffix(".conflicts.jsonl")) if declared is not None else None
    if listed is not None:
        write_conflicts(found, listed)
    tell(built, found, listed, rdf, most if chosen == GraphFormat.HTML else None)
    report = summary(triples, output, built, found if declared is not None else None)
    print_summary(report, sys.stderr if output is None else sys.stdout, as_json)
    if output is not None:
        tell_next_step(chosen, output)


def _chosen_format(to: GraphFormat | None, output: Path | None) -> GraphFormat:
    if to is None and output is None:
        raise typer.BadParameter("what to write is not said; give --to, or an --output whose name says it")
    try:
        chosen = to or guess_format(output or Path())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if output is None and chosen in (GraphFormat.NEO4J_CSV, GraphFormat.CYPHER):
        raise typer.BadParameter(f"--to {chosen} writes several files; give --output")
    return chosen


def _refuse(options: Mapping[str, Any], fits: bool, chosen: GraphFormat) -> None:
    """Refuse options that would do nothing."""
    given = [name for name, value in options.items() if value is not None]
    if given and not fits:
        raise typer.BadParameter(f"{given[0]} has no meaning for {chosen}; leave it out")


def _rdf_settings(
    base_iri: str | None,
    predicate_map: Path | None,
    language: str | None,
    literal_types: str | None,
    schema: "Schema | None",
) -> RdfSettings:
    types = (
        LITERAL_TYPES if literal_types is None else frozenset(filter(None, map(str.strip, literal_types.split(","))))
    )
    predicates = {} if predicate_map is None else read_predicate_map(predicate_map)
    return RdfSettings(base_iri or BASE_IRI, predicates, language or "", types, schema)


def _write(
    graph: "KnowledgeGraph",
    output: Path | None,
    to: GraphFormat,
    rdf: RdfSettings,
    conflicts: "Sequence[Conflict]",
    limit: int,
    title: str,
) -> None:
    from ..graph.writing import write_graph, write_to

    if output is None:
        write_to(graph, sys.stdout, to, rdf, conflicts, limit, title)
    else:
        write_graph(graph, output, to, rdf=rdf, conflicts=conflicts, limit=limit, title=title)
