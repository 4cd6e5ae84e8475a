"""Sentences cut out of documents."""

import pytest

from hf_spo.graph.snippets import OBJECT, SUBJECT, snippet
from tests.graph.graph_samples import FIRST, FIRST_ROW, graph_of, mention, triple

FAR = "白露" + "很" * 450 + "喜欢唱歌。完"


def cut(text: str, subject: dict, value: dict) -> list[tuple[str, int]]:
    graph = graph_of({"text": text, "triples": [triple(subject, "p", value)]})
    (edge,) = graph.edges
    return snippet(text, edge, edge.evidence[0])


def test_the_sentence_alone() -> None:
    award = graph_of(FIRST_ROW).edges[1]
    assert snippet(FIRST, award, award.evidence[0]) == [
        ("2010年，", 0),
        ("何雨晴", SUBJECT),
        ("凭《海边》拿下", 0),
        ("最佳女主角", OBJECT),
        ("。", 0),
    ]


def test_mentions_within_one_another() -> None:
    text = "读完《鲁迅自传》的人不多"
    assert cut(text, mention(text, "鲁迅自传", ""), mention(text, "鲁迅", "")) == [
        ("读完《", 0),
        ("鲁迅", SUBJECT + OBJECT),
        ("自传", SUBJECT),
        ("》的人不多", 0),
    ]


def test_several_sentences_and_long_ones() -> None:
    text = "她" * 200 + "。Anna sings. In 2003 she left. " + "Then" * 50
    pieces = cut(text, mention(text, "Anna", ""), mention(text, "2003", ""))
    assert "".join(words for words, _ in pieces) == "Anna sings. In 2003 she left."
    text = "她" * 200 + "白露唱歌" + "她" * 200
    pieces = cut(text, mention(text, "白露", ""), mention(text, "歌", ""))
    assert [len(words) for words, _ in pieces] == [80, 2, 1, 1, 80]


def test_mentions_far_from_one_another() -> None:
    pieces = cut(FAR, mention(FAR, "白露", ""), mention(FAR, "唱歌", ""))
    text = "".join(words for words, _ in pieces)
    assert text == "白露" + "很" * 80 + " … " + "很" * 78 + "喜欢唱歌。"
    swapped = cut(FAR, mention(FAR, "唱歌", ""), mention(FAR, "白露", ""))
    assert "".join(words for words, _ in swapped) == text
    assert [role for _, role in pieces] == [SUBJECT, 0, 0, 0, OBJECT, 0]


@pytest.mark.parametrize("text", ["白露唱歌", "白" * 500])
def test_without_offsets_the_beginning(text: str) -> None:
    ((words, role),) = cut(text, {"text": "白露"}, {"text": "唱歌"})
    assert (words, role) == (text if len(text) < 100 else "白" * 160 + "…", 0)


def test_offsets_of_another_text() -> None:
    award = graph_of(FIRST_ROW).edges[1]
    assert snippet("另一篇", award, award.evidence[0]) == [("另一篇", 0)]
