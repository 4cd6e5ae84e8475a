"""The demo's strings: both languages have all of them, with the same values to fill in."""

import re
from pathlib import Path
from string import Formatter

import pytest

from hf_spo.demo import strings
from hf_spo.demo.extraction import MAX_CHARACTERS, is_chinese
from hf_spo.demo.strings import EXAMPLES, LANGUAGES, count_of_triples, say


def fields(text):
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name)


@pytest.mark.parametrize("key", strings._STRINGS)
def test_both_languages_say_it(key):
    texts = strings._STRINGS[key]
    assert len(texts) == len(LANGUAGES)
    english, chinese = texts
    assert fields(english) == fields(chinese)
    assert not is_chinese(english)
    assert is_chinese(chinese) or key == "json_heading"


def test_every_string_is_used():
    others = [path for path in Path(strings.__file__).parent.glob("*.py") if path.name != "strings.py"]
    words = set(re.findall(r"\w+", "".join(path.read_text(encoding="utf-8") for path in others)))
    words |= {f"column_{word}" for word in words} | {"one_triple", "many_triples", *EXAMPLES}
    assert set(strings._STRINGS) <= words


def test_values_are_filled_in():
    assert say("en", "found", triples="2 triples", model="lite", seconds="0.1") == "2 triples by lite in 0.1 s"
    assert say("zh", "found", triples="2 个三元组", model="lite", seconds="0.1") == "lite 找到 2 个三元组，用时 0.1 秒"
    assert [count_of_triples("en", count) for count in (0, 1, 1234)] == ["0 triples", "1 triple", "1,234 triples"]
    assert count_of_triples("zh", 1) == "1 个三元组"


def test_examples_fit_and_all_but_one_are_chinese():
    assert all(20 < len(text) < MAX_CHARACTERS for text in EXAMPLES.values())
    assert [key for key, text in EXAMPLES.items() if not is_chinese(text)] == ["example_english"]
    assert len(EXAMPLES["example_long"]) > 200
