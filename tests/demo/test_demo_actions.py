"""What happens when something is pressed on the demo's page."""

from html import unescape

import pytest

from hf_spo.demo import actions
from hf_spo.demo.actions import extract_text, failure, show_file, show_text
from hf_spo.demo.extraction import MAX_CHARACTERS, Models, Settings
from hf_spo.demo.file_extraction import MAX_BYTES, Outcome
from tests.demo.demo_fakes import EVIL, Pipe


@pytest.fixture
def pipe():
    return Pipe()


@pytest.fixture
def models(pipe):
    return Models({"fake": lambda: pipe})


def statuses(found):
    return [(shown.status.key, shown.status.kind) for shown in found]


class TestText:
    def test_loading_then_found_then_no_loading(self, models, pipe):
        found = list(show_text(models, "甲乙", Settings("fake", 0.2)))
        assert statuses(found) == [("loading", "busy"), ("found", "done")]
        assert found[-1].triples[0]["subject"]["text"] == "甲"
        assert found[-1].triples.text == "甲乙"
        assert pipe.calls[0]["threshold"] == 0.2
        assert statuses(show_text(models, "甲乙", Settings("fake")))[0] == ("extracting", "busy")

    @pytest.mark.parametrize(
        ("text", "key"),
        [("", "no_text"), (" \n", "no_text"), ("无", "none_found"), ("甲" * (MAX_CHARACTERS + 1), "too_long")],
    )
    def test_what_gives_nothing_says_why(self, models, text, key):
        found = list(show_text(models, text, Settings("fake")))
        assert found[-1].status.key == key
        assert found[-1].triples == []
        for language in ("en", "zh"):
            assert found[-1].status.html(language)

    @pytest.mark.parametrize(
        ("settings", "text", "reason"),
        [
            (Settings("none"), "甲乙", "unknown model 'none'; expected one of fake"),
            (Settings("fake", 0.01), "甲乙", "border threshold 0.01: expected"),
            (Settings("fake"), "坏", "this one is bad"),
        ],
    )
    def test_errors_are_lines(self, settings, text, reason, caplog):
        found = list(show_text(Models({"fake": Pipe}), text, settings))
        assert found[-1].status.key == "failed"
        assert reason in unescape(found[-1].status.html("en"))
        assert reason in caplog.text
        assert "Traceback" not in caplog.text

    def test_a_model_that_cannot_be_loaded(self):
        def load():
            raise KeyError("weights")

        found = list(show_text(Models({"broken": load}), "甲乙", Settings("broken")))
        assert found[-1].status.values == {"reason": "KeyError('weights')"}

    def test_surrogates_do_not_come_back(self, models):
        triples = extract_text(models, EVIL, Settings("fake"))
        assert triples.text.encode()
        assert len(triples.text) == len(EVIL)

    def test_programs_are_told_of_the_limit_too(self, models):
        with pytest.raises(ValueError, match="10,001 characters; the limit is 10,000"):
            extract_text(models, "x" * (MAX_CHARACTERS + 1), Settings("fake"))


class TestFile:
    @pytest.fixture
    def show(self, models, tmp_path):
        (tmp_path / "out").mkdir()

        def show(name, content, column=""):
            path = tmp_path / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            return list(show_file(models, path, column, Settings("fake"), tmp_path / "out", "zh"))

        return show

    def test_progress_and_files(self, show):
        (first, _), *_, (last, total) = show("a.txt", "甲乙\n丙丁\n")
        assert first.key == "loading"
        assert isinstance(last, Outcome)
        assert last.files
        assert (last.triples, total) == (2, 2)

    def test_a_list_has_no_count_and_a_long_file_counts_up_to_the_limit(self, show, monkeypatch):
        monkeypatch.setattr(actions, "MAX_DOCUMENTS", 3)
        assert show("a.txt", "甲乙\n" * 9)[-1][1] == 3
        assert show("a.txt.gz", b"")[-1][1] is None

    def test_too_large(self, show):
        ((status, _),) = show("a.txt", b"x" * (MAX_BYTES + 1))
        assert status.html("en").count("5") == 2
        assert status.key == "file_too_large"

    def test_texts_that_are_too_long_are_told_in_the_readers_language(self, show):
        outcome, _ = show("a.txt", f"甲乙\n{'长' * (MAX_CHARACTERS + 1)}\n")[-1]
        assert outcome.problems[0].problem == "有 10,001 个字符，上限为 10,000 个"

    def test_no_such_file_and_its_folder_is_not_told(self, show, tmp_path):
        status, _ = show("<img src=x>.pdf", "x")[-1]
        assert "unknown suffix .pdf" in status.html("en")
        assert str(tmp_path) not in status.html("en")
        assert "<img" not in status.html("en")


def test_errors_without_words():
    assert failure(RuntimeError("no memory")).values == {"reason": "RuntimeError('no memory')"}
    assert failure(OSError("disk")).values == {"reason": "disk"}
