"""hf-spo graph."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..graph.writer_options import (
    BASE_IRI,
    LITERAL_TYPES,
    PAGE_LIMIT,
    RdfSettings,
    WriterOptions,
    read_predicate_map,
)
from ..graph.writers import GraphWriter, check_target, find_writer, suffixes, writer_names
from .console import say
from .graph_input import build, declared_schema
from .graph_results import print_summary, summary, tell
from .options import FILES_PANEL, AsJson, SkipBadLines, command

if TYPE_CHECKING:
    from ..model.schema import Schema

MERGING_PANEL, RDF_PANEL, PAGE_PANEL, CHECK_PANEL = "Merging", "RDF", "HTML", "Checking"


@command()
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
        str | None,
        typer.Option(
            metavar="FORMAT",
            help=f"{', '.join(writer_names())}.",
            show_default="by the suffix of --output",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help=f"File to write, for neo4j-csv a folder. The suffixes {', '.join(suffixes())} also select the format.",
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
            show_default=str(PAGE_LIMIT),
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

    Examples:
      hf-spo graph triples.jsonl --output graph.html --model base
      hf-spo graph triples.jsonl --output graph.ttl --base-iri https://my.org/kg/
      hf-spo graph triples.jsonl --to neo4j-csv --output import --min-score 0.5
    """
    writer = _chosen_writer(to, output)
    own = {"base_iri": base_iri, "predicate_map": predicate_map, "language": language, "literal_types": literal_types}
    _refuse_unused({**own, "limit": limit, "title": title}, writer)
    declared = declared_schema(schema, model)
    if conflicts is not None and declared is None:
        raise typer.BadParameter("--conflicts needs a schema to compare with; give --schema or --model")
    rdf = _rdf_settings(base_iri, predicate_map, language, literal_types, declared)

    from ..graph import find_conflicts, write_conflicts

    check_target(output, writer)  # before what may take minutes
    built = build(triples, output, skip_bad_lines, min_score, min_count, provenance, writer.needs_texts)
    found = [] if declared is None else find_conflicts(built, declared)
    options = WriterOptions(rdf, found, limit or PAGE_LIMIT, title or Path(triples).stem)
    if output is None:
        writer.write_to_stream(built, sys.stdout, options)
    else:
        writer.write(built, output, options)
    listed = conflicts or (output and output.with_suffix(".conflicts.jsonl")) if declared is not None else None
    if listed is not None:
        write_conflicts(found, listed)
    tell(built, options, listed, draws_page="limit" in writer.options)
    report = summary(triples, output, built, found if declared is not None else None)
    print_summary(report, sys.stderr if output is None else sys.stdout, as_json)
    if output is not None and (hint := writer.next_step(output)):
        say(f"hf-spo: {hint}")


def _chosen_writer(to: str | None, output: Path | None) -> GraphWriter:
    if to is None and output is None:
        raise typer.BadParameter("no output format; give --to, or --output with a suffix that selects one")
    try:
        chosen = find_writer(to, output)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if output is None and not chosen.is_single_file:
        raise typer.BadParameter(f"--to {chosen.name} writes several files; give --output")
    return chosen


def _refuse_unused(options: Mapping[str, Any], writer: GraphWriter) -> None:
    """Refuse options that the format does not use."""
    for name, value in options.items():
        if value is not None and name not in writer.options:
            raise typer.BadParameter(f"--{name.replace('_', '-')} does not apply to {writer.name}; leave it out")


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
