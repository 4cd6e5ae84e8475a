"""What the pipelines take, and what they return for a text: a list with a picture and a table."""

import copy
import json
import pickle

import pytest

from hf_spo import Triples, render
from hf_spo.model.results import read_inputs
from tests.builders import EXAMPLES

EXAMPLE = EXAMPLES[0]
ROWS = [triple.to_dict() for triple in EXAMPLE.triples]


@pytest.fixture
def found():
    return Triples(EXAMPLE.triples, EXAMPLE.text)


def test_is_a_list_of_dictionaries(found):
    assert found == ROWS == Triples(ROWS)
    assert isinstance(found, list)
    assert json.loads(json.dumps(found)) == ROWS
    assert repr(found) == repr(ROWS)
    assert found[0] == ROWS[0]


def test_knows_its_text_and_so_do_its_parts(found):
    assert found.text == found[:1].text == EXAMPLE.text
    assert found[:1] == ROWS[:1]
    assert found[:1].triples == EXAMPLE.triples[:1]
    assert Triples().text == ""


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_know_it_too(found, again):
    other = again(found)
    assert (other, other.text, other.triples, type(other)) == (found, found.text, found.triples, Triples)


def test_keeps_the_objects_that_it_was_made_from(found):
    assert all(kept is given for kept, given in zip(found.triples, EXAMPLE.triples, strict=True))
    assert Triples(ROWS).triples == EXAMPLE.triples


def test_draws_itself(found):
    assert found.render("svg", width=300) == render(EXAMPLE.text, EXAMPLE.triples, "svg", width=300)
    assert found._repr_html_() == found.render() == render(EXAMPLE.text, EXAMPLE.triples)


def test_becomes_a_table(found):
    table = found.to_arrow()
    assert table.column("predicate").to_pylist() == [row["predicate"] for row in ROWS]
    frame = found.to_pandas()
    assert frame["subject"].tolist() == [row["subject"]["text"] for row in ROWS]
    assert frame["object_start"].tolist() == [row["object"]["start"] for row in ROWS]
    assert len(Triples().to_pandas()) == 0


def test_without_the_package_pictures_and_tables_say_what_they_need(found, monkeypatch):
    """As in code that came with a model."""

    def missing(name):
        raise ModuleNotFoundError(f"No module named {absent!r}", name=absent)

    monkeypatch.setattr("hf_spo.model.results.import_module", missing)
    absent = "hf_spo"
    for ask in (found.render, found.to_arrow, found.to_pandas):
        with pytest.raises(ImportError, match="need hf_spo: pip install hf-spo"):
            ask()
    assert found._repr_html_() is None
    absent = "pyarrow"
    with pytest.raises(ModuleNotFoundError, match="pyarrow"):
        found.to_arrow()


class Indexed:
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return f"text {index}"


class TestInputs:
    def test_one_text_gives_one_result(self):
        texts, collect = read_inputs("白露")
        assert list(texts) == ["白露"]
        assert collect(iter([1, 2])) == 1

    @pytest.mark.parametrize("kind", [list, tuple])
    def test_several_texts_give_a_list(self, kind):
        texts, collect = read_inputs(kind(["白露", "晚风"]))
        assert list(texts) == ["白露", "晚风"]
        assert collect(iter([1, 2])) == [1, 2]

    @pytest.mark.parametrize(
        "stream", [lambda: iter(["text 0", "text 1"]), Indexed, lambda: {"text 0": 1, "text 1": 2}.keys()]
    )
    def test_a_stream_gives_a_stream(self, stream):
        texts, collect = read_inputs(stream())
        assert list(texts) == ["text 0", "text 1"]
        results = collect(iter([1, 2]))
        assert iter(results) is results
        assert list(results) == [1, 2]

    @pytest.mark.parametrize("value", [None, 3, b"x", {"text": "白露"}])
    def test_anything_else_is_refused_with_what_came(self, value):
        with pytest.raises(TypeError, match=f"expected a text .*got {type(value).__name__}"):
            read_inputs(value)
