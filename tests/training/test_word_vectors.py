"""Tables of word vectors."""

import gzip
import struct

import numpy as np
import pytest

from hf_spo import read_word_vectors
from hf_spo.training.word_vectors import WordVectorError

WORDS = {"晚风": [0.5, -1.25, 3.0], "白露": [0.0, 2.5, -4.0], "Zoë": [1e-3, 7.0, 0.125]}


def text_table(words=WORDS, header="3 3", end="\n"):
    lines = [header, *(" ".join([word, *map(str, numbers)]) for word, numbers in words.items())]
    return "".join(line + end for line in lines).encode()


def binary_table(words=WORDS, header="3 3", end=b"\n"):
    rows = [word.encode() + b" " + struct.pack("<3f", *numbers) + end for word, numbers in words.items()]
    return header.encode() + b"\n" + b"".join(rows)


@pytest.fixture
def table(tmp_path):
    """Write a table, and return its path."""

    def table(content, name="words.txt"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        return path

    return table


FORMS = pytest.mark.parametrize(
    ("content", "name"),
    [
        (text_table(), "words.txt"),
        (text_table(), "words.txt.gz"),
        (text_table(), "words.vec"),
        (text_table(end=" \n"), "words.txt"),  # as word2vec itself ends its lines
        (text_table(end="\r\n"), "words.txt"),
        (text_table().rstrip(), "words.txt"),
        (binary_table(), "words.bin"),
        (binary_table(end=b""), "words.bin"),  # as gensim writes
        (binary_table(), "words.bin.gz"),
    ],
)


@FORMS
def test_words_and_vectors(table, content, name):
    words, vectors = read_word_vectors(table(content, name))
    assert words == list(WORDS)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, np.array(list(WORDS.values()), dtype=np.float32))


@FORMS
def test_only_some_are_kept(table, content, name):
    words, vectors = read_word_vectors(table(content, name), {"白露", "云朵"})
    assert words == ["白露"]
    np.testing.assert_array_equal(vectors, [WORDS["白露"]])


def test_none_is_kept(table):
    words, vectors = read_word_vectors(table(text_table()), set())
    assert words == []
    assert vectors.shape == (0, 3)


@pytest.mark.parametrize(("form", "name"), [(text_table, "words.txt"), (binary_table, "words.bin")])
def test_the_kind_can_be_given(table, form, name):
    other = {"words.txt": "table.bin", "words.bin": "table.dat"}[name]
    words, _ = read_word_vectors(table(form(), other), binary=form is binary_table)
    assert words == list(WORDS)


def test_the_vectors_can_be_changed(table):
    _, vectors = read_word_vectors(table(binary_table(), "words.bin"))
    vectors[0] = 0


def test_of_a_word_that_occurs_twice_the_first_counts(table):
    content = b"3 1\na 1\nb 2\na 3\n"
    words, vectors = read_word_vectors(table(content))
    assert (words, vectors.tolist()) == (["a", "b"], [[1], [2]])
    content = b"2 1\na " + struct.pack("<f", 1) + b"a " + struct.pack("<f", 2)
    words, vectors = read_word_vectors(table(content, "w.bin"))
    assert (words, vectors.tolist()) == (["a"], [[1]])


def test_spaces_beyond_ascii_are_words(table):
    words, _ = read_word_vectors(table("2 1\n\u3000 1\n\u2028 2\n".encode()))
    assert words == ["\u3000", "\u2028"]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (text_table(header="晚风 0.5 -1.25 3.0"), "w.txt", r"w\.txt:1: expected the number of words.*add this header"),
        (b"", "w.txt", r"w\.txt:1: expected the number of words and of columns, such as '80000 128', got b''"),
        (b"3 x\n", "w.txt", r"w\.txt:1: expected the number"),
        (b"3 0\n", "w.txt", r"w\.txt:1: expected the number"),
        (b"-1 3\n", "w.txt", r"w\.txt:1: expected the number"),
        (b"2 2\na 1 2\nb 1\n", "w.txt", r"w\.txt:3: got 1 columns, expected 2 from the header"),
        (b"2 2\na 1 2 3\nb 1 2\n", "w.txt", r"w\.txt:2: got 3 columns, expected 2"),
        (b"1 1\nblue harbour 1\n", "w.txt", r"w\.txt:2: got 2 columns, expected 1"),
        (b"2 1\na 1\n\n", "w.txt", r"w\.txt:3: got 0 columns, expected 1"),
        (text_table(header="4 3"), "w.txt", r"w\.txt: got 3 words, expected 4 from the header"),
        (text_table(header="2 3"), "w.txt", r"w\.txt: got 3 words, expected 2 from the header"),
        (b"1 2\na 1 x\n", "w.txt", r"w\.txt:2: expected numbers .*pass binary=True if the table is binary"),
        ("1 1\n晚 1\n".encode("gbk"), "w.txt", r"w\.txt:2: the word .* is not UTF-8; save the table as UTF-8"),
        (b"1 1\n\xff \0\0\0\0", "w.bin", r"w\.bin:2: the word .* is not UTF-8"),
        (binary_table(header="4 3"), "w.bin", r"w\.bin: got 3 words, expected 4 from the header"),
        (binary_table()[:-5], "w.bin", r"w\.bin: got 2 words, expected 3 from the header"),
        (text_table(header="x"), "w.txt.gz", r"w\.txt\.gz:1: expected the number"),
    ],
)
def test_what_is_no_table(table, content, name, message):
    with pytest.raises(WordVectorError, match=message):
        read_word_vectors(table(content, name))


def gzipped(damage):
    return damage(gzip.compress(text_table()))


@pytest.mark.parametrize(
    "content",
    [
        gzipped(lambda raw: raw[:-12]),
        gzipped(lambda raw: raw[: len(raw) // 2]),
        gzipped(lambda raw: raw[:-8] + bytes(8)),
        gzipped(lambda raw: raw[:10] + b"\xff" + raw[11:]),  # no kind of block that there is
        text_table(),
    ],
    ids=["cut end", "cut in half", "wrong sum", "damaged", "no gzip at all"],
)
def test_what_is_no_whole_gzip_file(content, tmp_path):
    path = tmp_path / "w.txt.gz"
    path.write_bytes(content)
    with pytest.raises(WordVectorError, match=r"w\.txt\.gz: damaged gzip file .*; copy it again"):
        read_word_vectors(path)


def test_rows_that_the_header_does_not_count_are_an_error_in_a_binary_table_too(table):
    with pytest.raises(WordVectorError, match="got more words than the 2 of the header"):
        read_word_vectors(table(binary_table(header="2 3"), "w.bin"))


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_what_is_no_finite_number_is_no_number(table, number):
    """One such vector would make every state of its sentence NaN."""
    with pytest.raises(WordVectorError, match=r"words\.txt:2"):
        read_word_vectors(table(f"1 2\na 1 {number}\n".encode()))


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_word_vectors(tmp_path / "none.txt")
