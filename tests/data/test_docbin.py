import gc
import pickle
import re
import sys
import zlib
from collections import Counter

import pytest
import srsly
from spacy.tokens import Doc, DocBin
from spacy.tokens import Span as DocSpan
from spacy.vocab import Vocab

from hf_spo.data.formats.base import ConversionReport, DataFormatError, Record, Sample
from hf_spo.data.formats.docbin import FORMAT
from hf_spo.model.schema import Mention, Span, Triple

WORDS = ["Anna", "Lind", "filmed", "Blue"]
TEXT = "Anna Lind filmed Blue"
ANNA, FILM = Mention("Anna Lind", Span(0, 9), "Person"), Mention("Blue", Span(17, 21), "Film")
REL, TRIPLES = ("._.", "rel", None, None), ("._.", "triples", None, None)


def doc(relations=None, ents=True, group=None, **data):
    made = Doc(Vocab(), words=WORDS, spaces=[True, True, True, False])
    spans = [DocSpan(made, 0, 2, label="Person"), DocSpan(made, 3, 4, label="Film")]
    if ents:
        made.ents = spans
    if group:
        made.spans[group] = spans
    if relations is not None:
        made.user_data[REL] = relations
    made.user_data.update(data)
    return made


def saved(tmp_path, *docs):
    path = tmp_path / "docs.spacy"
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def read(path, **settings):
    report = ConversionReport(**settings)
    return list(FORMAT.read(path, report)), report


@pytest.mark.parametrize(("ents", "group"), [(True, None), (False, "sc"), (False, "other"), (True, "sc")])
def test_entities_are_those_of_ents_and_spans(ents, group, tmp_path):
    relations = {(3, 0): {"director": 1.0, "editor": 0.0}, (0, 3): {"director": 0.0}, (0, 0): {}}
    records, report = read(saved(tmp_path, doc(relations, ents, group, id="d1")))
    assert records == [Record(TEXT, (Triple(FILM, "director", ANNA),), (), "d1")]
    assert report.lost == Counter({"relations stated not to hold": 2})


def test_scores_below_one_are_kept(tmp_path):
    (record,), report = read(saved(tmp_path, doc({(3, 0): {"director": 0.75}})))
    assert record.triples == (Triple(FILM, "director", ANNA, {}, 0.75),)
    assert not report.lost


def test_documents_without_relations_have_entities(tmp_path):
    made = doc()
    made.cats = {"film": 1.0}
    records, report = read(saved(tmp_path, made, Doc(Vocab(), words=["x"], spaces=[False])))
    assert records == [Record(TEXT, (), (ANNA, FILM)), Record("x")]
    assert report.lost == Counter({"categories of texts": 1})


def test_a_docbin_without_user_data_is_read(tmp_path):
    path = tmp_path / "plain.spacy"
    DocBin(docs=[doc({(3, 0): {"director": 1.0}})]).to_disk(path)
    assert read(path)[0] == [Record(TEXT, (), (ANNA, FILM))]


def test_triples_of_the_component_come_before_relations(tmp_path):
    made = doc({(3, 0): {"editor": 1.0}}, group="sc")
    made.user_data[TRIPLES] = [Triple(FILM, "director", ANNA, {}, 0.5).to_dict()]
    assert read(saved(tmp_path, made))[0] == [Record(TEXT, (Triple(FILM, "director", ANNA, {}, 0.5),))]


def test_relations_name_the_longest_entity_of_a_token(tmp_path):
    made = doc({(3, 0): {"director": 1.0}}, ents=False)
    spans = ((0, 1, "Name"), (0, 2, "Person"), (3, 4, "Film"))
    made.spans["sc"] = [DocSpan(made, start, end, label=kind) for start, end, kind in spans]
    (record,), _ = read(saved(tmp_path, made))
    assert record.triples[0].object == ANNA
    assert record.entities == (Mention("Anna", Span(0, 4), "Name"),)


@pytest.mark.parametrize(
    ("relations", "problem"),
    [
        ([1], r"doc\._\.rel: expected scores by label by tokens"),
        ({3: {"director": 1.0}}, "expected two token numbers"),
        ({(3, 0): "director"}, "expected two token numbers"),
        ({(3, 1): {"director": 1.0}}, "no entity begins with one of these tokens"),
        ({(3, 0): {"director": "yes"}}, "expected scores by label"),
        ({(3, 0): {5: 1.0}}, "expected scores by label"),
    ],
)
def test_a_wrong_document_is_named_and_may_be_set_aside(relations, problem, tmp_path):
    path = saved(tmp_path, doc(relations), doc())
    with pytest.raises(DataFormatError, match=problem) as caught:
        read(path)
    assert "document 1" in str(caught.value)
    bad = []
    records, _ = read(path, on_bad_line=bad.append)
    assert (len(records), [line.number for line in bad]) == (1, [1])


def test_wrong_triples_are_named(tmp_path):
    made = doc()
    made.user_data[TRIPLES] = [{"subject": 5}]
    with pytest.raises(DataFormatError, match=r"triples\[0\]\.subject"):
        read(saved(tmp_path, made))


def packed(value):
    return zlib.compress(srsly.msgpack_dumps(value))


@pytest.mark.parametrize(
    "content",
    [b"", b"no zlib", zlib.compress(b"\xc1"), packed([]), packed({}), packed({"attrs": [], "version": "0.1"})],
)
def test_what_is_no_docbin_is_refused_and_the_collector_stays_on(content, tmp_path):
    path = tmp_path / "broken.spacy"
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"broken\.spacy: not a DocBin"):
        read(path)
    assert gc.isenabled()


def test_a_docbin_that_is_cut_off_is_refused(tmp_path):
    path = saved(tmp_path, *[doc() for _ in range(20)])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataFormatError, match="not a DocBin"):
        read(path)


class Trap:
    sprung = False

    def __reduce__(self):
        return (setattr, (Trap, "sprung", True))


def test_no_pickle_is_ever_loaded(tmp_path):
    path = saved(tmp_path, doc(bomb=pickle.dumps(Trap()), array={b"nd": True, b"type": "O"}))
    with pytest.raises((DataFormatError, AssertionError)):
        assert not read(path)[0]
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DataFormatError):
        read(path)
    assert not Trap.sprung


def test_what_is_written_is_what_spacy_trains_with(tmp_path):
    path = tmp_path / "out.spacy"
    text = "Anna Linds 2010"
    anna, linds, year = (
        Mention(text[a:b], Span(a, b), kind) for a, b, kind in ((0, 9, "P"), (0, 10, "F"), (11, 15, ""))
    )
    triples = (Triple(linds, "of", anna, {}, 0.5), Triple(linds, "in", year, {"s": anna}))
    FORMAT.write([Record(text, triples, (), "d"), Record("")], path, ConversionReport())
    assert FORMAT.recognise(Sample(path))
    first, second = DocBin().from_disk(path).get_docs(Vocab())
    assert [token.text for token in first] == ["Anna", "Lind", "s", "2010"]
    assert (first.text, second.text) == (text, "")
    assert [(one.text, one.label_) for one in first.spans["sc"]] == [
        ("Anna Linds", "F"),
        ("Anna Lind", "P"),
        ("2010", "_"),
    ]
    assert [one.text for one in first.ents] == ["Anna Linds", "2010"]
    assert first.user_data[REL] == {(0, 0): {"of": 0.5}, (0, 3): {"in": 1.0}, (3, 0): {"in@s": 1.0}}
    assert first.user_data["id"] == "d"


def test_scores_and_twins_come_back(tmp_path):
    path = tmp_path / "out.spacy"
    record = Record(
        TEXT, (Triple(FILM, "director", ANNA, {}, 1.0), Triple(FILM, "director", ANNA, {"in": FILM})), (), "d"
    )
    report = ConversionReport()
    FORMAT.write([record], path, report)
    assert read(path)[0] == [record]
    assert not report.lost


def test_reading_without_spacy_says_what_to_install(tmp_path, monkeypatch):
    path = saved(tmp_path, doc())
    monkeypatch.setitem(sys.modules, "spacy.tokens", None)
    monkeypatch.delitem(sys.modules, "hf_spo.data.formats.docbin_docs", raising=False)
    assert FORMAT.recognise(Sample(path))
    with pytest.raises(ImportError, match=re.escape("pip install 'hf-spo[spacy]'")):
        FORMAT.read(path, ConversionReport())
