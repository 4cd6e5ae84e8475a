"""Label Studio: tasks with annotations as its JSON export has them, and predictions for annotators to correct.

A project needs a labelling configuration with the types and the names of the relations, see [`labelling_config`].
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from ...model.fields import FieldError, kind, whole_number
from ...model.schema import Mention, Schema, Span
from ..offsets import Unit, corrected_offsets, explain, place
from ..uncertainty import uncertainty
from .annotation import Annotation, Link, from_annotation, label, relation_labels, to_annotation
from .base import ConversionReport, DataFormatError, Format, Record, Sample
from .json_rows import identifier, objects, other_fields, parsed_rows, referred, strings, write_list

_TEXT, _LABELS = "text", "label"
_REMEDY = "hf-spo convert --text-column names the column that was annotated"
_VOTES = 50
"""Regions that decide which column of a file is the text."""


def _recognise(sample: Sample) -> bool:
    return sample.any_row(_is_task) or _is_json_min(sample)  # which reading explains


def _is_task(row: Mapping[str, Any]) -> bool:
    lists = ("annotations", "completions", "predictions")
    return isinstance(row.get("data"), Mapping) and any(isinstance(row.get(name), list) for name in lists)


def _is_json_min(sample: Sample) -> bool:
    """Whether a file is Label Studio's shorter export, which leaves relations out."""
    return sample.any_row(lambda row: {"annotation_id", "annotator"} <= set(row))


def _read(path: Path, report: ConversionReport) -> Iterator[Record]:
    """Yield the text of every task that was annotated, with the latest annotation that was not cancelled.

    Raises:
        DataFormatError: the file is a JSON-MIN export; or a task is wrong, and the report has no `on_bad_line`.
        FileNotFoundError: there is no such file.
    """
    if _is_json_min(Sample(path)):
        raise DataFormatError(f'{path}: Label Studio\'s "JSON-MIN" has no relations; export the project as "JSON"')
    found = parsed_rows(path, partial(_record, report=report, usual=_usual_column(path)), report)
    return (record for record in found if record is not None)


def _usual_column(path: Path) -> str | None:
    """Return the column in which the words of most regions stand, of the first tasks with regions; None without any."""
    votes: Counter[str] = Counter()
    with suppress(DataFormatError):  # which reading explains
        for row in parsed_rows(path, _column_votes, ConversionReport(lambda record: None)):
            votes += row
            if votes.total() >= _VOTES:
                break
    return votes.most_common(1)[0][0] if votes else None


def _column_votes(row: Mapping[str, Any]) -> Counter[str]:
    """Count the regions whose words stand in each column of a task."""
    chosen = _chosen(row, ConversionReport())
    texts = _texts(row)
    items = objects(chosen[1], "result") if chosen else ()
    return Counter(name for name, text in texts.items() for _, item in items if _stands(item, text)[0])


def _record(row: Mapping[str, Any], report: ConversionReport, usual: str | None) -> Record | None:
    report.lose("predictions", len(objects(row, "predictions")))
    report.lose("drafts", len(objects(row, "drafts")))
    chosen = _chosen(row, report)
    path, annotation = chosen or ("", {})
    items = objects(annotation, "result", path)
    text = _text(row, [item for _, item in items], usual, report)
    if chosen is None:
        report.lose("texts that nobody has annotated")
        return None
    result = _Result(text, report)
    relations = []
    for where, item in items:
        if item.get("type") == "relation":
            relations.append((where, item))
        else:
            result.add(item, where)
    links = [link for where, item in relations for link in result.links(item, where)]
    meta = row.get("meta")
    name = identifier(meta if isinstance(meta, Mapping) and "id" in meta else row)
    return from_annotation(text, Annotation(result.entities, links), report, name)


def _text(
    row: Mapping[str, Any], items: Sequence[Mapping[str, Any]], usual: str | None, report: ConversionReport
) -> str:
    """Return the annotated text of a task: of several columns, the one in which the words of the regions stand.

    Args:
        row: the task.
        items: its regions, which say by their words which column was annotated.
        usual: the column of other tasks of the file, for a task without regions.
        report: may name the column.
    """
    texts = _texts(row)
    if report.text_column is not None:
        name = report.text_column
        if name not in texts:
            raise FieldError("data", f"has no text in the column {name!r}; its columns are {sorted(row['data'])}")
    else:
        fits = (
            {
                name: tuple(map(sum, zip(*(_stands(item, text) for item in items), strict=True)))
                for name, text in texts.items()
            }
            if items and len(texts) > 1
            else {}
        )
        best = [name for name, found in fits.items() if any(found) and found == max(fits.values())] or list(texts)
        name = next((name for name in (usual, _TEXT) if name in best), best[0] if fits or len(texts) == 1 else "")
        if not name:
            raise FieldError(
                "data", f'expected the field "text", or one string; it has {sorted(row["data"])}; {_REMEDY}'
            )
    other_fields(row["data"], (name,), report)
    return texts[name]


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns of a task that are strings."""
    data = row.get("data")
    if not isinstance(data, Mapping):
        raise FieldError("data", f'expected an object with the field "text", got {kind(data)}')
    return {name: value for name, value in data.items() if isinstance(value, str)}


def _stands(item: Mapping[str, Any], text: str) -> tuple[bool, bool]:
    """Return whether the words of a region stand in a text, and whether they do at the region's offsets."""
    value = item.get("value")
    value = value if isinstance(value, Mapping) else {}
    words, start, end = (value.get(name) for name in ("text", "start", "end"))
    if not isinstance(words, str) or not words or _shown(words) not in _shown(text):
        return False, False
    placed = isinstance(start, int) and isinstance(end, int) and _shown(text[start:end]) == _shown(words)
    return True, placed


def _chosen(row: Mapping[str, Any], report: ConversionReport) -> tuple[str, Mapping[str, Any]] | None:
    """Return the latest annotation with its path; None if there is none, or all were cancelled."""
    found = [*objects(row, "annotations"), *objects(row, "completions")]
    kept = [entry for entry in found if not (entry[1].get("was_cancelled") or entry[1].get("skipped"))]
    report.lose("cancelled annotations", len(found) - len(kept))
    report.lose("annotations of a text besides its latest", max(0, len(kept) - 1))
    # Of two that are equally old, the one that stands later.
    return max(reversed(kept), key=lambda entry: _time(entry[1]), default=None)


def _time(annotation: Mapping[str, Any]) -> tuple[bool, str, float]:
    stamp = annotation.get("updated_at", annotation.get("created_at"))
    if isinstance(stamp, str):
        return True, stamp, 0  # ISO 8601, all of one file in one zone
    return False, "", stamp if isinstance(stamp, int | float) else 0  # seconds, in the exports of old versions


class _Result:
    """Entities made of the regions of an annotation."""

    def __init__(self, text: str, report: ConversionReport) -> None:
        self.text = text
        self.report = report
        self.entities: list[Mention] = []
        self._places: dict[Any, int] = {}
        self._ambiguous: set[int] = set()
        self._lost: set[Any] = set()

    def add(self, item: Mapping[str, Any], path: str) -> None:
        """Add a region; one with several labels becomes several entities, of which relations use the first."""
        value = item.get("value")
        where = f"{path}.value"
        self.report.lose("notes on entities", bool(item.get("meta")))
        name = item.get("id")
        if item.get("type") != "labels" or not isinstance(value, Mapping) or isinstance(value.get("start"), str):
            in_html = isinstance(value, Mapping) and isinstance(value.get("start"), str)
            self.report.lose("entities in HTML" if in_html else f"answers of type {item.get('type')}")
            if isinstance(name, str | int):
                self._lost.add(name)
            return
        for type_ in strings(value, "labels", where) or [""]:
            if isinstance(name, str | int) and self._places.setdefault(name, len(self.entities)) != len(self.entities):
                self._ambiguous.add(self._places[name])
            self.entities.append(_mention(self.text, value, type_, where, self.report))

    def links(self, item: Mapping[str, Any], path: str) -> list[Link]:
        """Return one link for each label of a relation."""
        ends = [end for name in ("from_id", "to_id") if isinstance(end := item.get(name), str | int)]
        if any(end in self._lost and end not in self._places for end in ends):
            self.report.lose("relations of entities that were lost")
            return []
        if any(end not in self._places for end in ends):
            self.report.lose("relations of regions that were deleted")
            return []
        head, tail = (referred(self._places, item, name, path) for name in ("from_id", "to_id"))
        self.report.lose("further types of entities in relations", len({head, tail} & self._ambiguous))
        if item.get("direction") == "left":
            head, tail = tail, head
        self.report.lose("second directions of relations", item.get("direction") == "bi")
        labels = strings(item, "labels", path)
        self.report.lose("relations without a label", not labels)
        return [Link(head, name, tail) for name in labels]


def _mention(text: str, value: Mapping[str, Any], kind_: str, path: str, report: ConversionReport) -> Mention:
    start, end = whole_number(value, "start", path), whole_number(value, "end", path)
    words = value.get("text")
    if not isinstance(words, str) or not words:
        return place(text, start, end, None, kind_, path, report)
    if 0 <= start < end <= len(text) and _shown(text[start:end]) == _shown(words):
        return Mention(text[start:end], Span(start, end), kind_)
    how, span = explain(text, words, start, end, _shown) or ("", Span(0, 0))
    # Versions before 2022 count as JavaScript does.
    if not how or not (report.correct_offsets or (how.startswith(Unit.UTF16) and Unit.FROM_ONE not in how)):
        return place(text, start, end, words, kind_, path, report)
    report.correct(corrected_offsets(how))
    return Mention(text[span.start : span.end], span, kind_)


def _shown(words: str) -> str:
    r"""Return words without white space: the browser trims it, and a line end is written as two characters, \n."""
    return "".join(words.replace("\\n", " ").split())


def _write(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
    rows = (
        {**_task_of(record), "annotations": [{"was_cancelled": False, "result": _result(record, report)}]}
        for record in records
    )
    write_list(rows, path)


def write_predictions(records: Iterable[Record], path: Path, report: ConversionReport, model_version: str) -> None:
    """Write predictions as tasks that Label Studio shows as suggestions.

    A prediction's score is one minus its [`uncertainty`]: sorted by prediction score, lowest first, the most useful
    tasks come first.

    Args:
        records: with scored triples.
        path: of the file.
        report: counts what cannot be written.
        model_version: name of the model.

    Raises:
        ValueError: a triple has no score.
    """
    write_list((_predicted(record, report, model_version) for record in records), path)


def labelling_config(schema: Schema) -> str:
    """Return the labelling configuration, XML, of a project that annotates a schema's triples.

    Relations have names only if the configuration lists them. White space of texts is shown as it is.

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


def _task_of(record: Record) -> dict[str, Any]:
    # Label Studio numbers tasks itself, and keeps "meta".
    meta = {} if record.id is None else {"meta": {"id": record.id}}
    return {"data": {"text": record.text}, **meta}


def _predicted(record: Record, report: ConversionReport, model_version: str) -> dict[str, Any]:
    return {**_task_of(record), "predictions": [prediction(record, report, model_version)]}


def prediction(record: Record, report: ConversionReport, model_version: str) -> dict[str, Any]:
    """Return a prediction, see [`write_predictions`]."""
    score = 1 - uncertainty(record.triples)
    return {"model_version": model_version, "score": score, "result": _result(record, report, scores=True)}


def _result(record: Record, report: ConversionReport, scores: bool = False) -> list[dict[str, Any]]:
    annotation = to_annotation(record, report, scores=scores)
    entities = [
        {
            "id": f"e{place}",
            "from_name": _LABELS,
            "to_name": _TEXT,
            "type": "labels",
            "value": {"start": span.start, "end": span.end, "text": one.text, "labels": [label(one.type)]},
        }
        for place, (one, span) in enumerate(annotation.placed)
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
        for link in annotation.links
    ]
    return [*entities, *relations]


FORMAT = Format(
    "label-studio",
    "JSON export of Label Studio: tasks with labels and relations",
    _recognise,
    _read,
    _write,
    ".json",
)
