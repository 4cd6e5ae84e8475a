"""Finding documents to extract from."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_spo.data.documents import Source, SourceFormat, count_documents, find_sources


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b/c.jsonl", "b/d.csv", "b/e.pdf", ".hidden/f.txt", "b/.g.txt", "h.txt.gz", "i.parquet.gz"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x\n", encoding="utf-8")
    return tmp_path


def names(*inputs, form=None):
    return [source.name for source in find_sources(inputs, form)]


class TestFindSources:
    def test_files_with_what_their_suffix_says(self, folder):
        assert find_sources(["a.txt", "b/c.jsonl", "h.txt.gz"]) == [
            Source("a.txt", SourceFormat.TEXT, 2),
            Source("b/c.jsonl", SourceFormat.JSON, 2),
            Source("h.txt.gz", SourceFormat.TEXT, 2),
        ]

    def test_a_folder_has_all_that_is_known_but_hidden_files(self, folder):
        assert names(".") == ["a.txt", "b/c.jsonl", "b/d.csv", "h.txt.gz"]

    def test_globs_are_sorted_and_reach_into_folders(self, folder):
        assert names("**/*.[tc][xs]?") == names("*.txt", "b/d.csv")
        assert names(str(folder / "b" / "*.jsonl")) == [str(folder / "b" / "c.jsonl")]

    def test_a_file_meant_twice_is_read_once(self, folder):
        assert names("a.txt", "*.txt") == ["a.txt"]

    def test_what_is_said_goes_before_the_suffix(self, folder):
        assert [source.format for source in find_sources(["b/e.pdf"], SourceFormat.TEXT)] == [SourceFormat.TEXT]

    def test_stdin_and_the_hub(self):
        assert find_sources(["-", "hub:owner/name:dev"]) == [
            Source("-", SourceFormat.TEXT),
            Source("hub:owner/name:dev", SourceFormat.HUB),
        ]
        assert find_sources(["-"], SourceFormat.JSON) == [Source("-", SourceFormat.JSON)]

    @pytest.mark.parametrize(
        ("given", "error", "message"),
        [
            ("no.txt", FileNotFoundError, "there is no no.txt"),
            ("*.xyz", FileNotFoundError, "a glob"),
            ("empty", FileNotFoundError, "no file that ends in"),
            ("b/e.pdf", ValueError, "--input-format"),
            ("i.parquet.gz", ValueError, "--input-format"),
        ],
    )
    def test_what_is_wrong_is_said(self, folder, given, error, message):
        (folder / "empty").mkdir()
        with pytest.raises(error, match=message):
            find_sources([given])


class TestSource:
    def test_what_can_grow(self, folder):
        growing = {source.name for source in find_sources([".", "-"]) if source.can_grow}
        assert growing == {"a.txt", "b/c.jsonl", "b/d.csv"}

    def test_fingerprints_tell_contents_apart(self, folder):
        (source,) = find_sources(["a.txt"])
        before = source.fingerprint()
        (folder / "a.txt").write_text("x\ny\n", encoding="utf-8")
        (grown,) = find_sources(["a.txt"])
        assert grown.fingerprint(2) == before != grown.fingerprint()
        assert Source("-", SourceFormat.TEXT).fingerprint() == ""


class TestCount:
    def test_lines_and_rows(self, tmp_path):
        (tmp_path / "a.txt").write_text("甲\n乙\n", encoding="utf-8")
        (tmp_path / "b.csv").write_text("text\n甲\n", encoding="utf-8")
        pq.write_table(pa.table({"text": ["甲", "乙", "丙"]}), tmp_path / "c.parquet")
        assert count_documents(find_sources([str(tmp_path)])) == 2 + 1 + 3

    def test_what_would_have_to_be_read_is_not_counted(self, tmp_path):
        with gzip.open(tmp_path / "a.txt.gz", "wb") as file:
            file.write(b"x\n")
        (tmp_path / "c.parquet").write_bytes(b"none")
        for given in ("a.txt.gz", "c.parquet"):
            assert count_documents(find_sources([str(tmp_path / given)])) is None
