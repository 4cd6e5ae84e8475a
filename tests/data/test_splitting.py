from collections import Counter

import pytest

from hf_spo.data.splitting import Split


def test_shares_and_names():
    assert Split.parse("0.9/0.1").parts == ("train", "dev")
    split = Split.parse("0.8/0.1/0.1")
    assert split.parts == ("train", "dev", "test")
    counts = Counter(split.part(f"第{number}句") for number in range(20_000))
    assert counts["train"] == pytest.approx(16_000, abs=300)
    assert counts["dev"] == pytest.approx(2_000, abs=200)
    assert counts.total() == 20_000


PARTS = ["test", "train", "dev", "dev", "train", "dev", "test", "test", "test", "dev", "train", "dev"]


def test_the_part_follows_from_the_characters_alone():
    split = Split.parse("0.34/0.33/0.33")
    texts = [f"Snow Country {number}" for number in range(200)]
    for text in texts:
        same = {text, text.upper(), text.replace(" ", "\u3000"), f"\n{text}\n", text.replace("S", "Ｓ")}
        assert {split.part(one) for one in same} == {split.part(text)}
    assert len({split.part(text) for text in texts}) == 3
    # Fixed for ever: data that was split once must not mix with what is split later.
    assert [split.part(text) for text in texts[:12]] == PARTS
    assert split.part("\ud800") in split.parts


def test_rounding_leaves_no_text_over(monkeypatch):
    class Digest:
        def digest(self):
            return b"\xff" * 8

    monkeypatch.setattr("hashlib.blake2b", lambda *_, **__: Digest())
    assert Split((0.7, 0.1, 0.2)).part("雪国") == "test"


@pytest.mark.parametrize(
    ("shares", "problem"),
    [
        ("0.8/0.1", "0.8/0.1 sums to 0.9; expected two or three shares that sum to 1"),
        ("80/10/10", "80/10/10: expected two or three shares"),
        ("1", "1: expected two or three"),
        ("0.4/0.3/0.2/0.1", "expected two or three"),
        ("1/0", "expected two or three"),
        ("1.5/-0.5", "expected two or three"),
        ("nan/0.5", "expected two or three"),
        ("0.8,0.2", "0.8,0.2: expected two or three"),
        ("", ": expected two or three"),
    ],
)
def test_wrong_shares(shares, problem):
    with pytest.raises(ValueError, match=problem):
        Split.parse(shares)
