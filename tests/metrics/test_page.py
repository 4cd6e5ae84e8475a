import dataclasses
import re

import pytest

from hf_spo.metrics import TripleScore, evaluate_report
from hf_spo.metrics.page import render
from tests import builders
from tests.metrics.triples import example, triple
from tests.strict_html import StrictPage


def report(texts, predictions, **options):
    return evaluate_report(texts, predictions, builders.SCHEMA, samples=20, **options)


@pytest.fixture(scope="module")
def page():
    predictions = [list(item.triples) for item in builders.EXAMPLES]
    predictions[0] = [triple("远山的灯", "导演", "林小", 0.25)]
    return render(report(builders.EXAMPLES, predictions, train=builders.EXAMPLES, about={"model": "my-model"}))


def test_shows_figures_tables_and_sentences(page):
    text = StrictPage(page).text
    for part in ("my-model", "macro F1", "strict", "official", "EPO", "subject seen", "影视作品 主演", "boundary"):
        assert part in text
    assert "8 of 8 sentences" in " ".join(text.split())
    assert "0.25" in text
    assert all(item.text in text for item in builders.EXAMPLES)


def test_needs_no_other_file_and_no_network(page):
    tree = StrictPage(page)
    assert not {"link", "img", "iframe", "object", "embed"} & set(tree.tags)
    assert not [value for name, value in tree.attributes if name in {"src", "href", "action"}]
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\((?!#)", page)


def test_filters_offer_what_the_lines_say(page):
    options = set(re.findall(r"<option>([^<]*)</option>", page))
    kinds = set(re.findall(r'data-kind="([^"]+)"', page))
    assert kinds == {"wrong: boundary", "missed: boundary", "missed: object missed"}
    assert kinds | set(re.findall(r'data-relation="([^"]*)"', page)) <= options


HOSTILE = """</p><script>alert(1)</script>"' onload="x" &amp; {{ 7 * 7 }} {% raw %} --> ]]>"""


def test_hostile_texts_are_text():
    ours = triple((HOSTILE, 0, HOSTILE), HOSTILE, HOSTILE, 0.5, **{HOSTILE: HOSTILE})
    gold = triple("雪国", HOSTILE, (HOSTILE, None, HOSTILE))
    found = report([example(HOSTILE, gold), example(HOSTILE * 3)], [[ours], [ours]], about={HOSTILE: HOSTILE})
    found = dataclasses.replace(found, rules={HOSTILE: TripleScore(1, 2, 3)})
    page = render(found)
    tree = StrictPage(page)
    assert tree.tags.count("script") == 1
    assert not [name for name, _ in tree.attributes if name.startswith("on")]
    assert HOSTILE in tree.text
    assert HOSTILE * 3 in tree.text


def test_what_html_cannot_hold_is_replaced():
    text = "\x00\x1b\ud800\x85白\t露"
    page = render(report([example(text, triple("白", "p", "\udfff"))], [[triple("露", "\x07", "白")]]))
    assert page.encode()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", page)
    assert "\ufffd\ufffd\ufffd\ufffd" in page


def test_says_how_many_sentences_are_shown():
    found = report(builders.EXAMPLES, [[] for _ in builders.EXAMPLES])
    page = render(found, limit=3)
    assert page.count("<article>") == 3
    assert "3 of 8 sentences, selected" in " ".join(StrictPage(page).text.split())
    assert "selected" not in StrictPage(render(found)).text


def test_says_why_plots_are_missing(page):
    bare = render(report([example("甲")], [[]]))
    assert page.count("<svg") == bare.count("<svg") == 1
    assert "No plots of scores" in bare
    scored = render(report([example("甲")], [[triple("甲", "p", "甲", 0.5)]]))
    assert scored.count("<svg") == 3
    assert "No plots of scores" not in scored


def test_rules_are_shown_if_any_were_applied(page):
    assert "Declared rules" not in page
    found = dataclasses.replace(report([example("甲")], [[]]), rules={"dropped by type": TripleScore(1, 4, 2)})
    text = StrictPage(render(found)).text
    assert "Declared rules" in text
    assert "dropped by type" in text
    assert "0.250" in text
