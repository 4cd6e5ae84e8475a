"""Reads Label Studio's JSON export: of each task, the latest annotation that was not cancelled."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ...model.fields import FieldError, kind, whole_number
from ...model.schema import Mention, Span
from ..offsets import Unit, place
from .base import ConversionReport, DataFormatError, Record, Sample
from .entries import objects, other_fields, referred, strings
from .marks import Link, Marks, from_marks
from .rows import identifier, parsed_rows


def read_tasks(path: Path, report: ConversionReport) -> Iterator[Record]:
    """Yield the text of every task that was annotated.

    Raises:
        DataFormatError: the file is a JSON-MIN export; or a task is wrong, and the report takes none.
        FileNotFoundError: there is no such file.
    """
    if is_json_min(Sample(path)):
        raise DataFormatError(f'{path}: Label Studio\'s "JSON-MIN" has no relations; export the project as "JSON"')
    found = parsed_rows(path, partial(_task, report=report), report)
    return (record for record in found if record is not None)


def is_json_min(sample: Sample) -> bool:
    """Whether a file is Label Studio's shorter export, which leaves relations out."""
    return {"annotation_id", "annotator"} <= set(sample.row)


def _task(row: Mapping[str, Any], report: ConversionReport) -> Record | None:
    text = _text(row, report)
    report.lose("predictions", len(objects(row, "predictions")))
    report.lose("drafts", len(objects(row, "drafts")))
    chosen = _chosen(row, report)
    if chosen is None:
        report.lose("texts that nobody has annotated")
        return None
    path, annotation = chosen
    result = _Result(text, report)
    items = [(where, item, item.get("type") == "relation") for where, item in objects(annotation, "result", path)]
    for where, item, is_relation in items:
        if not is_relation:
            result.add(item, where)
    links = [link for where, item, is_relation in items if is_relation for link in result.links(item, where)]
    meta = row.get("meta")
    name = identifier(meta if isinstance(meta, Mapping) and "id" in meta else row)
    return from_marks(text, Marks(result.entities, links), report, name)


def _text(row: Mapping[str, Any], report: ConversionReport) -> str:
    data = row.get("data")
    if not isinstance(data, Mapping):
        raise FieldError("data", f'expected an object with the field "text", got {kind(data)}')
    strings_ = [name for name, value in data.items() if isinstance(value, str)]
    name = "text" if "text" in strings_ else strings_[0] if len(strings_) == 1 else None
    if name is None:
        raise FieldError("data", f'expected the field "text", or one string; it has {sorted(data)}')
    other_fields(data, (name,), report)
    text: str = data[name]
    return text


def _chosen(row: Mapping[str, Any], report: ConversionReport) -> tuple[str, Mapping[str, Any]] | None:
    """Return the latest annotation with its path; there is none if all were cancelled."""
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
    """The regions of an annotation as entities."""

    def __init__(self, text: str, report: ConversionReport) -> None:
        self.text = text
        self.report = report
        self.entities: list[Mention] = []
        self._places: dict[Any, int] = {}
        self._ambiguous: set[int] = set()
        self._lost: set[Any] = set()

    def add(self, item: Mapping[str, Any], path: str) -> None:
        """Take a region; several labels are as many entities, of which relations know the first."""
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
        """Return a relation once for each of its labels."""
        ends = [end for name in ("from_id", "to_id") if isinstance(end := item.get(name), str | int)]
        if any(end in self._lost and end not in self._places for end in ends):
            self.report.lose("relations of entities that were lost")
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
    if not isinstance(words, str) or not words or _shown(text[max(0, start) : max(0, end)]) == _shown(words):
        return place(text, start, end, None, kind_, path, report)
    span = _from_utf16(text, start, end)
    if span is None or _shown(text[span.start : span.end]) != _shown(words):
        return place(text, start, end, words, kind_, path, report)
    report.correct(f"offsets {Unit.UTF16}")
    return Mention(text[span.start : span.end], span, kind_)


def _shown(words: str) -> str:
    r"""Return words without white space: the browser trims it, and Label Studio writes line ends as \n, two signs."""
    return "".join(words.replace("\\n", " ").split())


def _from_utf16(text: str, start: int, end: int) -> Span | None:
    """Return offsets that were counted as versions before 2022 count, which are those of JavaScript."""
    if not 0 <= start < end:
        return None
    units = text.encode("utf-16-le", "surrogatepass")
    first, last = (len(units[: 2 * at].decode("utf-16-le", "surrogatepass")) for at in (start, end))
    return Span(first, last)
