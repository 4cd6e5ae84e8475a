"""What the pipeline returns for a text: a list that draws itself and becomes a table."""

import copy
import json
import pickle

import pytest

from hf_spo import Triples, render
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
    assert Triples().text == ""


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_know_it_too(found, again):
    other = again(found)
    assert (other, other.text, type(other)) == (found, found.text, Triples)


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
