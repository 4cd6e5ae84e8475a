"""Label Studio: tasks with annotations as its JSON export has them, and predictions for annotators to correct.

A project needs a labelling configuration with the types and the names of the relations, see [`labelling_config`].
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from ...model.schema import Schema
from ..uncertainty import uncertainty
from .base import ConversionReport, Format, Record, Sample
from .label_studio_reading import is_json_min, read_tasks
from .marks import label, relation_labels, to_marks
from .writing import write_list

_TEXT, _LABELS = "text", "label"


def _recognise(sample: Sample) -> bool:
    row = sample.row
    tasks = isinstance(row.get("data"), Mapping) and any(
        isinstance(row.get(name), list) for name in ("annotations", "completions", "predictions")
    )
    return tasks or is_json_min(sample)  # which reading explains


def _write(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
    rows = (
        {**_task(record), "annotations": [{"was_cancelled": False, "result": _result(record, report)}]}
        for record in records
    )
    write_list(rows, path)


def write_predictions(records: Iterable[Record], path: Path, report: ConversionReport, model_version: str) -> None:
    """Write what a model found as tasks with predictions, which Label Studio shows as suggestions.

    A prediction's score is one minus its [`uncertainty`], so that tasks ordered by prediction score, lowest first,
    begin with those worth most to annotate.

    Args:
        records: with scored triples.
        path: of the file.
        report: gets what cannot be written.
        model_version: names the model.

    Raises:
        ValueError: a triple has no score.
    """
    write_list((_predicted(record, report, model_version) for record in records), path)


def labelling_config(schema: Schema) -> str:
    """Return the labelling configuration, XML, of a project that annotates a schema's triples.

    It is what relations need to have names, and keeps the white space of texts as it is.

    Raises:
        ValueError: a name has a character that XML cannot hold.
    """
    types = sorted({label(name) for one in schema for name in (one.subject_type, one.object_type)})
    relations = "".join(f"    <Relation value={_attribute(name)}/>\n" for name in relation_labels(schema))
    labels = "".join(f"    <Label value={_attribute(name)}/>\n" for name in types)
    return (
        f"<View>\n  <Style>.htx-text {{ white-space: pre-wrap; }}</Style>\n"
        f"  <Relations>\n{relations}  </Relations>\n"
        f'  <Labels name="{_LABELS}" toName="{_TEXT}">\n{labels}  </Labels>\n'
        f'  <Text name="{_TEXT}" value="$text"/>\n</View>\n'
    )


_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _attribute(name: str) -> str:
    if _NO_XML.search(name):
        raise ValueError(f"{name!r} has a character that XML cannot hold; rename it for Label Studio")
    return quoteattr(name)


def _task(record: Record) -> dict[str, Any]:
    # Label Studio gives tasks identifiers of its own, and keeps what "meta" says.
    meta = {} if record.id is None else {"meta": {"id": record.id}}
    return {"data": {"text": record.text}, **meta}


def _predicted(record: Record, report: ConversionReport, model_version: str) -> dict[str, Any]:
    score = 1 - uncertainty(record.triples)
    prediction = {"model_version": model_version, "score": score, "result": _result(record, report, scores=True)}
    return {**_task(record), "predictions": [prediction]}


def _result(record: Record, report: ConversionReport, scores: bool = False) -> list[dict[str, Any]]:
    marks = to_marks(record, report, scores=scores)
    entities = [
        {
            "id": f"e{place}",
            "from_name": _LABELS,
            "to_name": _TEXT,
            "type": "labels",
            "value": {"start": span.start, "end": span.end, "text": one.text, "labels": [label(one.type)]},
        }
        for place, (one, span) in enumerate(marks.placed)
    ]
    relations = [
        {
            "from_id": f"e{link.head}",
            "to_id": f"e{link.tail}",
            "type": "relation",
            "direction": "right",
            "labels": [link.name],
            **({} if link.score is None or not scores else {"score": link.score}),
        }
        for link in marks.links
    ]
    return [*entities, *relations]


FORMAT = Format(
    "label-studio",
    "JSON export of Label Studio: tasks with labels and relations",
    _recognise,
    read_tasks,
    _write,
    ".json",
)
