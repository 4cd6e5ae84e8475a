"""The output formats of a graph: a new format is one module and one entry in the table.

A module writes each of its files by a function of the graph, an open file and the [`WriterOptions`]. Modules are
imported when they are used, since some need packages that may not be installed.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO

from ..model.fields import json_line
from ..support.files import whole_file, whole_folder
from .conflicts import Conflict
from .knowledge import KnowledgeGraph
from .writer_options import PAGE_LIMIT, RdfSettings, WriterOptions


@dataclass(frozen=True, slots=True)
class GraphWriter:
    """An output format.

    Args:
        name: name of the format.
        module: module of this package that writes it. A function `next_step` in it returns a hint for users: how to
            use the output at a path.
        files: the module's functions by the suffix of the file that each writes; the first suffix also identifies the
            format. Names of files instead of suffixes: the output is a folder.
        options: options of the command line that apply to this format only.
        needs_texts: whether the graph should keep the texts of its documents.
    """

    name: str
    module: str
    files: Mapping[str, str]
    options: frozenset[str] = frozenset()
    needs_texts: bool = False

    @property
    def suffix(self) -> str:
        """Suffix of the output; empty if the output is a folder."""
        first = next(iter(self.files))
        return first if first.startswith(".") else ""

    @property
    def is_single_file(self) -> bool:
        """Whether the output can be written to a stream."""
        return len(self.files) == 1

    def load(self) -> ModuleType:
        """Import the module.

        Raises:
            ImportError: the format needs a package that is not installed.
        """
        return import_module(f".{self.module}", __package__)

    def write(self, graph: KnowledgeGraph, path: Path, options: WriterOptions) -> None:
        """Write the files; each appears complete or not at all."""
        with ExitStack() as stack:
            if self.suffix:
                first, *others = self.files
                paths = {first: path, **{suffix: path.with_suffix(suffix) for suffix in others}}
                files = {name: stack.enter_context(whole_file(place)) for name, place in paths.items()}
            else:
                folder = stack.enter_context(whole_folder(path))
                files = {
                    name: stack.enter_context((folder / name).open("w", encoding="utf-8", newline=""))
                    for name in self.files
                }
            for name, function in self.files.items():
                getattr(self.load(), function)(graph, files[name], replace(options, path=path))

    def write_to_stream(self, graph: KnowledgeGraph, stream: IO[str], options: WriterOptions) -> None:
        """Write to an open file.

        Raises:
            ValueError: the format consists of several files.
        """
        if not self.is_single_file:
            raise ValueError(f"{self.name} is written to several files, not to one stream; give a path")
        (function,) = self.files.values()
        getattr(self.load(), function)(graph, stream, options)

    def next_step(self, path: Path) -> str:
        """Return how to use the output at a path; empty if there is nothing to say."""
        hint = getattr(self.load(), "next_step", None)
        return "" if hint is None else str(hint(path))


_RDF = frozenset({"base_iri", "predicate_map", "language", "literal_types"})
_WRITERS = {
    writer.name: writer
    for writer in (
        GraphWriter("turtle", "rdf", {".ttl": "write_turtle"}, _RDF),
        GraphWriter("ntriples", "rdf", {".nt": "write_ntriples"}, _RDF),
        GraphWriter("jsonld", "rdf", {".jsonld": "write_jsonld"}, _RDF),
        GraphWriter("graphml", "xml_graphs", {".graphml": "write_graphml"}),
        GraphWriter("gexf", "xml_graphs", {".gexf": "write_gexf"}),
        GraphWriter("neo4j-csv", "neo4j_csv", {"nodes.csv": "write_nodes", "relationships.csv": "write_edges"}),
        GraphWriter("cypher", "cypher", {".cypher": "write_script", ".params.json": "write_parameters"}),
        GraphWriter("ladybug", "ladybug", {".ladybug": "write_script", ".ladybug.json": "write_parameters"}),
        GraphWriter("html", "page", {".html": "write_page"}, frozenset({"limit", "title"}), needs_texts=True),
    )
}


def writer_names() -> list[str]:
    """Return the names of all formats."""
    return list(_WRITERS)


def suffixes() -> list[str]:
    """Return the suffixes that identify a format."""
    return [writer.suffix for writer in _WRITERS.values() if writer.suffix]


def find_writer(name: str | None, path: Path | None = None) -> GraphWriter:
    """Return the writer of a format, or of the format that a path's suffix identifies.

    Raises:
        ValueError: the format is unknown, or the suffix identifies no format.
    """
    if name is None:
        found = {writer.suffix: writer for writer in _WRITERS.values()}.get((path or Path()).suffix.lower() or "?")
        if found is None:
            raise ValueError(
                f"{path}: the file name does not identify a format; use one of the suffixes {', '.join(suffixes())}, "
                f"or give the format: {', '.join(_WRITERS)}"
            )
        return found
    if name not in _WRITERS:
        near = get_close_matches(name.lower(), _WRITERS, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"expected one of {', '.join(_WRITERS)}"
        raise ValueError(f"unknown graph format {name!r}; {hint}")
    return _WRITERS[name]


def write_graph(
    graph: KnowledgeGraph,
    path: str | Path,
    to: str | None = None,
    *,
    rdf: RdfSettings | None = None,
    conflicts: Sequence[Conflict] = (),
    limit: int = PAGE_LIMIT,
    title: str = "Knowledge graph",
) -> None:
    """Write a graph to a file; neo4j-csv writes a folder, cypher and ladybug also a file of parameters.

    Args:
        graph: graph to write.
        path: path of the file, or of the folder, which must be new or empty.
        to: name of the format; default: the one that the path's suffix identifies.
        rdf: settings of the RDF formats.
        conflicts: conflicts that an HTML page marks and lists.
        limit: number of facts that an HTML page draws.
        title: title of an HTML page.

    Raises:
        ValueError: the format is unknown.
        ImportError: the format needs a package that is not installed.
        OSError: the path cannot be written to.
    """
    options = WriterOptions(rdf or RdfSettings(), conflicts, limit, title)
    find_writer(to, Path(path)).write(graph, Path(path), options)


def check_target(path: Path | None, writer: GraphWriter) -> None:
    """Check that a writer can run, and that its output can be written to a path.

    Raises:
        ImportError: the format needs a package that is not installed.
        OSError: the parent folder is missing, or the path is a folder where a file is expected or the reverse.
    """
    writer.load()
    if path is None:
        return
    if not path.resolve().parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist; create it, or write {path.name} elsewhere")
    if writer.suffix:
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; name a file to write")
    elif path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise FileExistsError(f"{path} exists already; give the name of a new or empty folder")


def write_conflicts(conflicts: Sequence[Conflict], path: Path) -> None:
    """Write conflicts as JSON lines, each with its facts and their evidence."""
    with whole_file(path) as file:
        file.writelines(json_line(conflict.to_dict()) + "\n" for conflict in conflicts)
