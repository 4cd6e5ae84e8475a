import pytest

from hf_spo.metrics import evaluate_report
from hf_spo.metrics.sentences import sentences
from tests import builders
from tests.metrics.triples import example, triple


def shown(texts, predictions, limit=100):
    report = evaluate_report(texts, predictions, samples=2)
    return sentences(report.texts, report.schema, limit)


def marks(sentence):
    return [(piece.text, piece.roles, piece.verdict, piece.lines) for piece in sentence.pieces if piece.lines]


def test_marks_of_right_wrong_and_missed_triples():
    text = "《雪国》由周一鸣、何雨晴主演"
    gold = [triple("雪国", "主演", "周一鸣"), triple("雪国", "主演", "何雨晴")]
    wrong = triple(("雪", 1), "导演", ("周一鸣", 5), 0.5)
    (sentence,) = shown([example(text, *gold)], [[gold[0], wrong]])
    assert [(line.verdict, line.kind, line.relation) for line in sentence.lines] == [
        ("right", "", "主演"),
        ("wrong", "wrong: spurious", "导演"),
        ("missed", "missed: object missed", "主演"),
    ]
    assert marks(sentence) == [
        ("雪", ("subject",), "right", (0, 1, 2)),
        ("国", ("subject",), "right", (0, 2)),
        ("周一鸣", ("object",), "right", (0, 1)),
        ("何雨晴", ("object",), "missed", (2,)),
    ]


def test_a_mention_inside_another():
    (sentence,) = shown([example("读《鲁迅自传》", triple("鲁迅自传", "作者", "鲁迅"))], [[]])
    assert marks(sentence) == [("鲁迅", ("subject", "object"), "missed", (0,)), ("自传", ("subject",), "missed", (0,))]


def test_qualifiers_are_marked_and_offsets_used():
    item = builders.EXAMPLES[-1]
    (sentence,) = shown([item], [item.triples])
    assert [text for text, *_ in marks(sentence)] == ["2010年", "何雨晴", "海边", "最佳女主角"]
    text = "甲乙甲"
    (sentence,) = shown([example(text)], [[triple(("甲", 2), "p", ("乙", 1))]])
    assert [(piece.text, piece.roles) for piece in sentence.pieces] == [
        ("甲", ()),
        ("乙", ("object",)),
        ("甲", ("subject",)),
    ]


@pytest.mark.parametrize("text", ["", "无关", "\ud800甲", "甲乙" * 50])
def test_pieces_make_up_the_text(text):
    wild = [triple(("甲", 0), "p", ("出界", 10_000)), triple("没有", "p", "")]
    (sentence,) = shown([example(text, triple("甲", "p", "乙甲"))], [wild])
    assert "".join(piece.text for piece in sentence.pieces) == text


def test_under_a_limit_every_cause_and_relation_is_shown_before_any_is_twice():
    texts = [example(f"{number}", triple("a", "p", "b")) for number in range(10)]
    predictions = [[triple("a", "p", "b")] for _ in texts]
    predictions[1] = predictions[2] = predictions[5] = []
    predictions[8] = [triple("a", "p", "b"), triple("c", "q", "d")]
    assert [sentence.number for sentence in shown(texts, predictions, 2)] == [2, 9]
    assert [sentence.number for sentence in shown(texts, predictions, 4)] == [2, 3, 6, 9]
    assert [sentence.number for sentence in shown(texts, predictions, 5)] == [1, 2, 3, 6, 9]
    assert len(shown(texts, predictions, 50)) == 10
