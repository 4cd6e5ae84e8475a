"""hf-spo graph."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..graph.writer_options import (
    BASE_IRI,
    LITERAL_TYPES,
    PAGE_LIMIT,
    RdfSettings,
    WriterOptions,
    read_predicate_map,
)  # fmt: skip
from ..graph.writers import GraphWriter, check_target, find_writer, suffixes, writer_names
from ..loading.locations import model_file
from ..model.schema import Schema
from .console import print_report, printable, say, set_aside
from .models import find_model
from .options import FILE, FILES_PANEL, MODEL_METAVAR, NEW_FILE, AsJson, SkipBadLines, command, option

if TYPE_CHECKING:
    from ..graph import Conflict, KnowledgeGraph
    from ..graph.merging import Merge, TypeRules


@dataclass(frozen=True, slots=True)
class MergeOptions:
    """Which facts the graph has."""

    PANEL: ClassVar = "Merging"

    min_score: Annotated[
        float | None,
        option("Leave out triples with a lower score; those without a score stay.", default="none", metavar="P"),
    ] = None
    min_count: Annotated[int, option("Leave out facts that fewer documents state.", min=1, metavar="N")] = 1
    provenance: Annotated[
        bool,
        option(
            "Keep the documents, offsets and scores of each fact. Without them, memory and output grow only with the "
            "number of facts.",
            "--provenance/--no-provenance",
        ),
    ] = True


@dataclass(frozen=True, slots=True)
class NameOptions:
    """Which nodes of different names are merged."""

    PANEL: ClassVar = "Merging of names"

    text_aliases: Annotated[
        bool,
        option(
            "Merge names that a text says are the same: 又名, 简称, 号, also known as, 北京大学（北大）.",
            "--text-aliases",
        ),
    ] = False
    aliases: Annotated[
        Path | None, option("Table of aliases: NAME<tab>ALIAS, optionally <tab>TYPE, a line.", **FILE)
    ] = None
    merge_rules: Annotated[
        Path | None,
        option('Marks in which names of a type may differ: {"企业": {"endings": ["有限公司"]}}.', **FILE),
    ] = None
    merge_embeddings: Annotated[
        str | None,
        option(
            "Merge names of a type whose embeddings by this model of sentence-transformers are similar "
            "(pip install 'hf-spo[embeddings]').",
            metavar="FOLDER|NAME",
        ),
    ] = None
    merge_threshold: Annotated[
        float | None,
        option(
            "Smallest cosine at which --merge-embeddings merges; its scale depends on the model.",
            min=0,
            max=1,
            default="none; needed",
            metavar="S",
        ),
    ] = None
    merges: Annotated[Path | None, option("Report of merges, as written before and edited since.", **FILE)] = None
    merge_report: Annotated[
        Path | None,
        option(
            "File that lists each merge with its reason.", default="next to the output: graph.merges.tsv", **NEW_FILE
        ),
    ] = None

    def claims(self) -> "list[Merge]":
        """Read the report and the table of aliases."""
        from ..graph.merging import read_aliases, read_merges

        reported = [] if self.merges is None else read_merges(self.merges)
        return [*reported, *([] if self.aliases is None else read_aliases(self.aliases))]

    def rules(self) -> "dict[str, TypeRules]":
        """Read the rules by type."""
        from ..graph.merging import read_rules

        return {} if self.merge_rules is None else read_rules(self.merge_rules)

    def similar(self) -> "Callable[[KnowledgeGraph], list[Merge]]":
        """Load the model of embeddings; return what claims merges by it.

        Raises:
            typer.BadParameter: model or threshold is missing.
        """
        if self.merge_embeddings is None or self.merge_threshold is None:
            if (self.merge_embeddings is None) != (self.merge_threshold is None):
                raise typer.BadParameter("--merge-embeddings and --merge-threshold need each other; give both")
            return lambda graph: []
        from ..graph.name_embeddings import embedding_claims, sentence_encoder

        encode = sentence_encoder(self.merge_embeddings)
        return partial(
            embedding_claims, encode=encode, threshold=self.merge_threshold, model=Path(self.merge_embeddings).name
        )

    def report(self, output: Path | None) -> Path | None:
        """Return the path of the report; None if nothing is to be merged.

        Raises:
            typer.BadParameter: the report has no place, or there is nothing to report.
        """
        asked = self.text_aliases or self.aliases or self.merge_rules or self.merge_embeddings or self.merges
        if not asked:
            if self.merge_report is not None:
                raise typer.BadParameter(
                    "nothing to report: give --text-aliases, --aliases, --merge-rules, --merge-embeddings or --merges"
                )
            return None
        if self.merge_report is None and output is None:
            raise typer.BadParameter("nothing is merged without a report; give --merge-report or --output")
        found = self.merge_report or (output and output.with_suffix(".merges.tsv"))
        if self.merges is not None and found is not None and found.exists() and found.samefile(self.merges):
            raise typer.BadParameter(f"the report would overwrite {self.merges}; name another one by --merge-report")
        return found


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The schema with which the graph is compared."""

    PANEL: ClassVar = "Checking"

    schema: Annotated[Path | None, option("List contradictions to this schema and its rules.", **FILE)] = None
    model: Annotated[
        str | None,
        option(
            "List contradictions to the schema of this model; only its config is read.", "--model", "-m",
            metavar=MODEL_METAVAR,
        ),
    ] = None  # fmt: skip
    conflicts: Annotated[
        Path | None,
        option(
            "File for the contradictions, as JSON lines.",
            default="next to the output: graph.conflicts.jsonl", **NEW_FILE,
        ),
    ] = None  # fmt: skip

    def declared(self) -> Schema | None:
        """Read the schema.

        Raises:
            typer.BadParameter: the options contradict each other.
            ValueError: the file is not a schema, or the config has none.
            FileNotFoundError: there is no such model.
        """
        if self.schema is not None and self.model is not None:
            raise typer.BadParameter("got both --schema and --model; give one of them")
        if self.schema is not None:
            return Schema.from_file(self.schema)
        if self.model is None:
            if self.conflicts is not None:
                raise typer.BadParameter("--conflicts needs a schema to compare with; give --schema or --model")
            return None
        path = model_file(find_model(self.model))
        relations = json.loads(path.read_text(encoding="utf-8")).get("relations")
        if not relations:
            raise ValueError(f"{path} has no relations; expected a triple-extraction model, or give --schema")
        return Schema.from_list(relations)


@dataclass(frozen=True, slots=True)
class RdfOptions:
    """How the graph becomes RDF."""

    PANEL: ClassVar = "RDF"

    base_iri: Annotated[
        str | None,
        option("Prefix of the IRIs of entities, types, predicates and documents.", default=BASE_IRI, metavar="IRI"),
    ] = None
    predicate_map: Annotated[
        Path | None, option('IRIs of predicates: {"出生日期": "https://schema.org/birthDate"}.', **FILE)
    ] = None
    language: Annotated[str | None, option("Language tag of labels, such as zh.", metavar="TAG")] = None
    literal_types: Annotated[
        str | None,
        option(
            "Objects of these types become literals instead of entities, like those for which the schema declares a "
            "format. An empty string: no type.",
            default=",".join(sorted(LITERAL_TYPES)), metavar="TYPE,…",
        ),
    ] = None  # fmt: skip

    def settings(self, schema: Schema | None) -> RdfSettings:
        """Return the settings of the writer."""
        types = LITERAL_TYPES
        if self.literal_types is not None:
            types = frozenset(filter(None, map(str.strip, self.literal_types.split(","))))
        predicates = {} if self.predicate_map is None else read_predicate_map(self.predicate_map)
        return RdfSettings(self.base_iri or BASE_IRI, predicates, self.language or "", types, schema)


@dataclass(frozen=True, slots=True)
class PageOptions:
    """How the graph becomes an HTML page."""

    PANEL: ClassVar = "HTML"

    limit: Annotated[
        int | None,
        option(
            "Draw at most this many facts, those between the most connected nodes.",
            default=str(PAGE_LIMIT), min=1, metavar="N",
        ),
    ] = None  # fmt: skip
    title: Annotated[str | None, option("Title of the page.", default="the name of TRIPLES", metavar="TEXT")] = None


@command()
def graph(
    triples: Annotated[
        str,
        typer.Argument(
            metavar="TRIPLES",
            help="Output of hf-spo extract: a .jsonl or .parquet file, a folder of them, or - for JSON lines on stdin.",
            show_default=False,
        ),
    ],
    merging: MergeOptions,
    names: NameOptions,
    checks: CheckOptions,
    for_rdf: RdfOptions,
    for_page: PageOptions,
    to: Annotated[
        str | None,
        option(
            f"{', '.join(writer_names())}.", panel=FILES_PANEL, default="by the suffix of --output", metavar="FORMAT"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        option(
            f"File to write; for neo4j-csv a folder. The suffixes {', '.join(suffixes())} also select the format.",
            "--output", "-o", panel=FILES_PANEL, default="stdout", metavar="PATH",
        ),
    ] = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
) -> None:  # fmt: skip
    """Merge triples into a knowledge graph: as RDF, for Neo4j, for Gephi, or as an interactive page.

    Mentions of one type form one node if their names differ only in case, width, white space, and enclosing 《》 or
    quotation marks, or if the options of names merge them. A fact keeps its documents, with offsets and scores.

    Examples:
      hf-spo graph triples.jsonl --output graph.html --model base
      hf-spo graph triples.jsonl --output graph.ttl --base-iri https://my.org/kg/
      hf-spo graph triples.jsonl --to neo4j-csv --output import --min-score 0.5
      hf-spo graph triples.jsonl --output graph.html --text-aliases --aliases aliases.tsv
    """
    writer = _chosen_writer(to, output)
    _refuse_unused({**asdict(for_rdf), **asdict(for_page)}, writer)
    schema = checks.declared()
    rdf = for_rdf.settings(schema)

    from ..graph import KnowledgeGraph, find_conflicts, read_rows, write_conflicts
    from ..graph.merging import TextAliases, rule_claims

    check_target(output, writer)  # before the graph is built, which may take minutes
    merge_report, claims, rules, similar = names.report(output), names.claims(), names.rules(), names.similar()
    said = TextAliases()
    with set_aside(skip_bad_lines, output) as bad_lines:
        rows = read_rows(triples, bad_lines)
        built = KnowledgeGraph.from_rows(
            said.watch(rows) if names.text_aliases else rows,
            min_score=merging.min_score,
            provenance=merging.provenance,
            texts=writer.needs_texts,
        )
    merged = None
    if merge_report is not None:
        claims += [*said.claims, *rule_claims(built, rules), *similar(built)]
        merged = _merge_names(built, claims, merge_report)
    built.prune(merging.min_count)
    conflicts = [] if schema is None else find_conflicts(built, schema)
    options = WriterOptions(rdf, conflicts, for_page.limit or PAGE_LIMIT, for_page.title or Path(triples).stem)
    if output is None:
        writer.write_to_stream(built, sys.stdout, options)
    else:
        writer.write(built, output, options)
    listed = None
    if schema is not None:
        listed = checks.conflicts or (output and output.with_suffix(".conflicts.jsonl"))
    if listed is not None:
        write_conflicts(conflicts, listed)
    _tell(built, options, listed, draws_page="limit" in writer.options)
    report = {
        "triples": triples,
        "output": None if output is None else str(output),
        **_counts(built, None if schema is None else conflicts),
        **({} if merged is None else {"merged": merged}),
    }
    print_report(report, as_json, lambda: _table(report), sys.stderr if output is None else sys.stdout)
    if output is not None and (hint := writer.next_step(output)):
        say(f"hf-spo: {hint}")


def _merge_names(graph: "KnowledgeGraph", claims: "Sequence[Merge]", report: Path) -> int:
    """Merge names, list the decisions, and return how many names were merged."""
    from ..graph.merging import apply, decide, write_merges

    decisions = decide(graph, claims)
    write_merges(decisions, report)
    apply(graph, decisions)
    merged = sum(one.merge for one in decisions)
    left = len(decisions) - merged
    say(f"hf-spo: merged {_count(merged, 'name')}, left {left:,} apart; {report} lists them; edit it for --merges")
    return merged


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


def _counts(graph: "KnowledgeGraph", conflicts: "Sequence[Conflict] | None") -> dict[str, Any]:
    """Return the counts of a graph, and those of conflicts by kind if it was compared with a schema."""
    from ..graph.conflicts import count_conflicts

    edges = graph.edges
    return {
        "documents": graph.documents,
        "statements": sum(edge.count for edge in edges),
        "nodes": len(graph.nodes),
        "edges": len(edges),
        "left_out": {"statements": graph.low_statements, "edges": graph.rare_edges},
        **({"models": graph.models} if graph.models else {}),
        **({} if conflicts is None else {"conflicts": count_conflicts(conflicts)}),
    }


def _table(report: Mapping[str, Any]) -> Table:
    table = Table("", "", show_header=False, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("documents", "statements", "nodes", "edges"):
        table.add_row(name, f"{report[name]:,}")
    if "merged" in report:
        table.add_row("merged names", f"{report['merged']:,}")
    for kind, number in report.get("conflicts", {}).items():
        table.add_row(printable(f"conflicts: {kind}"), f"{number:,}")
    return table


def _tell(graph: "KnowledgeGraph", options: WriterOptions, listed: Path | None, *, draws_page: bool) -> None:
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
