"""Files of graphs, whole or not at all."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

import hf_spo.graph
from hf_spo.graph import KnowledgeGraph, RdfSettings, find_conflicts, write_conflicts, write_graph
from hf_spo.graph import writers as module
from hf_spo.graph.writer_options import WriterOptions
from hf_spo.graph.writers import check_target, find_writer, suffixes, writer_names
from tests.graph.graph_samples import FIRST_ROW, SCHEMA, SECOND_ROW, graph_of

GRAPH = graph_of(FIRST_ROW, SECOND_ROW, texts=True)
BEGINNINGS = {
    ".ttl": "@prefix dcterms:",
    ".nt": "<https://example.org/",
    ".jsonld": '{\n "@context"',
    ".graphml": "<?xml version='1.0' encoding='utf-8'?>\n<graphml",
    ".gexf": "<?xml version='1.0' encoding='utf-8'?>\n<gexf",
    ".cypher": "// Run it",
    ".ladybug": "// Run it",
    ".html": "<!DOCTYPE html>",
}


@pytest.mark.parametrize("suffix", suffixes())
def test_files_by_their_names(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"graph{suffix}"
    write_graph(GRAPH, path)
    text = path.read_text(encoding="utf-8")
    assert text.lstrip().startswith(BEGINNINGS[suffix])
    assert text.endswith("\n")
    more = {".cypher": ["graph.params.json"], ".ladybug": ["graph.ladybug.json"]}.get(suffix, [])
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([path.name, *more])


def test_formats_by_name_and_suffix() -> None:
    assert {find_writer(None, Path(f"a{suffix}")).name for suffix in suffixes()} == {*writer_names()} - {"neo4j-csv"}
    assert find_writer(None, Path("a.TTL")).name == "turtle"
    for name in ("a.txt", "a"):
        with pytest.raises(ValueError, match=rf"{name}: the file name does not identify a format; use .* \.ttl, "):
            find_writer(None, Path(name))
    with pytest.raises(ValueError, match="unknown graph format 'Gexf'; did you mean gexf"):
        find_writer("Gexf")


def test_the_same_graph_is_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(FIRST_ROW) + "\n" + json.dumps(SECOND_ROW), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from hf_spo.graph import KnowledgeGraph, read_rows, write_graph\n"
        "graph = KnowledgeGraph.from_rows(read_rows('rows.jsonl'))\n"
        f"for suffix in {suffixes()}: write_graph(graph, Path(sys.argv[1] + suffix))"
    )
    for seed in ("1", "2"):
        words, hashing = [sys.executable, "-c", code, "graph"], {"PYTHONHASHSEED": seed}
        subprocess.run(words, check=True, cwd=tmp_path, env=hashing)
        (tmp_path / seed).mkdir()
        for path in tmp_path.glob("graph*"):
            path.rename(tmp_path / seed / path.name)
    found = [{path.name: path.read_bytes() for path in (tmp_path / seed).iterdir()} for seed in ("1", "2")]
    assert len(found[0]) == len(suffixes()) + 2  # Cypher and Ladybug also have a file of parameters
    assert found[0] == found[1]


def test_options_reach_their_format(tmp_path: Path) -> None:
    write_graph(GRAPH, tmp_path / "a", "turtle", rdf=RdfSettings("urn:my:"))
    assert "<urn:my:entity/人物:何雨晴>" in (tmp_path / "a").read_text(encoding="utf-8")
    write_graph(GRAPH, tmp_path / "b", "html", title="标题", limit=1, conflicts=find_conflicts(GRAPH, SCHEMA))
    page = (tmp_path / "b").read_text(encoding="utf-8")
    assert "<title>标题</title>" in page
    assert "shows 1 of 4 facts" in page
    assert "at most 1 expected" in page


def test_a_folder_for_neo4j(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "new", tmp_path / "empty"):
        write_graph(GRAPH, folder, "neo4j-csv")
        assert sorted(path.name for path in folder.iterdir()) == ["nodes.csv", "relationships.csv"]
        with pytest.raises(FileExistsError, match="name a new folder"):
            write_graph(GRAPH, folder, "neo4j-csv")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("to", writer_names())
def test_nothing_is_left_of_what_failed(to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(FIRST_ROW)
    monkeypatch.setattr(KnowledgeGraph, "edges", property(lambda _: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        write_graph(graph, tmp_path / "out", to)
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist; create it"):
        check_target(tmp_path / "no" / "graph.ttl", find_writer("turtle"))
    with pytest.raises(IsADirectoryError, match="is a folder; name a file to write"):
        check_target(tmp_path, find_writer("html"))
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match="exists already"):
        check_target(tmp_path / "file", find_writer("neo4j-csv"))
    with pytest.raises(ValueError, match="unknown graph format 'rdf'"):
        write_graph(GRAPH, tmp_path / "graph", "rdf")


@pytest.mark.parametrize(
    ("to", "package"), [("turtle", "rdflib"), ("ntriples", "rdflib"), ("graphml", "networkx"), ("gexf", "networkx")]
)
def test_packages_that_are_missing(to: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rdf", "xml_graphs"):
        monkeypatch.delitem(sys.modules, f"hf_spo.graph.{name}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"needs {package}: pip install 'hf-spo\[graph\]'"):
        check_target(None, find_writer(to))


def test_formats_that_need_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("rdflib", "networkx"):
        monkeypatch.setitem(sys.modules, package, None)
    for to in ("neo4j-csv", "cypher", "ladybug", "html"):
        check_target(None, find_writer(to))
        write_graph(GRAPH, tmp_path / to, to)


def test_several_files_are_no_stream() -> None:
    for to in ("neo4j-csv", "cypher", "ladybug"):
        with pytest.raises(ValueError, match="is written to several files"):
            find_writer(to).write_to_stream(GRAPH, StringIO(), WriterOptions())


def test_conflicts(tmp_path: Path) -> None:
    write_conflicts(find_conflicts(GRAPH, SCHEMA), tmp_path / "conflicts.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "conflicts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["kind"], len(row["facts"])) for row in rows] == [("max_objects", 2), ("symmetric", 1)]
    write_conflicts([], tmp_path / "conflicts.jsonl")
    assert not (tmp_path / "conflicts.jsonl").read_text(encoding="utf-8")


def test_public_names() -> None:
    assert all(getattr(hf_spo.graph, name) for name in hf_spo.graph.__all__)
    assert hf_spo.graph.write_graph is module.write_graph
