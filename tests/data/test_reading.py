import codecs
import json

import pytest

from hf_spo import Example, Mention, Span, Triple
from hf_spo.data import ConversionReport, DataFormatError, read_examples, read_records, read_texts
from tests import builders

GOOD = '{"text": "雪国", "spo_list": []}'


@pytest.fixture
def write(tmp_path):
    def write(content, name="data.jsonl"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_our_own_format_round_trips(write):
    path = write("".join(json.dumps(item.to_dict(), ensure_ascii=False) + "\n" for item in builders.EXAMPLES))
    assert list(read_examples(path)) == builders.EXAMPLES


def test_both_formats_may_stand_in_one_file(write):
    path = write(f'{GOOD}\n{{"text": "海边", "triples": []}}\n')
    assert list(read_examples(path)) == [Example("雪国"), Example("海边")]


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        codecs.BOM_UTF8 + GOOD.encode() + b"\n",
        GOOD.encode() + b"\r\n\r\n",
        b"\n  \n" + GOOD.encode() + b"\n\n",
    ],
    ids=["no last line feed", "byte order mark", "CRLF", "blank lines"],
)
def test_what_does_not_matter(write, content):
    assert list(read_examples(write(content))) == [Example("雪国")]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x1e"])
def test_only_a_line_feed_ends_a_line(write, separator):
    text = f"雪国{separator}海边"
    row = json.dumps({"text": text, "spo_list": []}, ensure_ascii=False)
    assert list(read_examples(write(row + "\n" + GOOD))) == [Example(text), Example("雪国")]
    assert list(read_texts(write(text + "\n海边", "data.txt"))) == [text, "海边"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "expected a JSON object, got list"),
        (b"{}", 'no "spo_list"'),
        (b'{"text": "a", "label": []}', "['label', 'text']"),
        (b'{"text": 1, "spo_list": []}', "text: expected a string, got int"),
        (b'{"text": "a", "spo_list": [{}]}', "spo_list[0].subject: expected a string, got nothing"),
        (b'{"text": "a", "triples": [{"subject": 1}]}', "triples[0].subject: expected a mention"),
        (b'{"text": "ab", "triples": [{"predicate": "p", "object": {"text": "a"}, "subject":'
         b' {"text": "a", "start": 1, "end": 2}}]}', "triples[0].subject: text[1:2] is 'b', not 'a'"),
        ("雪国".encode("gbk"), "not UTF-8: byte 3 of the line is 0xb9"),
        (GOOD.encode().replace("国".encode(), b"\xff"), "not UTF-8: byte 14 of the line is 0xff"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_or_set_aside(write, line, problem):
    path = write(GOOD.encode() + b"\n\n" + line + b"\r\n" + GOOD.encode() + b"\n")

    with pytest.raises(DataFormatError) as caught:
        list(read_examples(path))
    assert str(caught.value).startswith(f"{path}:3: ")
    assert problem in str(caught.value)
    assert "--skip-bad-lines" in str(caught.value)

    aside = []
    assert list(read_examples(path, aside.append)) == [Example("雪国")] * 2
    (bad,) = aside
    assert (bad.source, bad.number) == (str(path), 3)
    assert bad.content == line.decode("utf-8", "backslashreplace")
    assert problem in str(bad)


def test_examples_before_a_bad_line_are_given(write):
    examples = read_examples(write(f"{GOOD}\n{{"))
    assert next(examples) == Example("雪国")
    with pytest.raises(DataFormatError):
        next(examples)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(read_examples(tmp_path / "none.jsonl"))


def test_texts_of_a_jsonl_file_need_no_labels(write):
    assert list(read_texts(write('{"text": "雪国"}\n{"text": ""}\n'))) == ["雪国", ""]


def test_texts_of_a_plain_file_are_its_lines(write):
    path = write(codecs.BOM_UTF8 + "雪国\r\n\n海边 ".encode(), "data.txt")
    assert list(read_texts(path)) == ["雪国", "", "海边 "]


def test_bad_texts_are_named_or_set_aside(write):
    path = write('{"text": "雪国"}\n{"txt": "海边"}\n')
    with pytest.raises(DataFormatError, match=r"data.jsonl:2: text: expected a string, got nothing"):
        list(read_texts(path))
    aside = []
    assert list(read_texts(path, aside.append)) == ["雪国"]
    assert [bad.number for bad in aside] == [2]

    path = write(b"snow\n\xff\n", "data.txt")
    with pytest.raises(DataFormatError, match=r"data.txt:2: not UTF-8"):
        list(read_texts(path))


def test_white_space_at_the_ends_of_mentions_is_counted(tmp_path):
    path = tmp_path / "data.jsonl"
    triple = {"subject": {"text": " 晚风", "start": 0, "end": 3}, "predicate": "歌手", "object": {"text": "白露\u200b"}}
    path.write_text(json.dumps({"text": " 晚风由白露演唱", "triples": [triple]}), encoding="utf-8")
    report = ConversionReport()
    (record,) = read_records(path, report=report)
    assert record.triples == (Triple(Mention("晚风", Span(1, 3)), "歌手", Mention("白露")),)
    assert report.summary() == "corrected: white space at the ends of mentions (2)"
