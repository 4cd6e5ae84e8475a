import pytest

from hf_spo import Mention, Span
from hf_spo.data import ConversionReport
from hf_spo.data.offsets import Unit, explain, explain_without_words, place
from hf_spo.model.fields import FieldError


def put(text, start, end, words, report=None):
    return place(text, start, end, words, "T", "here", report or ConversionReport())


@pytest.mark.parametrize("words", ["雪国", None])
def test_right_offsets(words):
    assert put("《雪国》", 1, 3, words) == Mention("雪国", Span(1, 3), "T")


WRONG = [
    ("😀雪国", 2, 4, "雪国", Unit.UTF16, (1, 3)),
    ("a😀b😀雪国", 6, 8, "雪国", Unit.UTF16, (4, 6)),
    ("中文雪国", 6, 12, "雪国", Unit.UTF8, (2, 4)),
    ("在雪国", 1, 2, "雪国", Unit.INCLUSIVE, (1, 3)),
    ("在雪国里", 2, 4, "雪国", Unit.FROM_ONE, (1, 3)),
    ("一\n二\n雪国", 6, 8, "雪国", Unit.CRLF, (4, 6)),
    ("一\r\n二\r\n雪国", 4, 6, "雪国", Unit.LF, (6, 8)),
    ("一\r\n雪\r\n国", 2, 5, "雪\n国", Unit.LF, (3, 7)),
    ("一雪国", 1, 4, "雪国", Unit.END_HIGH, (1, 3)),
    ("🇨🇭 雪国", 2, 4, "雪国", Unit.GRAPHEMES, (3, 5)),
    ("👩‍🔬e\u0301雪国", 2, 4, "雪国", Unit.GRAPHEMES, (5, 7)),
]


@pytest.mark.parametrize(("text", "start", "end", "words", "unit", "span"), WRONG)
def test_units_are_recognised_and_corrected(text, start, end, words, unit, span):
    assert explain(text, words, start, end) == (unit, Span(*span))
    with pytest.raises(FieldError, match=rf"^here: text\[.*\({unit.value}\).*hf-spo convert --mend-offsets"):
        put(text, start, end, words)
    report = ConversionReport(correct_offsets=True)
    assert put(text, start, end, words, report) == Mention(text[slice(*span)], Span(*span), "T")
    ((what, count),) = report.corrected.items()
    assert unit.value in what
    assert count == 1


@pytest.mark.parametrize(
    ("text", "start", "end", "words", "problem"),
    [
        ("雪国", 0, 2, "海边", r"text\[0:2\] is '雪国', not '海边' \(not there in any form\)"),
        ("在那遥远的雪国", 0, 2, "雪国", r"\(far off\)"),
        ("在那里雪国", 1, 3, "雪国", r"\(too low by 2\)"),
        ("Snow", 0, 4, "snow", r"\(there with other letter case\)"),
        ("雪国很远", 0, 4, "雪国", r"\(the start is right, the end is not\)"),
        ("雪国", 5, 7, "雪国", "outside the text, not '雪国' .far off"),
        ("雪国", -2, 2, "雪国", r"\(below 0, or not in order\)"),
        ("雪国", 2, 0, "雪国", r"\(below 0, or not in order\)"),
        ("雪国", 10**30, 10**30 + 2, "雪国", "outside the text"),
        ("雪国", 1, 1, "", r"offsets \[1:1\] of an empty mention"),
        ("雪国", 0, 3, None, r"offsets \[0:3\] are outside the text of 2 characters"),
        ("雪国", 1, 1, None, "or empty"),
        ("雪国", -1, 1, None, "outside the text"),
        ("\U0001f600", 1, 2, "\ude00", "not there in any form"),
    ],
)
def test_what_cannot_be_corrected_is_described(text, start, end, words, problem):
    report = ConversionReport(correct_offsets=True)
    with pytest.raises(FieldError, match=problem):
        put(text, start, end, words, report)
    assert not report.corrected


def test_several_causes_at_once():
    text = "😀\r\nBlue Harbour\r\nby Anna Lind"
    assert explain(text, "Anna Lind", 19, 28) == (f"{Unit.UTF16}, {Unit.LF}", Span(20, 29))


def test_a_wrong_end_is_not_explained_by_line_ends():
    assert explain("Anna Lind\ndirected", "Anna", 0, 9) is None


ROCKET = "x\r\nBlue Harbour\r\nby Anna Lind"


@pytest.mark.parametrize(
    ("text", "offsets", "found"),
    [
        (ROCKET, [(3, 15), (20, 29)], None),
        (ROCKET, [(2, 14), (18, 27)], (Unit.LF, [Span(3, 15), Span(20, 29)])),
        ("🇨🇭 Blue Harbour", [(2, 14)], (Unit.GRAPHEMES, [Span(3, 15)])),
        ("😀 Blue Harbour", [(3, 15)], (Unit.UTF16, [Span(2, 14)])),
        ("Blue Harbour", [(1, 12)], None),
        ("《晚风》由白露演唱", [(0, 2)], None),
    ],
)
def test_offsets_without_words_are_explained_where_they_tear_words(text, offsets, found):
    assert explain_without_words(text, offsets) == found
