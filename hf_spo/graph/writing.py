"""Writing a graph in any format, and what contradicts its schema; every file appears whole or not at all."""

from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import IO

from ..model.fields import json_line
from ..support.files import whole_file, whole_folder
from .conflicts import Conflict
from .cypher import parameters_path, write_cypher
from .knowledge import KnowledgeGraph
from .neo4j_csv import write_csv
from .settings import LIMIT, RDF_FORMATS, GraphFormat, RdfSettings, guess_format


def write_graph(
    graph: KnowledgeGraph,
    path: str | Path,
    to: GraphFormat | str | None = None,
    *,
    rdf: RdfSettings | None = None,
    conflicts: Sequence[Conflict] = (),
    limit: int = LIMIT,
    title: str = "Knowledge graph",
) -> None:
    """Write a graph to a file; to a folder as neo4j-csv, and as cypher to a file of parameters, too.

    Args:
        graph: to write.
        path: of the file or the folder, which must not hold anything yet.
        to: format; default: what the path's suffix says.
        rdf: how it becomes RDF, where it does.
        conflicts: that an HTML page marks and lists.
        limit: facts that an HTML page draws.
        title: of an HTML page.

    Raises:
        ValueError: the format is unknown.
        ImportError: the format needs a package that is not installed.
        OSError: the path cannot be written to.
    """
    path = Path(path)
    to = guess_format(path) if to is None else GraphFormat(to)
    check_target(path, to)
    if to == GraphFormat.NEO4J_CSV:
        with whole_folder(path) as folder:
            write_csv(graph, folder)
        return
    with ExitStack() as stack:
        file = stack.enter_context(whole_file(path))
        if to == GraphFormat.CYPHER:
            parameters = stack.enter_context(whole_file(parameters_path(path)))
            write_cypher(graph, file, parameters, path)
        else:
            write_to(graph, file, to, rdf or RdfSettings(), conflicts, limit, title)


def check_target(path: Path | None, to: GraphFormat) -> None:
    """Check that a graph can be written in a format, and to a path.

    Raises:
        ImportError: the format needs a package that is not installed.
        OSError: the folder above is missing, there is a folder where a file should go, or the other way round.
    """
    if to in RDF_FORMATS:
        import_module(".rdf", __package__)
    elif to in (GraphFormat.GRAPHML, GraphFormat.GEXF):
        import_module(".xml_graphs", __package__)
    if path is None:
        return
    if not path.resolve().parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder; create it, or write {path.name} elsewhere")
    if to != GraphFormat.NEO4J_CSV:
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; name a file to write")
    elif path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise FileExistsError(f"{path} is there already; give the name of a new folder, or of an empty one")


def write_to(
    graph: KnowledgeGraph,
    file: IO[str],
    to: GraphFormat,
    rdf: RdfSettings,
    conflicts: Sequence[Conflict] = (),
    limit: int = LIMIT,
    title: str = "Knowledge graph",
) -> None:
    """Write a graph to an open file, in one of the formats that take one; see [`write_graph`].

    Raises:
        ValueError: the format takes several files.
    """
    if to in RDF_FORMATS:
        from .rdf import write_rdf

        write_rdf(graph, file, to, rdf)
    elif to in (GraphFormat.GRAPHML, GraphFormat.GEXF):
        from .xml_graphs import write_xml

        write_xml(graph, file, to)
    elif to == GraphFormat.HTML:
        from .page import render

        file.write(render(graph, title, conflicts, limit))
    else:
        raise ValueError(f"{to} is written to several files, not to one stream; give a path")


def write_conflicts(conflicts: Sequence[Conflict], path: Path) -> None:
    """Write conflicts as JSON lines, each with its facts and their evidence."""
    with whole_file(path) as file:
        file.writelines(json_line(conflict.to_dict()) + "\n" for conflict in conflicts)
