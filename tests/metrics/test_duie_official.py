import numpy as np
import pytest

from hf_spo.metrics import OfficialScore, read_aliases
from hf_spo.metrics.duie_official import official_counts
from tests.metrics.triples import example, triple

FILM = triple("远山的灯", "导演", "林小川")


def score(predicted, gold, **aliases):
    known = {name: frozenset(names) for name, names in aliases.items()}
    (row,) = official_counts([example("…", *gold)], [predicted], known)
    return OfficialScore(*row.tolist())


@pytest.mark.parametrize(
    ("predicted", "equal"),
    [
        (triple("《远山的灯》", "导演", "《林小川》"), True),
        (triple(("远山的灯", 3, "歌曲"), "导演", ("林小川", 0, "地点")), True),
        (triple("《远山的灯", "导演", "林小川"), False),
        (triple("《《远山的灯》》", "导演", "林小川"), False),
        (triple("远山的灯", "主演", "林小川"), False),
        (triple("远山的灯", "导演", "林小"), False),
        (triple("远山的灯", "导演", "林小川", inWork="雪国"), False),
    ],
)
def test_what_counts(predicted, equal):
    assert score([predicted], [FILM]) == OfficialScore(int(equal), 1, int(equal), 1)


def test_letters_are_lower_cased():
    assert score([triple("BLUE", "p", "A", slot="X")], [triple("blue", "p", "a", slot="x")]).f1 == 1
    assert score([triple("blue", "P", "a")], [triple("blue", "p", "a")]).f1 == 0


def test_every_slot_has_to_be_right():
    gold = triple("何雨晴", "获奖", "最佳女主角", inWork="海边", onDate="2010年")
    assert score([triple("何雨晴", "获奖", "最佳女主角", inWork="海边")], [gold]).correct == 0
    assert score([triple("何雨晴", "获奖", "最佳女主角", inWork="海边", onDate="2011年")], [gold]).correct == 0
    assert score([triple("何雨晴", "获奖", "最佳女主角", onDate="2010年", inWork="《海边》")], [gold]).correct == 1


def test_equal_triples_of_a_text_are_one():
    assert score([FILM, triple("《远山的灯》", "导演", "林小川")], [FILM, FILM]) == OfficialScore(1, 1, 1, 1)


def test_aliases_of_subjects_are_those_of_the_triple_looked_for():
    predicted = triple("迅哥", "作者", "x")
    gold = triple("鲁迅", "作者", "x")
    assert score([predicted], [gold], 迅哥=["鲁迅"]) == OfficialScore(1, 1, 0, 1)
    assert score([predicted], [gold], 鲁迅=["迅哥"]) == OfficialScore(0, 1, 1, 1)


def test_aliases_of_slots_have_to_be_known_both_ways():
    predicted, gold = triple("x", "作者", "迅哥"), triple("x", "作者", "鲁迅")
    assert score([predicted], [gold], 迅哥=["鲁迅"]).correct == 0
    assert score([predicted], [gold], 迅哥=["鲁迅"], 鲁迅=["迅哥"]) == OfficialScore(1, 1, 1, 1)


def test_with_aliases_precision_and_recall_have_counts_of_their_own():
    predicted = [triple("迅哥", "作者", "x"), triple("树人", "作者", "x")]
    found = score(predicted, [triple("鲁迅", "作者", "x")], 迅哥=["鲁迅"], 树人=["鲁迅"], 鲁迅=["迅哥"])
    assert found == OfficialScore(2, 2, 1, 1)
    assert (found.precision, found.recall, found.f1) == (1, 1, 1)


def test_a_text_given_twice_counts_once_with_its_last_line():
    texts = [example("甲", FILM), example("乙"), example("甲", FILM, triple("a", "b", "c"))]
    counts = official_counts(texts, [[FILM], [], []])
    assert counts.tolist() == [[0, 0, 0, 2], [0, 0, 0, 0]]


def test_ratios():
    assert OfficialScore(correct=3, predicted=4, gold=8, found=2).to_dict() == {
        "precision": 0.75,
        "recall": 0.25,
        "f1": pytest.approx(0.375),
        "correct": 3,
        "predicted": 4,
        "found": 2,
        "gold": 8,
    }
    assert (OfficialScore(0, 0, 0, 0).f1, OfficialScore(0, 3, 3, 0).f1) == (0.0, 0.0)


def test_no_texts():
    assert official_counts([], []).shape == (0, 4)
    assert np.array_equal(official_counts([example("")], [[]]), [[0, 0, 0, 0]])


def test_alias_file(tmp_path):
    path = tmp_path / "aliases.txt"
    path.write_bytes("\ufeff鲁迅\t迅哥\t周树人\r\n\nBLUE\tAzure\n孤\n".encode())
    assert read_aliases(path) == {"鲁迅": {"迅哥", "周树人"}, "blue": {"azure"}, "孤": frozenset()}
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"aliases\.txt: expected UTF-8"):
        read_aliases(path)
