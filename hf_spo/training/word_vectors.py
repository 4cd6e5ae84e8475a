"""Word vectors in the format of word2vec: text or binary, plain or gzipped."""

import gzip
import zlib
from collections.abc import Container, Iterator
from os import PathLike
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np


class WordVectorError(ValueError):
    """A file is not a valid table of word vectors."""


def read_word_vectors(
    path: str | PathLike[str], keep: Container[str] | None = None, *, binary: bool | None = None
) -> tuple[list[str], np.ndarray]:
    """Read words and their vectors.

    Args:
        path: a file in word2vec's format, optionally gzipped (.gz): a line with the number of words and of columns,
            then each word with its numbers, as text or, with `binary`, as float32.
        keep: read only these words; default: all. If a word occurs twice, its first vector counts.
        binary: whether the numbers are binary; default: whether the name contains .bin.

    Returns:
        The words, and their vectors (words, columns), float32.

    Raises:
        WordVectorError: the header or a row is wrong; the message names file, line and remedy.
        FileNotFoundError: the file does not exist.
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
            raise WordVectorError(f"{path}: damaged gzip file ({error}); copy it again") from None
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
            f"{path}:1: expected the number of words and of columns, such as '80000 128', got {line[:60]!r}; add this "
            f"header to a table without one (GloVe), or pass binary=True if the table is binary"
        ) from None
    return count, width


def _text_rows(file: BinaryIO, count: int, width: int, path: Path) -> Iterator[tuple[str, bytes, int]]:
    """Yield words, their unparsed numbers, and the line number."""
    number = 1
    for number, line in enumerate(file, 2):
        word, _, numbers = line.rstrip().partition(b" ")
        columns = len(numbers.split())
        if columns != width:
            raise WordVectorError(
                f"{path}:{number}: got {columns} columns, expected {width} from the header; correct line or header"
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
        raise WordVectorError(f"{path}: got more words than the {count} of the header; correct the header")


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
            f"{path}:{line}: expected numbers ({error}); pass binary=True if the table is binary"
        ) from None


def _word(raw: bytes, path: Path, number: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise WordVectorError(f"{path}:{number}: the word {raw[:30]!r} is not UTF-8; save the table as UTF-8") from None


def _check_count(found: int, expected: int, path: Path) -> None:
    if found != expected:
        raise WordVectorError(
            f"{path}: got {found} words, expected {expected} from the header; the file is truncated or its header wrong"
        )
