"""JSON files with an object per line, or all objects in one list: their rows, and the fields of rows, type-checked."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

from ...model.fields import FieldError, json_line, kind
from ...support.files import whole_file
from ...support.unreadable import UnreadableRecord
from .base import ConversionReport, DataFormatError, Format, Record, Sample
from .lines import Line, text_lines

T = TypeVar("T")


class Row(NamedTuple):
    """A JSON object of a file, with its number in lines or rows; `content` is its line, empty in lists and tables."""

    number: int
    unit: str
    content: str
    value: dict[str, Any]


def json_format(
    name: str,
    about: str,
    recognise: Callable[[Sample], bool],
    read_row: Callable[[Mapping[str, Any], ConversionReport], Record | None],
    write_row: Callable[[Record, ConversionReport], dict[str, Any]] | None = None,
    *,
    as_list: bool = False,
) -> Format:
    """Return a format whose files have a JSON object for each text.

    Args:
        name, about, recognise: see [`Format`].
        read_row: makes a record of an object, or None if the object has no labels. Raises FieldError if it is wrong.
        write_row: makes an object of a record; None: the format cannot be written.
        as_list: write one JSON list (.json) rather than an object per line (.jsonl).
    """

    def read(path: Path, report: ConversionReport) -> Iterator[Record]:
        found = parsed_rows(path, lambda row: read_row(row, report), report)
        return (record for record in found if record is not None)

    def write(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
        assert write_row is not None
        write = write_list if as_list else write_lines
        write((write_row(record, report) for record in records), path)

    return Format(name, about, recognise, read, None if write_row is None else write, ".json" if as_list else ".jsonl")


def parsed_rows(path: Path, parse: Callable[[dict[str, Any]], T], report: ConversionReport) -> Iterator[T]:
    """Yield the result of `parse` for each object of a file; objects that cannot be read go to the report.

    Args:
        path: a file of JSON lines, which are streamed, or of one JSON list, which is held in memory.
        parse: raises FieldError, or another ValueError, if the object is wrong.
        report: raises DataFormatError for objects that cannot be read if it has no `on_bad_line`.

    Raises:
        DataFormatError: the file is not UTF-8, or a list is not complete.
        FileNotFoundError: there is no such file.
    """
    path.stat()  # raises here, not at the first record
    return parsed(_file_rows(path), path, parse, report)


def parsed(
    rows: Iterable[Row | UnreadableRecord],
    path: Path,
    parse: Callable[[dict[str, Any]], T],
    report: ConversionReport,
) -> Iterator[T]:
    """Yield the same for rows from elsewhere; `path` is named in errors."""
    for row in rows:
        if isinstance(row, UnreadableRecord):
            report.add_unreadable(row)
            continue
        lost, corrected = report.lost.copy(), report.corrected.copy()
        try:
            result = parse(row.value)
        except (ValueError, RecursionError) as error:
            report.lost, report.corrected = lost, corrected  # the row is skipped as a whole
            report.skip(error, path, row.number, row.content or _shown(row.value), row.unit)
        else:
            yield result


def numbered(rows: Iterable[dict[str, Any]]) -> Iterator[Row]:
    """Number the rows of a table from 1."""
    return (Row(number, "row", "", row) for number, row in enumerate(rows, 1))


def json_rows(
    lines: Iterable[tuple[int, Line]], source: str, loads: Callable[[str], Any] | None = None
) -> Iterator[Row | UnreadableRecord]:
    """Yield the objects of JSON lines, of one JSON list, or of objects that are printed over several lines each.

    Blank lines are skipped. A line or element that is not an object is an [`UnreadableRecord`].

    Args:
        lines: of a file, see [`text_lines`].
        source: the name of the file in errors.
        loads: parses JSON; default: refuse NaN and Infinity, which JSON does not have.

    Raises:
        DataFormatError: a list is not complete, or otherwise not JSON.
    """
    loads = loads or strict_json
    lines = iter(lines)
    for number, line in lines:
        if isinstance(line, UnreadableRecord) or not line.strip():
            yield from _lines([(number, line)], source, loads)
            continue
        rest = chain([(number, line)], lines)
        if line.lstrip().startswith("["):
            yield from _list("".join(_text(rest)), source, loads)
        elif line.strip() == "{":
            held = list(rest)
            try:
                elements = list(_objects("".join(_text(held))))
            except (ValueError, RecursionError):
                yield from _lines(held, source, loads)
            else:
                yield from _numbered(elements, source)
        else:
            yield from _lines(rest, source, loads)


def _lines(
    lines: Iterable[tuple[int, Line]], source: str, loads: Callable[[str], Any]
) -> Iterator[Row | UnreadableRecord]:
    for number, line in lines:
        if isinstance(line, UnreadableRecord):
            yield line
            continue
        content = line.removesuffix("\n").removesuffix("\r")
        if not content.strip():
            continue
        try:
            value = loads(content)
        except ValueError as error:
            yield UnreadableRecord(source, number, f"not JSON ({error}); expected one object per line", content)
            continue
        if isinstance(value, dict):
            yield Row(number, "line", content, value)
        else:
            yield UnreadableRecord(source, number, f"expected a JSON object, got {kind(value)}", content)


def _list(content: str, source: str, loads: Callable[[str], Any]) -> Iterator[Row | UnreadableRecord]:
    try:
        elements = loads(content)
    except ValueError as error:
        raise DataFormatError(
            f"{source}: not a JSON list ({error}); is the file complete? Expected a list of objects, or one object per "
            f"line"
        ) from None
    yield from _numbered(elements, source)


def _numbered(elements: Iterable[Any], source: str) -> Iterator[Row | UnreadableRecord]:
    for number, element in enumerate(elements, 1):
        if isinstance(element, dict):
            yield Row(number, "row", "", element)
        else:
            reason = f"expected a JSON object, got {kind(element)}"
            yield UnreadableRecord(source, number, reason, _shown(element), "row")


def _objects(content: str) -> Iterator[Any]:
    """Yield JSON values that follow each other with white space between."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(content):
        value, at = decoder.raw_decode(content, at)
        yield value
        while content[at : at + 1].isspace():
            at += 1


def _text(lines: Iterable[tuple[int, Line]]) -> Iterator[str]:
    for _, line in lines:
        if isinstance(line, UnreadableRecord):
            raise DataFormatError(str(line))
        yield line


def strict_json(content: str) -> Any:
    """Parse JSON; NaN and Infinity, which Python's parser reads as numbers, are errors.

    Raises:
        ValueError: it is not JSON, or nested too deeply.
    """
    return _loads(content, parse_constant=_refuse)


def lenient_json(content: str) -> Any:
    """Parse JSON with NaN and Infinity.

    Raises:
        ValueError: it is not JSON, or nested too deeply.
    """
    return _loads(content)


def _loads(content: str, **options: Any) -> Any:
    try:
        return json.loads(content, **options)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


def _file_rows(path: Path) -> Iterator[Row | UnreadableRecord]:
    with path.open("rb") as file:
        yield from json_rows(text_lines(file, str(path)), str(path))


def _shown(value: Any) -> str:
    try:
        return json_line(value)
    except TypeError:  # tables have dates and bytes as well
        return repr(value)


def identifier(row: Mapping[str, Any], name: str = "id") -> str | None:
    """Return what a row calls its text, a string or a whole number; None if it says nothing.

    Raises:
        FieldError: it is something else.
    """
    value = row.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError(name, f"expected a string or a whole number, got {kind(value)}")
    return str(value)


def values(row: Mapping[str, Any], name: str, path: str = "", *, required: bool = False) -> list[tuple[str, Any]]:
    """Return the elements of the list `row[name]`, each with its path; an array, as pandas returns it, is a list too.

    Raises:
        FieldError: it is not a list; or it is missing or null, and required.
    """
    place = f"{path}.{name}" if path else name
    found: Any = row.get(name)
    if hasattr(found, "tolist"):
        found = found.tolist()
    if found is None and not required:
        return []
    if not isinstance(found, list | tuple):
        raise FieldError(place, f"expected a list, got {kind(found)}")
    return [(f"{place}[{index}]", value) for index, value in enumerate(found)]


def objects(row: Mapping[str, Any], name: str, path: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    """Return the objects of the list `row[name]`, each with its path; none if it is missing or null.

    Raises:
        FieldError: it is not a list, or an element is not an object.
    """
    found = values(row, name, path)
    for place, value in found:
        if not isinstance(value, Mapping):
            raise FieldError(place, f"expected an object, got {kind(value)}")
    return found


def strings(row: Mapping[str, Any], name: str, path: str = "") -> list[str]:
    """Return the strings of the list `row[name]`; none if it is missing or null.

    Raises:
        FieldError: it is not a list, or an element is not a string.
    """
    found = values(row, name, path)
    for place, value in found:
        if not isinstance(value, str):
            raise FieldError(place, f"expected a string, got {kind(value)}")
    return [value for _, value in found]


def claim(known: dict[Any, T], row: Mapping[str, Any], name: str, path: str, value: T) -> None:
    """Map the identifier `row[name]` to a value.

    Raises:
        FieldError: it is neither a string nor a whole number, or is in use already.
    """
    found = row.get(name)
    if not isinstance(found, str | int):
        raise FieldError(f"{path}.{name}", f"expected a string or a whole number, got {kind(found)}")
    if found in known:
        raise FieldError(f"{path}.{name}", f"{found!r:.40} is the identifier of something else already")
    known[found] = value


def referred(known: Mapping[Any, T], row: Mapping[str, Any], name: str, path: str) -> T:
    """Return the value of the identifier `row[name]`.

    Raises:
        FieldError: it is missing, or nothing has this identifier.
    """
    value = row.get(name)
    if not isinstance(value, str | int) or value not in known:
        raise FieldError(f"{path}.{name}", f"expected the identifier of an entity, got {value!r:.40}")
    return known[value]


def other_fields(row: Mapping[str, Any], known: Collection[str], report: ConversionReport) -> None:
    """Count the fields of a row that are not read and not empty."""
    report.lose("further fields of rows", sum(name not in known and bool(value) for name, value in row.items()))


def write_lines(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write one JSON object a line, whole or not at all."""
    with whole_file(path) as file:
        file.writelines(f"{json_line(row)}\n" for row in rows)


def write_list(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write one JSON list with an object a line, whole or not at all."""
    with whole_file(path) as file:
        file.write("[")
        for number, row in enumerate(rows):
            file.write(f"{',' if number else ''}\n{json_line(row)}")
        file.write("\n]\n")
