from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_spo.data.formats.tokens import cut, joined, spaced
from hf_spo.model.schema import Span
from tests.builders import any_text


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        ("Anna Lind's 2nd", ["Anna", " ", "Lind", "'", "s", " ", "2nd"]),
        ("白露在KTV。", ["白", "露", "在", "KTV", "。"]),
        ("a  \n b", ["a", "  \n ", "b"]),
        ("Zoe\u0308!!", ["Zoe\u0308", "!", "!"]),
        ("😀😀カナ", ["😀", "😀", "カ", "ナ"]),
        ("snake_case", ["snake", "_", "case"]),
    ],
)
def test_tokens_are_runs_of_a_kind_or_single_characters(text, tokens):
    assert [text[span.start : span.end] for span in cut(text)] == tokens


def test_borders_always_cut():
    assert cut("Berliner", [6]) == [Span(0, 6), Span(6, 8)]


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["Anna", "Lind", "."], "Anna Lind ."),
        (["白", "露", "sang", "ABBA", "。"], "白露sang ABBA。"),
        ([], ""),
        (["a", "", "b"], "a  b"),
    ],
)
def test_a_space_joins_tokens_unless_one_is_chinese_or_japanese_there(tokens, text):
    found, spans = joined(tokens)
    assert found == text
    assert [found[span.start : span.end] for span in spans] == tokens


def test_a_space_that_a_mention_has_is_a_token():
    assert spaced("a b c  d", [Span(0, 2), Span(2, 3)]) == [
        (Span(0, 1), False),
        (Span(1, 2), False),
        (Span(2, 3), True),
        (Span(4, 5), False),
        (Span(5, 7), False),
        (Span(7, 8), False),
    ]


@given(text=any_text(), borders=st.lists(st.integers(0, 30), max_size=4))
def test_tokens_with_their_spaces_are_the_text(text, borders):
    ends = sorted(min(at, len(text)) for at in borders)
    mentions = [Span(start, end) for start, end in pairwise(ends) if start < end]
    tokens = spaced(text, mentions)
    assert "".join(text[span.start : span.end] + " " * space for span, space in tokens) == text
    assert {one.start for one in mentions} <= {span.start for span, _ in tokens}
    assert {one.end for one in mentions} <= {span.end for span, _ in tokens}
