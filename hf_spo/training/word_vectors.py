"""Word vectors in the format of word2vec: text or binary, plain or gzipped."""

import gzip
import zlib
from collections.abc import Container, Iterator
from os import PathLike
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np


class WordVectorError(ValueError):
    """A file is no table of word vectors."""


def read_word_vectors(
    path: str | PathLike[str], keep: Container[str] | None = None, *, binary: bool | None = None
) -> tuple[list[str], np.ndarray]:
    """Read words and their vectors.

    Args:
        path: a file of word2vec's format, also as .gz: a line with the number of words and of columns, then the words,
            each with its numbers, as text or, with `binary`, as float32.
        keep: read only these words; all by default. Of a word that occurs twice the first vector counts.
        binary: whether the numbers are binary; told from the name (.bin) by default.

    Returns:
        The words, and their vectors (words, columns), float32.

    Raises:
        WordVectorError: the header or a row is wrong; the message names file, line and remedy.
        FileNotFoundError: there is no such file.
    """
    path = Path(path)
    if binary is None:
        binary = ".bin" in path.suffixes
    vectors: dict[str, np.ndarray] = {}
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened:
        file = cast(BinaryIO, opened)
        try:
            count, width = _header(file.readline(), path)
            rows = _binary_rows(file, count, width, path) if binary else _text_rows(file, count, width, path)
            for word, numbers, line in rows:
                if word not in vectors and (keep is None or word in keep):
                    vectors[word] = _vector(numbers, binary, path, line)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise WordVectorError(f"{path}: no whole gzip file ({error}); unpack it, or copy it again") from None
    table = np.stack(list(vectors.values())) if vectors else np.zeros((0, width), dtype=np.float32)
    return list(vectors), table


def _header(line: bytes, path: Path) -> tuple[int, int]:
    parts = line.split()
    try:
        count, width = (int(part) for part in parts)
        if count < 0 or width < 1:
            raise ValueError
    except ValueError:
        raise WordVectorError(
            f"{path}:1: expected the number of words and of columns, such as '80000 128', got {line[:60]!r}; a table "
            f"without this header (GloVe's) needs it put in front; pass binary=True if it is binary"
        ) from None
    return count, width


def _text_rows(file: BinaryIO, count: int, width: int, path: Path) -> Iterator[tuple[str, bytes, int]]:
    """Yield words, their numbers as they stand in the file, and the line."""
    number = 1
    for number, line in enumerate(file, 2):
        word, _, numbers = line.rstrip().partition(b" ")
        columns = len(numbers.split())
        if columns != width:
            raise WordVectorError(
                f"{path}:{number}: {columns} columns, but the header says {width}; mend the line, or the header"
            )
        yield _word(word, path, number), numbers, number
    _check_count(number - 1, count, path)


def _binary_rows(file: BinaryIO, count: int, width: int, path: Path) -> Iterator[tuple[str, bytes, int]]:
    for number in range(count):
        word = bytearray()
        while (byte := file.read(1)) != b" ":
            if not byte:
                _check_count(number, count, path)
            word += byte
        numbers = file.read(4 * width)
        if len(numbers) != 4 * width:
            _check_count(number, count, path)
        yield _word(bytes(word).lstrip(b"\n"), path, number + 2), numbers, number + 2
    if file.read().strip():
        raise WordVectorError(f"{path}: the header says {count} words, but there are more; its header is wrong")


def _vector(numbers: bytes, binary: bool, path: Path, line: int) -> np.ndarray:
    try:
        vector = (
            np.frombuffer(numbers, dtype="<f4").astype(np.float32)
            if binary
            else np.array(numbers.split(), dtype=np.float32)
        )
        if not np.isfinite(vector).all():
            raise ValueError("nan or infinite")
        return vector
    except ValueError as error:
        raise WordVectorError(
            f"{path}:{line}: a column is no number ({error}); pass binary=True if the table is binary"
        ) from None


def _word(raw: bytes, path: Path, number: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise WordVectorError(f"{path}:{number}: the word {raw[:30]!r} is no UTF-8; save the table as UTF-8") from None


def _check_count(found: int, expected: int, path: Path) -> None:
    if found != expected:
        raise WordVectorError(
            f"{path}: the header says {expected} words, but there are {found}; the file is cut short, or its header is "
            f"wrong"
        )
