"""hf-spo graph."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from hf_spo.cli import app, console
from hf_spo.model.relation_rules import RelationRules
from hf_spo.model.schema import Relation, Schema
from tests.cli.command_line import one_line_error, rows, write_rows

RELATIONS = Schema([Relation("人物", "出生日期", "Date", rules=RelationRules(max_objects=1))]).to_list()


def document(name: str, date: str, score: float) -> dict[str, Any]:
    """A text that says when somebody was born."""
    text = f"白露生于{date}"
    subject = {"text": "白露", "start": 0, "end": 2, "type": "人物"}
    value = {"text": date, "start": 4, "end": 4 + len(date), "type": "Date"}
    triple = {"score": score, "subject": subject, "predicate": "出生日期", "object": value, "qualifiers": {}}
    return {"id": name, "text": text, "triples": [triple]}


ROWS = [document("a", "1990年", 0.9), document("b", "1991年", 0.4), document("c", "1990年", 0.8)]

Run = Callable[..., Result]


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in a folder with triples.jsonl."""
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "triples.jsonl", ROWS)

    def run(*words: str, triples: str = "triples.jsonl", stdin: str = "") -> Result:
        return CliRunner().invoke(app, ["graph", triples, *words], input=stdin)

    return run


def done(result: Result) -> dict[str, Any]:
    """Check that all went well; return the summary."""
    assert result.exit_code == 0, result.output
    (summary,) = rows(result.stdout)
    return summary


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "schema.jsonl", RELATIONS)


def test_a_file_and_a_summary(graph: Run) -> None:
    assert done(graph("--output", "graph.ttl")) == {
        "triples": "triples.jsonl",
        "output": "graph.ttl",
        "documents": 3,
        "statements": 3,
        "nodes": 3,
        "edges": 2,
        "left_out": {"statements": 0, "edges": 0},
    }
    assert "<https://example.org/entity/人物:白露>" in Path("graph.ttl").read_text(encoding="utf-8")
    assert sorted(path.name for path in Path().iterdir()) == ["graph.ttl", "triples.jsonl"]


@pytest.mark.parametrize("to", ["turtle", "ntriples", "jsonld", "graphml", "gexf", "html"])
def test_a_graph_to_stdout_and_its_summary_to_stderr(graph: Run, to: str) -> None:
    result = graph("--to", to)
    assert result.exit_code == 0, result.output
    assert "白露" in result.stdout
    assert json.loads(result.stderr)["output"] is None
    assert "edges" not in result.stdout or to in ("gexf", "html")


def test_from_stdin(graph: Run) -> None:
    stdin = "".join(json.dumps(row) + "\n" for row in ROWS[:2])
    assert done(graph("--output", "graph.nt", triples="-", stdin=stdin))["documents"] == 2


def test_conflicts_with_a_schema(graph: Run, schema: Path) -> None:
    result = graph("--output", "graph.html", "--schema", str(schema))
    assert done(result)["conflicts"] == {"max_objects": 1}
    assert "hf-spo: 1 conflict with the schema, such as: 白露 (人物) has 2 objects of 出生日期" in result.stderr
    assert "see graph.conflicts.jsonl" in result.stderr
    (conflict,) = rows(Path("graph.conflicts.jsonl").read_text(encoding="utf-8"))
    assert [fact["documents"] for fact in conflict["facts"]] == [2, 1]
    page = Path("graph.html").read_text(encoding="utf-8")
    assert "at most 1 expected" in page
    assert "<title>triples</title>" in page
    assert "白露" in page


def test_conflicts_with_the_schema_of_a_model(graph: Run) -> None:
    Path("model").mkdir()
    Path("model/config.json").write_text(json.dumps({"relations": RELATIONS}), encoding="utf-8")
    result = graph("--to", "graphml", "--model", "model")
    assert "--conflicts FILE lists them" in result.stderr
    result = graph("--to", "graphml", "--model", "model", "--conflicts", "list.jsonl")
    assert "see list.jsonl" in result.stderr
    assert len(rows(Path("list.jsonl").read_text(encoding="utf-8"))) == 1


def test_the_schemas_of_the_packaged_models(graph: Run) -> None:
    assert done(graph("--output", "graph.nt", "--model", "lite"))["conflicts"].keys() == {"unknown_relation"}


def test_neither_torch_nor_transformers_is_loaded(graph: Run) -> None:
    words = ["graph", "triples.jsonl", "--output", "graph.html", "--model", "lite"]
    code = (
        "import sys; from hf_spo.cli import app\n"
        f"try: app({words!r})\n"
        "except SystemExit as exit: assert not exit.code\n"
        "assert not {'torch', 'transformers', 'rdflib', 'networkx', 'pyarrow'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_no_conflicts_are_an_empty_list(graph: Run, schema: Path) -> None:
    assert done(graph("--output", "graph.nt", "--schema", str(schema), "--min-score", "0.5"))["conflicts"] == {}
    assert not Path("graph.conflicts.jsonl").read_text(encoding="utf-8")


def test_what_is_left_out_is_said(graph: Run) -> None:
    result = graph("--output", "graph.nt", "--min-score", "0.5", "--min-count", "3")
    assert done(result)["left_out"] == {"statements": 1, "edges": 1}
    assert "left out 1 statement with a low score, and 1 fact stated by too few documents" in result.stderr


def test_provenance(graph: Run) -> None:
    for words, found in ((["--provenance"], True), (["--no-provenance"], False)):
        done(graph("--output", "graph.jsonld", *words))
        assert ("wasDerivedFrom" in Path("graph.jsonld").read_text(encoding="utf-8")) == found


def test_options_of_rdf(graph: Run) -> None:
    Path("map.json").write_text('{"出生日期": "https://schema.org/birthDate", "死亡日期": "urn:x:y"}', encoding="utf-8")
    words = ["--base-iri", "https://my.org/kg#", "--predicate-map", "map.json", "--language", "zh"]
    result = graph("--to", "ntriples", *words, "--literal-types", "")
    assert "the predicate map has 1 predicate that no fact has: 死亡日期" in result.stderr
    fact = (
        "<https://my.org/kg#entity/人物:白露> <https://schema.org/birthDate> <https://my.org/kg#entity/Date:1990年> ."
    )
    assert fact in result.stdout
    assert '"白露"@zh' in result.stdout
    assert '"1990年"' in graph("--to", "ntriples", "--literal-types", " Date ,Number").stdout


def test_a_page_with_a_limit(graph: Run) -> None:
    result = graph("--output", "graph.html", "--limit", "1", "--title", "<出生>")
    assert "the page draws 1 of 2 facts, those between the most connected nodes" in result.stderr
    page = Path("graph.html").read_text(encoding="utf-8")
    assert "shows 1 of 2 facts" in page
    assert "<title>&lt;出生&gt;</title>" in page
    assert "draws" not in graph("--output", "graph.html", "--limit", "2").stderr


def test_neo4j(graph: Run) -> None:
    result = graph("--to", "neo4j-csv", "--output", "import")
    assert done(result)["output"] == "import"
    assert "hf-spo: import it with: neo4j-admin database import full" in result.stderr
    assert "--nodes=import/nodes.csv" in result.stderr
    assert "import exists already" in one_line_error(graph("--to", "neo4j-csv", "--output", "import"), 1)


def test_cypher(graph: Run) -> None:
    result = graph("--output", "graph.cypher")
    assert done(result)["edges"] == 2
    assert "graph.cypher takes its data from graph.params.json; its first lines say how to run it" in result.stderr
    assert json.loads(Path("graph.params.json").read_text(encoding="utf-8")).keys() == {"nodes_1", "nodes_2", "facts_1"}


def test_bad_lines(graph: Run) -> None:
    write_rows(Path("triples.jsonl"), [*ROWS, {"text": "no triples"}])
    line = one_line_error(graph("--output", "graph.nt"), 1)
    assert 'triples.jsonl:4: expected "triples"' in line
    assert "pass --skip-bad-lines" in line
    assert not Path("graph.nt").exists()
    result = graph("--output", "graph.nt", "--skip-bad-lines")
    assert done(result)["documents"] == 3
    assert "skipped 1 line of triples.jsonl that could not be read; see triples.jsonl.bad.jsonl" in result.stderr
    (bad,) = rows(Path("triples.jsonl.bad.jsonl").read_text(encoding="utf-8"))
    assert bad["line"] == 4


def test_a_table_for_people(graph: Run, schema: Path) -> None:
    result = graph("--output", "graph.nt", "--table", "--schema", str(schema))
    table = [line.split() for line in result.stdout.splitlines() if line.strip()]
    assert table == [
        ["documents", "3"],
        ["statements", "3"],
        ["nodes", "3"],
        ["edges", "2"],
        ["conflicts:", "max_objects", "1"],
    ]


class TestMerging:
    @pytest.fixture
    def two_names(self, graph: Run) -> None:
        """Two documents, one of which says that two names are the same."""
        other = json.loads(json.dumps(ROWS[0]).replace(json.dumps("白露")[1:-1], json.dumps("白小露")[1:-1]))
        del other["text"]
        said = document("d", "1990年", 0.9)
        said["text"] = "白露（又名白小露）生于1990年"
        said["triples"][0]["object"] |= {"start": 11, "end": 16}
        write_rows(Path("triples.jsonl"), [{**other, "id": "e"}, said])

    @pytest.mark.usefixtures("two_names")
    def test_a_report_that_is_edited_and_applied_again(self, graph: Run) -> None:
        assert done(graph("--output", "plain.nt"))["nodes"] == 3
        assert not Path("plain.merges.tsv").exists()
        result = graph("--output", "graph.nt", "--text-aliases")
        summary = done(result)
        assert (summary["nodes"], summary["edges"], summary["merged"]) == (2, 1, 1)
        assert "merged 1 name, left 0 apart; graph.merges.tsv lists them; edit it for --merges" in result.stderr
        report = Path("graph.merges.tsv")
        lines = report.read_text(encoding="utf-8").splitlines()
        assert lines[1].split("\t") == [
            "yes",
            "白露",
            "白小露",
            "人物",
            "text: 又名",
            "d",
            "0",
            "8",
            "白露（又名白小露",
            "",
        ]
        report.write_text("\n".join([lines[0], lines[1].replace("yes", "no")]), encoding="utf-8")
        again = done(graph("--output", "again.nt", "--text-aliases", "--merges", "graph.merges.tsv"))
        assert (again["nodes"], again["merged"]) == (3, 0)
        message = one_line_error(graph("--output", "graph.nt", "--merges", "graph.merges.tsv"), 2)
        assert "the report would overwrite graph.merges.tsv; name another one by --merge-report" in message

    @pytest.mark.usefixtures("two_names")
    def test_a_table_and_rules(self, graph: Run) -> None:
        Path("aliases.tsv").write_text("白小露\t白露\n", encoding="utf-8")
        words = ("--to", "ntriples", "--aliases", "aliases.tsv", "--merge-report", "m.tsv")
        result = graph(*words)
        assert result.exit_code == 0
        assert '"白小露"' in result.stdout
        assert "yes\t白小露\t白露\t人物\taliases.tsv:1" in Path("m.tsv").read_text(encoding="utf-8")
        Path("rules.json").write_text('{"人物": {"beginnings": ["白小", "白"]}}', encoding="utf-8")
        assert done(graph("--output", "g.nt", "--merge-rules", "rules.json"))["merged"] == 0  # of one character
        Path("rules.json").write_text("[]", encoding="utf-8")
        assert "rules.json" in one_line_error(graph("--output", "g.nt", "--merge-rules", "rules.json"), 1)

    @pytest.mark.usefixtures("two_names")
    def test_documents_of_merged_facts_count_together(self, graph: Run) -> None:
        assert done(graph("--output", "a.nt", "--min-count", "2"))["edges"] == 0
        assert done(graph("--output", "b.nt", "--min-count", "2", "--text-aliases"))["edges"] == 1


def embedder(folder: Path) -> Path:
    """Write a model of sentence-transformers: a tiny BERT of random weights, whose tokenizer drops case and accents."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    bert = folder / "bert"
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    BertTokenizer(vocab={token: at for at, token in enumerate(vocab)}).save_pretrained(bert)
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(vocab), **size)).save_pretrained(bert)
    SentenceTransformer(modules=[Transformer(str(bert)), Pooling(16)], device="cpu").save(str(folder / "st"))
    return folder / "st"


def test_names_with_equal_embeddings(tmp_path: Path, graph: Run) -> None:
    pytest.importorskip("sentence_transformers")
    model = str(embedder(tmp_path))

    def row(subject: str, type_: str = "人物") -> dict[str, Any]:
        mentions = ({"text": subject, "type": type_}, {"text": "Rio", "type": "地点"})
        return {"triples": [{"subject": mentions[0], "predicate": "出生地", "object": mentions[1]}]}

    write_rows(
        Path("triples.jsonl"), [row("José"), row("José"), row("Jose"), row("JOSÉ"), row("Anna"), row("Jose", "作品")]
    )
    words = ("--merge-embeddings", model, "--merge-threshold", "0.9999")
    result = done(graph("--output", "graph.nt", *words))
    assert (result["nodes"], result["merged"]) == (4, 1)
    report = Path("graph.merges.tsv").read_text(encoding="utf-8").splitlines()
    assert len(report) == 2
    cells = dict(zip(report[0].split("\t"), report[1].split("\t"), strict=True))
    assert (cells["merge"], cells["kept"], cells["merged"], cells["type"]) == ("yes", "José", "Jose", "人物")
    assert (cells["reason"], cells["similarity"]) == ("embeddings of st: like José", "1.0000")
    assert done(graph("--output", "all.nt", "--merge-embeddings", model, "--merge-threshold", "0"))["merged"] >= 1
    again = ("--output", "again.nt", "--merges", "graph.merges.tsv")
    assert done(graph(*again))["merged"] == 1
    assert Path("again.merges.tsv").read_text(encoding="utf-8").splitlines() == report
    Path("graph.merges.tsv").write_text("\n".join(report).replace("yes", "no"), encoding="utf-8")
    assert done(graph(*again, *words))["merged"] == 0
    assert "such-model" in one_line_error(
        graph("--output", "g.nt", "--merge-embeddings", "./such-model", *words[2:]), 1
    )


def test_the_summary_is_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch, graph: Run) -> None:
    monkeypatch.setattr(console, "is_terminal", lambda stream: True)
    assert "documents" in graph("--to", "ntriples").stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "no output format; give --to, or --output with a suffix"),
        (["--output", "graph.txt"], "graph.txt: the file name does not identify a format"),
        (["--to", "turtel"], "unknown graph format 'turtel'; did you mean turtle?"),
        (["--to", "cypher"], "--to cypher writes several files; give --output"),
        (["--to", "neo4j-csv"], "--to neo4j-csv writes several files; give --output"),
        (["--to", "html", "--base-iri", "urn:x:"], "--base-iri does not apply to html; leave it out"),
        (["--to", "gexf", "--literal-types", "Date"], "--literal-types does not apply to gexf"),
        (["--to", "turtle", "--limit", "5"], "--limit does not apply to turtle"),
        (["--to", "html", "--conflicts", "a"], "--conflicts needs a schema to compare with; give --schema or --model"),
        (["--to", "html", "--schema", "schema.jsonl", "--model", "lite"], "got both --schema and --model"),
        (["--to", "ntriples", "--text-aliases"], "nothing is merged without a report; give --merge-report or --output"),
        (["--output", "g.nt", "--merge-threshold", "0.9"], "--merge-embeddings and --merge-threshold need each other"),
        (["--output", "g.nt", "--merge-embeddings", "e"], "--merge-embeddings and --merge-threshold need each other"),
        (["--output", "g.nt", "--merge-report", "m.tsv"], "nothing to report: give --text-aliases, --aliases, "),
    ],
)
def test_wrong_usage(graph: Run, schema: Path, words: list[str], problem: str) -> None:
    assert problem in one_line_error(graph(*words), 2)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--output", "no/graph.nt"], "the folder no does not exist; create it, or write graph.nt elsewhere"),
        (["--output", "folder", "--to", "html"], "folder is a folder; name a file to write"),
        (["--to", "turtle", "--base-iri", "my.org"], "base IRI 'my.org': expected an absolute IRI"),
        (["--to", "turtle", "--language", "中文"], "expected a tag such as zh"),
        (["--to", "turtle", "--predicate-map", "triples.jsonl"], "triples.jsonl: not valid JSON"),
        (["--to", "turtle", "--model", "folder"], "folder has no config.json; expected the folder of a trained model"),
        (["--to", "turtle", "--model", "bert"], "has no relations; expected a triple-extraction model, or give"),
        (["--to", "turtle", "--model", "./none"], "there is no folder ./none"),
    ],
)
def test_what_cannot_be_done(graph: Run, words: list[str], problem: str) -> None:
    for name, config in (("folder", None), ("bert", "{}")):
        Path(name).mkdir()
        if config:
            Path(name, "config.json").write_text(config, encoding="utf-8")
    assert problem in one_line_error(graph(*words), 1)


def test_triples_that_are_not_there(graph: Run) -> None:
    assert "none.jsonl does not exist" in one_line_error(graph("--to", "html", triples="none.jsonl"), 1)


def test_a_model_on_the_hub(graph: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"relations": RELATIONS}), encoding="utf-8")
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *name: {("me/model", "config.json"): config}[name])
    assert done(graph("--output", "graph.nt", "--model", "me/model"))["conflicts"] == {"max_objects": 1}
