"""A run over a corpus: every document once, whatever happens on the way."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from hf_spo import Example, Mention, Span, Triple
from hf_spo.corpus import CorpusJob, LocalEngine
from hf_spo.corpus.parts import PartFormat, Rows
from hf_spo.data import DataFormatError
from hf_spo.data.document_readers import read_documents
from hf_spo.data.documents import find_sources
from hf_spo.support.tables import triple_of

STAMP = {"model": "tiny", "revision": "r1"}


def loop(texts, batch_size=None):
    """Find as many triples in a text as it has an x; a text that says bad is."""
    for text in texts:
        if "bad" in text:
            raise ValueError("a bad text")
        yield [
            Triple(Mention(text, Span(0, len(text)), "t"), "p", Mention("x", Span(at, at + 1), "u"), {}, 0.5)
            for at, character in enumerate(text)
            if character == "x"
        ]


def job(folder, *inputs, **options):
    return CorpusJob(find_sources([str(path) for path in inputs]), folder, stamp=STAMP, **options)


def run(folder, *inputs, **options):
    return job(folder, *inputs, **options).run(LocalEngine(chunk_size=4), lambda: loop)


def rows(folder, kind="part"):
    paths = sorted(folder.glob(f"{kind}-*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("".join(f"line {number} xx\n" for number in range(25)), encoding="utf-8")
    return path


@pytest.mark.smoke
class TestOutput:
    def test_a_row_a_document(self, tmp_path, lines):
        done = run(tmp_path / "out", lines, part_size=10)
        assert (done.documents, done.triples, done.failed, done.parts) == (25, 50, 0, 3)
        assert sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")) == [
            "_manifest.jsonl",
            *(f"part-0000{number}.jsonl" for number in range(3)),
        ]
        row = rows(tmp_path / "out")[11]
        assert (row["id"], row["text"], row["model"], row["revision"]) == (f"{lines}:12", "line 11 xx", "tiny", "r1")
        for triple in row["triples"]:
            assert row["text"][triple["object"]["start"] : triple["object"]["end"]] == "x"

    def test_a_row_a_triple(self, tmp_path, lines):
        run(tmp_path / "out", lines, rows=Rows.TRIPLE)
        first = rows(tmp_path / "out")[0]
        assert (first["id"], first["predicate"], first["score"], first["model"]) == (f"{lines}:1", "p", 0.5, "tiny")
        assert len(rows(tmp_path / "out")) == 50

    def test_parquet_has_the_same(self, tmp_path, lines):
        run(tmp_path / "j", lines)
        run(tmp_path / "p", lines, form=PartFormat.PARQUET, part_size=20)
        found = pq.read_table(tmp_path / "p").to_pylist()
        assert list(map(Example.from_dict, found)) == list(map(Example.from_dict, rows(tmp_path / "j")))
        assert [row["id"] for row in found] == [row["id"] for row in rows(tmp_path / "j")]
        run(tmp_path / "t", lines, form=PartFormat.PARQUET, rows=Rows.TRIPLE)
        flat = pq.read_table(tmp_path / "t" / "part-00000.parquet").to_pylist()
        nested = [(row["id"], triple) for row in rows(tmp_path / "j") for triple in row["triples"]]
        assert [(row["id"], Triple.from_dict(triple_of(row)).to_dict()) for row in flat] == nested
        assert {row["model"] for row in flat} == {"tiny"}

    def test_what_fails_goes_to_its_own_file(self, tmp_path, lines):
        lines.write_bytes(b"a x\nbad\n\xff\nb x\n")
        done = run(tmp_path / "out", lines)
        assert (done.documents, done.failed) == (2, 2)
        one, other = rows(tmp_path / "out", "_errors")
        assert (one["id"], one["problem"], one["content"]) == (f"{lines}:2", "a bad text", "bad")
        assert "not UTF-8" in other["problem"]

    def test_a_file_that_cannot_be_read(self, tmp_path, lines):
        (tmp_path / "z.parquet").write_bytes(b"none")
        done = run(tmp_path / "out", lines, tmp_path / "z.parquet")
        assert (done.documents, done.failed) == (25, 1)
        assert "not a Parquet file, or not complete" in rows(tmp_path / "out", "_errors")[0]["problem"]
        with pytest.raises(DataFormatError, match="not a Parquet file"):  # the first: perhaps none of it is meant
            run(tmp_path / "other", tmp_path / "z.parquet")

    def test_no_documents(self, tmp_path, lines):
        lines.write_text("")
        assert run(tmp_path / "out", lines).documents == 0

    def test_it_tells_how_far_it_is(self, tmp_path, lines):
        told = []
        job(tmp_path / "out", lines).run(LocalEngine(), lambda: loop, told.append)
        assert [progress.documents for progress in told] == list(range(1, 26))


class TestGoingOn:
    def test_a_finished_run_does_nothing(self, tmp_path, lines):
        first = run(tmp_path / "out", lines)
        assert job(tmp_path / "out", lines).run(LocalEngine(), lambda: pytest.fail("loaded")) == first

    def test_from_where_it_was_stopped(self, tmp_path, lines):
        def stopping(texts, batch_size=None):
            for text in texts:
                if text.startswith("line 17"):
                    raise KeyboardInterrupt
                yield []

        with pytest.raises(KeyboardInterrupt):
            job(tmp_path / "out", lines, part_size=5).run(LocalEngine(chunk_size=4), lambda: stopping)
        assert not list((tmp_path / "out").glob(".part*"))
        read = []

        def noting(texts, batch_size=None):
            read.extend(texts)
            return loop(texts)

        done = job(tmp_path / "out", lines, part_size=5).run(LocalEngine(), lambda: noting)
        assert read[0] == "line 15 xx"
        assert done.documents == 25
        assert [row["id"] for row in rows(tmp_path / "out")] == [f"{lines}:{number}" for number in range(1, 26)]

    def test_what_a_file_has_grown_by(self, tmp_path, lines):
        run(tmp_path / "out", lines)
        with lines.open("a") as file:
            file.write("more x\n")
        (tmp_path / "new.txt").write_text("new x\n")
        assert run(tmp_path / "out", lines, tmp_path / "new.txt").documents == 27
        assert [row["text"] for row in rows(tmp_path / "out")][25:] == ["more x", "new x"]

    def test_a_last_line_without_an_end_that_goes_on(self, tmp_path, lines):
        lines.write_text("one\ntwo")
        run(tmp_path / "out", lines)
        lines.write_text("one\ntwo\nthree\n")
        assert run(tmp_path / "out", lines).documents == 3
        lines.write_text("one\ntwo")
        run(tmp_path / "other", lines)
        lines.write_text("one\ntwofold\n")
        with pytest.raises(ValueError, match="changed in the lines that were read"):
            run(tmp_path / "other", lines)

    def test_files_that_are_done_are_not_read_again(self, tmp_path, monkeypatch):
        paths = [tmp_path / f"{number}.txt" for number in range(3)]
        for path in paths:
            path.write_text("a\nb\n")

        def stopping(texts, batch_size=None):
            for _ in texts:
                if len(list((tmp_path / "out").glob("part-*"))) == 2:
                    raise KeyboardInterrupt
                yield []

        with pytest.raises(KeyboardInterrupt):
            job(tmp_path / "out", *paths, part_size=2).run(LocalEngine(chunk_size=1), lambda: stopping)
        read = []

        def noting(source, columns):
            read.append(source.name)
            return read_documents(source, columns)

        monkeypatch.setattr("hf_spo.corpus.job.read_documents", noting)
        assert run(tmp_path / "out", *paths, part_size=2).documents == 6
        assert read == [str(path) for path in paths[1:]]

    def test_stdin_goes_on_where_it_was_stopped_but_not_once_it_ended(self, tmp_path, monkeypatch):
        def type_in(text):
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
            return CorpusJob(find_sources(["-"]), tmp_path / "out", part_size=1)

        def stopping(texts, batch_size=None):
            for text in texts:
                if text == "c":
                    raise KeyboardInterrupt
                yield []

        with pytest.raises(KeyboardInterrupt):
            type_in("a\nb\nc\nd\n").run(LocalEngine(chunk_size=1), lambda: stopping)
        assert type_in("a\nb\nc\nd\n").run(LocalEngine(), lambda: loop).documents == 4
        assert [row["text"] for row in rows(tmp_path / "out")] == ["a", "b", "c", "d"]
        with pytest.raises(ValueError, match="the same documents is not known"):
            type_in("e\n").run(LocalEngine(), lambda: loop)

    def test_a_file_that_is_another_now(self, tmp_path, lines):
        run(tmp_path / "out", lines)
        lines.write_text("something else")
        with pytest.raises(ValueError, match="has changed since the run began"):
            run(tmp_path / "out", lines)

    def test_a_line_of_the_manifest_that_was_being_written(self, tmp_path, lines):
        run(tmp_path / "out", lines, part_size=10)
        manifest = tmp_path / "out" / "_manifest.jsonl"
        content = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
        manifest.write_text("".join(content[:3]) + content[3][:30], encoding="utf-8")
        assert run(tmp_path / "out", lines, part_size=10).documents == 25
        assert len({row["id"] for row in rows(tmp_path / "out")}) == len(rows(tmp_path / "out")) == 25

    @pytest.mark.parametrize(
        ("options", "message"),
        [({"rows": Rows.TRIPLE}, "rows 'document'"), ({"settings": {"parameters": {"top_k": 1}}}, "parameters")],
    )
    def test_not_with_other_settings(self, tmp_path, lines, options, message):
        run(tmp_path / "out", lines)
        with pytest.raises(ValueError, match=message):
            run(tmp_path / "out", lines, **options)

    def test_not_in_a_folder_of_something_else(self, tmp_path, lines):
        with pytest.raises(ValueError, match="is not empty and has no _manifest"):
            run(tmp_path, lines)
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "_manifest.jsonl").write_text('{"a": 1}\n')
        with pytest.raises(ValueError, match="is not a manifest"):
            run(tmp_path / "out", lines)

    def test_not_while_another_run_is_at_it(self, tmp_path, lines):
        (tmp_path / "out").mkdir()
        with (
            FileLock(tmp_path / "out" / ".lock"),
            pytest.raises(BlockingIOError, match="another run writes"),
        ):
            run(tmp_path / "out", lines)


def test_a_full_disk_loses_nothing(tmp_path, lines, monkeypatch):
    opened = Path.open

    class Full:
        def __init__(self, file):
            self.file, self.left = file, 3

        def write(self, text):
            self.left -= 1
            if self.left < 0:
                raise OSError(28, "No space left on device")
            return self.file.write(text)

        def __getattr__(self, name):
            return getattr(self.file, name)

    def full(self, *arguments, **options):
        file = opened(self, *arguments, **options)
        return Full(file) if self.name == ".part-00001.jsonl.part" else file

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(OSError, match="No space left on device; 20 documents are done and stay"):
            run(tmp_path / "out", lines, part_size=20)
    assert run(tmp_path / "out", lines, part_size=20).documents == 25


SCRIPT = """
import sys, time
from pathlib import Path
from hf_spo.data.document_readers import read_documents
from hf_spo.data.documents import find_sources
from hf_spo.corpus import CorpusJob, LocalEngine

def loop(texts, batch_size=None):
    for text in texts:
        time.sleep(0.002)
        yield []

CorpusJob(find_sources([sys.argv[1]]), Path(sys.argv[2]), part_size=7).run(LocalEngine(chunk_size=5), lambda: loop)
"""


def test_killed_again_and_again_no_document_is_lost_or_doubled(tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("".join(f"{number}\n" for number in range(400)))
    kills = 0
    for attempt in range(20):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(source), str(tmp_path / "out")])
        deadline = time.monotonic() + 60
        # Let it write something, then kill it at another moment each time.
        parts = len(rows(tmp_path / "out")) if attempt else 0
        while process.poll() is None and attempt < 3:
            if (tmp_path / "out").exists() and len(rows(tmp_path / "out")) > parts + 40:
                time.sleep(0.003 * attempt)
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
                break
            assert time.monotonic() < deadline
            time.sleep(0.005)
        if process.wait() == 0:
            break
    assert kills == 3
    counts = Counter(row["text"] for row in rows(tmp_path / "out"))
    assert counts == Counter(str(number) for number in range(400))
