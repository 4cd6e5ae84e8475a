import re
from html.parser import HTMLParser

from hf_spo import Example, Mention, Relation, Schema, Triple
from hf_spo.doctor.checks import diagnose
from hf_spo.doctor.diagnosis import render
from tests import builders

OVERFIT = {
    "verdict": "not memorised: F1 0.100 on 32 texts after 300 steps",
    "explanation": ["subjects are <not> learnt"],
    "learnt": False,
    "texts": 32,
    "triples": 70,
    "steps": 300,
    "max_steps": 300,
    "seconds": 12.3,
    "learning_rate": 1e-4,
    "head_learning_rate": 1e-3,
    "f1": 0.1,
    "subject_f1": 0.2,
    "object_f1": 0.3,
}


class Page(HTMLParser):
    """Collects a page's words, and checks that its elements close in order."""

    def __init__(self, page):
        super().__init__()
        self.words, self.open, self.links = "", [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def page(examples, schema=builders.SCHEMA, overfit=None, about=()):
    found = diagnose(examples, builders.wordpiece_tokenizer(), schema, max_length=64)
    html = render(dict(about), found, overfit)
    return html, Page(html), found


def test_all_is_there():
    astray = Example("《晚风》", (Triple(Mention("雪国"), "歌手", Mention("白露")),))
    html, shown, found = page([*builders.EXAMPLES, astray], about={"data": "train.jsonl"}, overfit=OVERFIT)
    words = re.sub(r"\s+", " ", shown.words)
    for part in (found.verdict, "train.jsonl", "影视作品 –主演→ 人物", OVERFIT["verdict"], *OVERFIT["explanation"]):
        assert part in words
    for finding in found.findings:
        assert finding.what in words
        assert finding.advice in words
    for suggestion in found.suggestions:
        assert suggestion.reason in words
    assert shown.links == []
    assert html == page([*builders.EXAMPLES, astray], about={"data": "train.jsonl"}, overfit=OVERFIT)[0]


def test_clean_data():
    many = [
        Example(f"{number}《晚风》由白露演唱", (Triple(Mention("晚风"), "歌手", Mention("白露")),))
        for number in range(1_000)
    ]
    html, shown, _ = page(many, Schema.infer(many))
    assert "None." in shown.words
    assert "Overfitting test" not in html


def test_what_data_say_is_no_markup():
    evil = "<script>alert(1)</script>&amp;\ud800\x07"
    schema = Schema([Relation("", evil, "")])
    html, shown, _ = page(
        [Example("雪国", (Triple(Mention(evil), evil, Mention("雪国")),))], schema, about={evil: evil}
    )
    assert "<script" not in html
    assert "<script>alert(1)</script>&amp;\ufffd\ufffd" in shown.words
    html.encode("utf-8")


def test_nothing_to_show():
    _, shown, found = page([])
    assert found.verdict in shown.words
