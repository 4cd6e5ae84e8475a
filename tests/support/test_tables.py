"""Documents and triples as Arrow tables, and back."""

import pyarrow as pa
import pyarrow.parquet as pq

from hf_spo import Example, Triple
from hf_spo.support.tables import (
    DOCUMENT,
    TRIPLE,
    document_row,
    table,
    triple_of,
    triple_row,
    triple_table,
)
from tests import builders

DOCUMENTS = [{"id": f"文{number}", **example.to_dict()} for number, example in enumerate(builders.EXAMPLES)]
for _document in DOCUMENTS:
    for _triple in _document["triples"]:
        _triple["score"] = 0.5


def test_documents_come_back_from_parquet(tmp_path):
    rows = [document_row(document) for document in DOCUMENTS]
    pq.write_table(table(rows, DOCUMENT), tmp_path / "a.parquet")
    assert any(triple["qualifiers"] for document in DOCUMENTS for triple in document["triples"])
    read = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [{"id": row["id"], **Example.from_dict(row).to_dict()} for row in read] == DOCUMENTS


def test_triples_come_back_flat():
    for document in DOCUMENTS:
        found = triple_table(document["triples"], document["id"])
        assert found.schema == TRIPLE
        rows = found.to_pylist()
        assert [Triple.from_dict(triple_of(row)).to_dict() for row in rows] == document["triples"]
        assert {row["id"] for row in rows} <= {document["id"]}


def test_what_is_not_known_is_null_and_left_out_again():
    bare = {
        "subject": {"text": "甲", "type": ""},
        "predicate": "p",
        "object": {"text": "乙", "type": "人"},
        "qualifiers": {},
    }
    row = triple_row(bare)
    assert row["subject_start"] is row["score"] is row["id"] is None
    assert Triple.from_dict(triple_of(row)).to_dict() == bare
    (back,) = table([document_row({"text": "甲乙", "triples": [bare]})], DOCUMENT).to_pylist()
    assert back["id"] is None
    assert Triple.from_dict(back["triples"][0]).to_dict() == bare


def test_lone_surrogates_do_not_move_offsets():
    mention = {"text": "乙\udc00", "start": 1, "end": 3, "type": ""}
    triple = {"subject": mention, "predicate": "p", "object": mention, "qualifiers": {"s": mention}, "score": 1.0}
    (row,) = table([document_row({"text": "甲乙\udc00", "triples": [triple]})], DOCUMENT).to_pylist()
    assert row["text"] == "甲乙\ufffd"
    for found in (row["triples"][0]["subject"], row["triples"][0]["qualifiers"][0]):
        assert row["text"][found["start"] : found["end"]] == found["text"]


def test_no_triples_are_a_table_with_the_columns():
    assert triple_table([]).schema == TRIPLE
    assert isinstance(triple_table([]), pa.Table)
